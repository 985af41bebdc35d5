//! The server's binary: built, and run in this program's place.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{prerequisites, process, progress, site, workspace};

/// Builds the site and then the server, which in release takes the site in. Returns the binary.
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

/// Builds what changed and serves. Only an error returns: the server takes this process over, so that signals
/// reach it and its exit status is the caller's.
pub(crate) fn run(release: bool, arguments: &[OsString]) -> Result<()> {
    let binary = build_with_site(release)?;
    let error = serve(&binary, &for_demo(arguments)).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}

/// The arguments of a server to try things out on: with `--demo`, unless they say something of it themselves.
pub(crate) fn for_demo(arguments: &[OsString]) -> Vec<OsString> {
    let says = |argument: &OsString| argument.to_string_lossy().split('=').next() == Some("--demo");
    let demo = (!arguments.iter().any(says)).then(|| OsString::from("--demo"));
    demo.into_iter().chain(arguments.iter().cloned()).collect()
}

/// The call of `liao serve`, in the repository's root, where its data folder then lies.
pub(crate) fn serve(binary: &Path, arguments: &[OsString]) -> Command {
    let mut serve = Command::new(binary);
    serve.current_dir(workspace::root()).arg("serve").args(arguments);
    serve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_demo_unless_one_says_otherwise() {
        let of = |words: &[&str]| for_demo(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&[]), ["--demo"]);
        assert_eq!(of(&["--listen", "127.0.0.1:9"]), ["--demo", "--listen", "127.0.0.1:9"]);
        assert_eq!(of(&["--demo=false"]), ["--demo=false"]);
        assert_eq!(of(&["--demo"]), ["--demo"]);
    }
}
