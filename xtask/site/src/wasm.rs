//! wasm-bindgen: the wasm that rustc made, and the script that loads it.

#[cfg(feature = "release")]
mod unreached;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// The stem of both files; the server's pages ask for it.
const NAME: &str = "liao";

/// Writes `liao_bg.wasm` and `liao.js` into the folder `package`.
pub(crate) fn generate(compiled: &Path, package: &Path, release: bool) -> Result<()> {
    let wasm = fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    #[cfg(feature = "release")]
    let wasm = if release { unreached::remove(&wasm)? } else { wasm };
    Bindgen::new()
        .input_bytes(NAME, wasm)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .keep_debug(!release)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate(package)
}
