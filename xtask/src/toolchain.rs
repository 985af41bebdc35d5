//! Finds a Rust compiler with the wasm target, or assembles one.
//!
//! Only the browser half needs it; the server, the tests and the lints always use the default compiler. In this order:
//! (a) the default compiler, if it has the wasm target; (b) a toolchain that an earlier call assembled from Debian's
//! compiler; (c) the default compiler, after rustup has added the target; (d) a new toolchain as in (b), for machines on
//! which rustup cannot download. (b) is before (c) so that such a machine does not try (c) on every build.
//!
//! `LIAO_WASM_TOOLCHAIN=debian` skips (a) and (c), to test (d) on any machine.

mod debian;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{prerequisites, process, progress, workspace};

/// The target of the browser half.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The environment variable that skips the default compiler, and its one value.
const FORCE: (&str, &str) = ("LIAO_WASM_TOOLCHAIN", "debian");

/// A compiler for the browser half.
#[derive(Debug)]
pub(crate) enum Compiler {
    /// The one that cargo uses anyway.
    Default,
    /// Another one: the value of `RUSTC` for cargo.
    Assembled(PathBuf),
}

/// Finds or assembles the compiler for the browser half.
pub(crate) fn wasm_compiler() -> Result<Compiler> {
    let forced = forced()?;
    let rustc = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    if !forced && has_wasm(&rustc) {
        return Ok(Compiler::Default);
    }
    if let Some(assembled) = debian::assembled()? {
        return Ok(Compiler::Assembled(assembled));
    }
    if !forced && added_by_rustup() && has_wasm(&rustc) {
        return Ok(Compiler::Default);
    }
    debian::assemble().map(Compiler::Assembled)
}

/// Installs what building needs, and prints which compiler is used.
pub(crate) fn setup() -> Result<()> {
    prerequisites::require_c_compiler()?;
    match wasm_compiler()? {
        Compiler::Default => progress::note("the browser half is built with the default Rust compiler"),
        Compiler::Assembled(path) => {
            progress::note(&format!("the browser half is built with {}", path.display()));
        }
    }
    Ok(())
}

/// Whether the environment skips the default compiler.
fn forced() -> Result<bool> {
    match env::var(FORCE.0) {
        Ok(value) if value == FORCE.1 => Ok(true),
        Ok(value) if !value.is_empty() => {
            bail!("{}={value}: the only value it takes is `{}`", FORCE.0, FORCE.1)
        }
        _ => Ok(false),
    }
}

/// Whether a compiler has the standard library for wasm.
fn has_wasm(rustc: &Path) -> bool {
    let mut ask = Command::new(rustc);
    ask.current_dir(workspace::root()).args(["--print", "target-libdir", "--target", WASM]);
    process::output(&mut ask).is_some_and(|folder| has_core(Path::new(&folder)))
}

/// Whether a library folder holds the compiled `core`.
fn has_core(folder: &Path) -> bool {
    let is_core = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libcore-");
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(is_core))
}

/// Adds the wasm target with rustup. A failure is no error, because Debian's compiler can replace it.
fn added_by_rustup() -> bool {
    if process::find("rustup").is_none() {
        return false;
    }
    progress::note(&format!("adding the target {WASM} with rustup (some seconds) …"));
    let mut rustup = Command::new("rustup");
    rustup.current_dir(workspace::root()).args(["target", "add", WASM]);
    // Without its own error message, which would look final.
    let added = process::output(&mut rustup).is_some();
    progress::note(if added { "rustup added the target" } else { "rustup cannot add the target here" });
    added
}
