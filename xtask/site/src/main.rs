//! Makes the site's files out of what was compiled and written: `cargo xtask` builds and runs it.
//!
//! A program of its own, because it compiles for a minute: `cargo xtask` starts without it, and builds it while the
//! server already runs. Without the feature `release` it knows `wasm` alone, and compiles in half the time.

#[cfg(feature = "release")]
mod compress;
#[cfg(feature = "release")]
mod script;
#[cfg(feature = "release")]
mod style;
mod wasm;

use std::{ffi::OsString, path::Path, process::ExitCode};

use anyhow::{Result, bail};

fn main() -> ExitCode {
    match run(&std::env::args_os().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask-site: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[OsString]) -> Result<()> {
    let command = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let paths = words.iter().skip(1).map(Path::new).collect::<Vec<_>>();
    match (&*command, paths.as_slice()) {
        ("wasm", [compiled, package]) => wasm::generate(compiled, package, false),
        #[cfg(feature = "release")]
        ("wasm-release", [compiled, package]) => wasm::generate(compiled, package, true),
        #[cfg(feature = "release")]
        ("style", [main, bundle]) => Ok(std::fs::write(bundle, style::bundle(main)?)?),
        #[cfg(feature = "release")]
        ("compress", [site]) => compress::run(site),
        #[cfg(feature = "release")]
        ("report", [site]) => compress::report(site),
        _ => bail!("`{command}` is not a command of this build, or its paths are missing"),
    }
}
