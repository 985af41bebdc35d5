//! Finds a Rust compiler that can make wasm, or makes one.
//!
//! Only the browser half needs it; the server, the tests and the lints always use the default compiler. In this
//! order: (a) the default compiler, when it has the wasm target; (b) a toolchain that an earlier call assembled
//! from Debian's compiler; (c) the target, added by rustup; (d) assembling (b), where rustup can download
//! nothing. (b) stands before (c) so that such a machine does not try (c) again on every build.
//!
//! `LIAO_WASM_TOOLCHAIN=debian` leaves (a) and (c) out, so that the last resort can be tried on any machine.

mod debian;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{prerequisites, process, progress, workspace};

/// What cargo calls the browser as a target.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The variable that forces a way of finding the compiler, and its one value.
const FORCE: (&str, &str) = ("LIAO_WASM_TOOLCHAIN", "debian");

/// A compiler for the browser half.
#[derive(Debug)]
pub(crate) enum Compiler {
    /// The one that cargo uses anyway.
    Default,
    /// Another one, to be given to cargo as `RUSTC`.
    Assembled(PathBuf),
}

/// Finds or makes the compiler for the browser half.
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

/// Makes ready what building needs, and says what it is.
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

/// Whether the environment forces the last resort.
fn forced() -> Result<bool> {
    match env::var(FORCE.0) {
        Ok(value) if value == FORCE.1 => Ok(true),
        Ok(value) if !value.is_empty() => {
            bail!("{}={value}: the only value it takes is `{}`", FORCE.0, FORCE.1)
        }
        _ => Ok(false),
    }
}

/// Whether a compiler comes with the standard library for wasm.
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

/// Lets rustup add the wasm target. That it cannot is no error here: there is one more way.
fn added_by_rustup() -> bool {
    if process::find("rustup").is_none() {
        return false;
    }
    progress::note(&format!("adding the target {WASM} with rustup (some seconds) …"));
    let mut rustup = Command::new("rustup");
    rustup.current_dir(workspace::root()).args(["target", "add", WASM]);
    // Its complaint would look like the end of the matter.
    let added = process::output(&mut rustup).is_some();
    progress::note(if added { "rustup added the target" } else { "rustup cannot add the target here" });
    added
}
