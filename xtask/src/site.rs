//! The site: what a browser fetches besides the pages themselves.
//!
//! `target/site/` holds the public files as they are, and under `pkg/` the browser half (`liao_bg.wasm` and the
//! script `liao.js` that loads it) and the styles (`liao.css`). In release there are compressed variants of them too.
//! Each step makes only its own files, and only when its inputs changed.

mod public;
mod style;
mod tool;
mod wasm;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{fingerprint, progress, workspace};
use tool::Tool;

/// The stem of every file under `pkg/`; the server's pages ask for it.
const NAME: &str = "liao";

/// Brings the whole site up to date.
pub(crate) fn build(release: bool) -> Result<()> {
    if !release {
        build_files()?;
        return build_wasm();
    }
    create_package()?;
    let tool = Tool::build(true)?;
    let wasm = wasm::build(&tool, true)?;
    let style = style::build(Some(&tool))?;
    let public = public::build(true)?;
    let site = workspace::site_dir();
    progress::step("Compressing the site (brotli, gzip)", "some seconds", || tool.run("compress", &[&site]))?;
    if wasm || style || public {
        tool.run("report", &[&site])?;
    }
    Ok(())
}

/// Brings up to date what a debug build only copies: styles and public files. With them pages work, as forms.
pub(crate) fn build_files() -> Result<()> {
    create_package()?;
    style::build(None)?;
    public::build(false)?;
    Ok(())
}

/// Brings the debug build's wasm and its script up to date.
pub(crate) fn build_wasm() -> Result<()> {
    create_package()?;
    wasm::build(&Tool::build(false)?, false).map(drop)
}

/// Where there is no wasm, not even an old one: the file that [`build_wasm`] will write when there is.
pub(crate) fn missing_wasm() -> Result<Option<PathBuf>> {
    if wasm::output().exists() {
        return Ok(None);
    }
    let stamp = stamp("wasm");
    fingerprint::remove_stamp(&stamp)?;
    Ok(Some(stamp))
}

fn create_package() -> Result<()> {
    let package = package_dir();
    fs::create_dir_all(&package).with_context(|| format!("cannot make {}", package.display()))
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

/// The file that records what a step was done with. Outside the site, which is embedded into the server as a whole.
fn stamp(step: &str) -> PathBuf {
    workspace::site_dir().with_file_name("site.state").join(step)
}

/// What distinguishes the two kinds of output in a stamp.
fn mode(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}

/// Removes everything in a folder whose name `is_removed` picks.
fn remove_from(folder: &Path, is_removed: impl Fn(&str) -> bool) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
    };
    for entry in entries {
        let entry = entry?;
        if is_removed(&entry.file_name().to_string_lossy()) {
            let path = entry.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
