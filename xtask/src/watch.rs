//! Serves while one works: every change rebuilds what it touches, restarts the server and reloads the page.
//!
//! The page notices the restart itself: told by `LIAO_DEV_RELOAD`, the server offers it a socket whose return
//! after a break means that there is something new.

use std::{
    ffi::OsString,
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use signal_hook::{consts::TERM_SIGNALS, flag};

use crate::{fingerprint::Fingerprint, process, progress, server, site, workspace};

/// What the server is built of, the site's styles and public files included.
const WATCHED: &[&str] =
    &["app", "chat", "frontend", "src", "migrations", "style", "public", "Cargo.toml", "Cargo.lock"];
/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(300);

/// Rebuilds and restarts until it is interrupted. A build that fails leaves the last good server running.
pub(crate) fn watch(arguments: &[OsString]) -> Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        flag::register(*signal, Arc::clone(&interrupted)).context("cannot listen for signals")?;
    }
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

/// Builds, then puts the new server in the old one's place.
fn rebuild(running: &mut Option<Child>, arguments: &[OsString]) -> Result<()> {
    let start = Instant::now();
    site::build(false)?;
    let binary = server::build(false)?;
    if let Some(old) = running.take() {
        process::stop(old)?;
    }
    let mut serve = server::serve(&binary, &server::for_demo(arguments));
    *running = Some(serve.env("LIAO_DEV_RELOAD", "1").spawn().context("cannot start the server")?);
    progress::note(&format!("serving what was built in {}", progress::seconds(start.elapsed())));
    Ok(())
}
