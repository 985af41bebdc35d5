//! Builds and runs the server.

use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::Ordering,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{prerequisites, process, progress, site, toolchain, workspace};

/// How often the programs that run are looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// Builds the site and then the server, which in release embeds the site. Returns the binary.
pub(crate) fn build_with_site(release: bool) -> Result<PathBuf> {
    site::build(release)?;
    build(release)
}

/// Builds the server alone. Returns the binary.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    prerequisites::require_c_compiler()?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "liao"]);
    let usually = if release {
        cargo.arg("--release").env("LIAO_SITE_FILES", site::names()?);
        "about 10 minutes the first time, a minute after a change"
    } else {
        "about 4 minutes the first time, seconds after a change"
    };
    progress::step("Compiling the server", usually, || process::run(&mut cargo))?;
    workspace::binary(release)
}

/// Builds what changed and serves. Returns when the server has ended by a signal, or with an error.
///
/// Where there is no wasm yet, the server starts without it: it takes minutes to compile, and pages work without.
pub(crate) fn run(release: bool, arguments: &[OsString]) -> Result<()> {
    if !release && let Some(stamp) = site::missing_wasm()? {
        return run_before_wasm(arguments, &stamp);
    }
    let binary = build_with_site(release)?;
    // The server replaces this process: signals reach it, and its exit status is the caller's.
    let error = serve(&binary, &for_demo(arguments)).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}

/// Serves, and compiles the browser half meanwhile in another xtask. The server holds requests for the wasm back until the
/// file `stamp` exists.
fn run_before_wasm(arguments: &[OsString], stamp: &Path) -> Result<()> {
    // First, because it may ask for consent.
    toolchain::wasm_compiler()?;
    site::build_files()?;
    let binary = build(false)?;
    let interrupted = process::interrupt_flag()?;
    let mut serve = serve(&binary, &for_demo(arguments));
    let mut server = process::spawn(serve.env("LIAO_SITE_STAMP", stamp))?;
    progress::note(
        "the server starts; until the browser half is compiled, its pages work without JavaScript",
    );
    let own = env::current_exe().context("cannot tell where this program is")?;
    let mut builder = Some(process::spawn(Command::new(own).arg("build").stdin(Stdio::null()))?);
    let ended = loop {
        if interrupted.load(Ordering::Relaxed) {
            break None;
        }
        if let Some(status) = server.try_wait()? {
            break Some(status);
        }
        if let Some(status) = builder.as_mut().map(Child::try_wait).transpose()?.flatten() {
            builder = None;
            progress::note(if status.success() {
                "the browser half is compiled: open pages go live"
            } else {
                "the browser half does not compile; the server goes on without it"
            });
        }
        thread::sleep(PERIOD);
    };
    builder.map_or(Ok(()), process::stop)?;
    match ended {
        None => process::stop(server),
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("the server ended ({status})"),
    }
}

/// The arguments with `--demo` before them, unless they have it.
pub(crate) fn for_demo(arguments: &[OsString]) -> Vec<OsString> {
    let is_demo = |argument: &OsString| argument.to_string_lossy().split('=').next() == Some("--demo");
    let demo = (!arguments.iter().any(is_demo)).then(|| OsString::from("--demo"));
    demo.into_iter().chain(arguments.iter().cloned()).collect()
}

/// `liao serve`, in the repository's root: its data folder is then there.
pub(crate) fn serve(binary: &Path, arguments: &[OsString]) -> Command {
    let mut serve = Command::new(binary);
    serve.current_dir(workspace::root()).arg("serve").args(arguments);
    serve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_is_the_default() {
        let of = |words: &[&str]| for_demo(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&[]), ["--demo"]);
        assert_eq!(of(&["--listen", "127.0.0.1:9"]), ["--demo", "--listen", "127.0.0.1:9"]);
        assert_eq!(of(&["--demo=false"]), ["--demo=false"]);
        assert_eq!(of(&["--demo"]), ["--demo"]);
    }
}
