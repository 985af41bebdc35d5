//! The browser half: the crate `frontend`, compiled to wasm and joined to the script that loads it.

mod unreached;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::{NAME, memory, mode, package_dir, remove_from};
use crate::{
    fingerprint::{self, Fingerprint},
    process, progress,
    toolchain::{self, Compiler, WASM},
    workspace,
};

/// Brings wasm and script up to date. Says whether they changed.
pub(super) fn build(release: bool) -> Result<bool> {
    let compiled = compile(release)?;
    let package = package_dir();
    let proof = package.join(format!("{NAME}_bg.wasm"));
    let inputs = Fingerprint::of([&compiled])?;
    fingerprint::unless_fresh(&memory("wasm"), mode(release), &inputs, &proof, || {
        remove_from(&package, |name| !name.starts_with(&format!("{NAME}.css")))?;
        progress::step("Joining wasm and script (wasm-bindgen)", "a second", || {
            let mut wasm =
                fs::read(&compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
            if release {
                wasm = unreached::remove(&wasm)?;
            }
            Bindgen::new()
                .input_bytes(NAME, wasm)
                .out_name(NAME)
                .web(true)?
                .typescript(false)
                .keep_debug(!release)
                .remove_name_section(release)
                .remove_producers_section(release)
                .generate(&package)
        })
    })
}

/// Compiles the crate; cargo knows what changed. Returns the wasm that the compiler made.
fn compile(release: bool) -> Result<PathBuf> {
    let compiler = toolchain::wasm_compiler()?;
    let profile = if release { "wasm-release" } else { "wasm-dev" };
    let target = workspace::front_dir()?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "frontend", "--lib", "--target", WASM, "--profile", profile]);
    cargo.arg("--target-dir").arg(&target);
    // Flags meant for the server's machine do not fit the browser.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    if let Compiler::Assembled(rustc) = compiler {
        cargo.env("RUSTC", rustc);
    }
    let usually = "about 4 minutes the first time, seconds after a change";
    progress::step("Compiling the browser half", usually, || process::run(&mut cargo))?;
    Ok(target.join(WASM).join(profile).join("frontend.wasm"))
}
