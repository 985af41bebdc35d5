//! The paths of this repository, and the command line of cargo.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Cargo's target directory, wherever the environment or a configuration file has put it.
///
/// It is the parent of the `debug` folder, in which cargo placed this program.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    let target = own.parent().and_then(Path::parent).context("this program is in no target directory")?;
    Ok(target.to_path_buf())
}

/// The target directory for the assembled compiler: shared with the default one, each would recompile what the other
/// compiled.
pub(crate) fn front_dir() -> Result<PathBuf> {
    Ok(target_dir()?.join("front"))
}

/// The finished site: `pkg/` with wasm, script and style, and beside it the public files.
///
/// It does not depend on the target directory, because the server's code names this folder.
pub(crate) fn site_dir() -> PathBuf {
    root().join("target/site")
}

/// The server's binary of a profile.
pub(crate) fn binary(release: bool) -> Result<PathBuf> {
    Ok(target_dir()?.join(if release { "release" } else { "debug" }).join("liao"))
}

/// The browser tests.
pub(crate) fn end2end_dir() -> PathBuf {
    root().join("end2end")
}

/// The cargo that started this program, in the repository's root, and with the environment of a call by hand.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        // Cargo describes the package it runs (this one) in these, and some build scripts, ring's among them,
        // run again when they change: then each switch between `cargo` and `cargo xtask` would recompile much.
        if text.starts_with("CARGO_PKG_")
            || ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_BIN_NAME", "CARGO_CRATE_NAME"]
                .contains(&&*text)
        {
            cargo.env_remove(&name);
        }
    }
    if let Some(dir) = env::var_os("CARGO_TARGET_DIR") {
        // A relative path is relative to the caller's working directory, not to the root.
        if let Ok(absolute) = std::path::absolute(dir) {
            cargo.env("CARGO_TARGET_DIR", absolute);
        }
    }
    cargo
}
