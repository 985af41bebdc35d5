//! The browser half: the crate `frontend`, compiled to wasm and joined to the script that loads it.

use std::path::PathBuf;

use anyhow::Result;

use super::{NAME, mode, package_dir, remove_from, stamp, style, tool::Tool};
use crate::{
    fingerprint::{self, Fingerprint},
    process, progress,
    toolchain::{self, Compiler, WASM},
    workspace,
};

/// Brings wasm and script up to date. Says whether they changed.
pub(super) fn build(tool: &Tool, release: bool) -> Result<bool> {
    let compiled = compile(release)?;
    let package = package_dir();
    let output = output();
    let inputs = Fingerprint::of([compiled.as_path(), tool.path()])?;
    fingerprint::unless_fresh(&stamp("wasm"), mode(release), &inputs, &output, || {
        remove_from(&package, |name| !style::is_style(name))?;
        let command = if release { "wasm-release" } else { "wasm" };
        progress::step("Joining wasm and script (wasm-bindgen)", "some seconds", || {
            tool.run(command, &[&compiled, &package])
        })
    })
}

/// The wasm that pages load.
pub(super) fn output() -> PathBuf {
    package_dir().join(format!("{NAME}_bg.wasm"))
}

/// Compiles the crate; cargo knows what changed. Returns the wasm that the compiler made.
fn compile(release: bool) -> Result<PathBuf> {
    let compiler = toolchain::wasm_compiler()?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "frontend", "--lib", "--target", WASM]);
    cargo.arg("--config").arg(workspace::root().join("frontend/wasm.toml"));
    if release {
        cargo.arg("--release");
    }
    // Flags meant for the server's machine do not fit the browser.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let target = match compiler {
        // The server's: macros and build scripts are then compiled once for both.
        Compiler::Default => workspace::target_dir()?,
        Compiler::Assembled(rustc) => {
            cargo.env("RUSTC", rustc);
            workspace::front_dir()?
        }
    };
    cargo.arg("--target-dir").arg(&target);
    let usually = "about 3 minutes the first time, seconds after a change";
    progress::step("Compiling the browser half", usually, || process::run(&mut cargo))?;
    let profile = if release { "release" } else { "debug" };
    Ok(target.join(WASM).join(profile).join("frontend.wasm"))
}
