//! Serves during development: every change rebuilds what depends on it, restarts the server and reloads the page.
//!
//! With `LIAO_DEV_RELOAD` the server has a WebSocket for pages. When it breaks and connects again, the page reloads.

use std::{
    ffi::OsString,
    process::Child,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{fingerprint::Fingerprint, process, progress, server, site, workspace};

/// The sources of the server and the site.
const WATCHED: &[&str] =
    &["app", "chat", "frontend", "src", "migrations", "style", "public", "Cargo.toml", "Cargo.lock"];
/// How often the files are compared.
const PERIOD: Duration = Duration::from_millis(300);

/// Rebuilds and restarts until it is interrupted. A build that fails leaves the last good server running.
pub(crate) fn watch(arguments: &[OsString]) -> Result<()> {
    let interrupted = process::interrupt_flag()?;
    let mut built = None;
    let mut running: Option<Child> = None;
    while !interrupted.load(Ordering::Relaxed) {
        let now = Fingerprint::of(WATCHED.iter().map(|path| workspace::root().join(path)))?;
        if built.as_ref() != Some(&now) {
            built = Some(now);
            if let Err(error) = rebuild(&mut running, arguments) {
                progress::note(&format!("{error:#}; waiting for a change"));
            }
        }
        if let Some(status) = running.as_mut().map(Child::try_wait).transpose()?.flatten() {
            progress::note(&format!("the server ended by itself ({status}); waiting for a change"));
            running = None;
        }
        thread::sleep(PERIOD);
    }
    running.map_or(Ok(()), process::stop)
}

/// Builds, then replaces the old server with the new one.
fn rebuild(running: &mut Option<Child>, arguments: &[OsString]) -> Result<()> {
    let start = Instant::now();
    site::build(false)?;
    let binary = server::build(false)?;
    if let Some(old) = running.take() {
        process::stop(old)?;
    }
    let mut serve = server::serve(&binary, &server::for_demo(arguments));
    *running = Some(process::spawn(serve.env("LIAO_DEV_RELOAD", "1"))?);
    progress::note(&format!("serving what was built in {}", progress::seconds(start.elapsed())));
    Ok(())
}
