//! The site: what a browser fetches besides the pages themselves.
//!
//! `target/site/` holds the public files as they are, and under `pkg/` the browser half (`liao_bg.wasm` and the
//! script `liao.js` that loads it) and the styles (`liao.css`). In release each file that gains by it lies there
//! compressed too. Each step makes only its own files, and only when what they are made of changed.

mod compress;
mod public;
mod style;
mod wasm;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{fingerprint, workspace};

/// The stem of every file under `pkg/`; the server's pages ask for it.
const NAME: &str = "liao";

/// Brings the site up to date.
pub(crate) fn build(release: bool) -> Result<()> {
    let package = package_dir();
    fs::create_dir_all(&package).with_context(|| format!("cannot make {}", package.display()))?;
    let wasm = wasm::build(release)?;
    let style = style::build(release)?;
    let public = public::build(release)?;
    if release {
        compress::build()?;
        if wasm || style || public {
            compress::report()?;
        }
    }
    Ok(())
}

/// The names of all files of the site, one a line. A release that takes the site in is compiled with them: cargo sees
/// by itself when a file it took in has changed, but not that there is one more.
pub(crate) fn names() -> Result<String> {
    let site = workspace::site_dir();
    let files = fingerprint::files_under(&site)?;
    let names = files.iter().filter_map(|file| file.strip_prefix(&site).ok()?.to_str());
    Ok(names.collect::<Vec<_>>().join("\n"))
}

/// Where the browser half and the styles lie.
fn package_dir() -> PathBuf {
    workspace::site_dir().join("pkg")
}

/// The file that remembers what a step was done with. Outside the site, which goes whole into the server.
fn memory(step: &str) -> PathBuf {
    workspace::site_dir().with_file_name("site.state").join(step)
}

/// What distinguishes the two kinds of result in a memory.
fn mode(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}

/// Removes everything in a folder whose name `goes` picks.
fn remove_from(folder: &Path, goes: impl Fn(&str) -> bool) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
    };
    for entry in entries {
        let entry = entry?;
        if goes(&entry.file_name().to_string_lossy()) {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
