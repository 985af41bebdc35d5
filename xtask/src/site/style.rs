//! The styles: `style/main.css` with the files it imports; in release minified and in one file.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{mode, package_dir, remove_from, stamp, tool::Tool};
use crate::{
    fingerprint::{self, Fingerprint, files_under},
    workspace,
};

/// What pages load.
const FILE: &str = "liao.css";
/// The folder that a debug build has the files in, below the package.
const FOLDER: &str = "style";

/// Brings the styles up to date. Says whether they changed.
pub(super) fn build(tool: Option<&Tool>) -> Result<bool> {
    let style = workspace::root().join("style");
    let package = package_dir();
    let output = package.join(FILE);
    let inputs = Fingerprint::of([&style])?;
    fingerprint::unless_fresh(&stamp("style"), mode(tool.is_some()), &inputs, &output, || {
        remove_from(&package, is_style)?;
        match tool {
            Some(tool) => tool.run("style", &[&style.join("main.css"), &output]),
            None => copy(&style, &package.join(FOLDER), &output),
        }
    })
}

/// Whether a file of the package, by its name, belongs to the styles; compressed variants do.
pub(super) fn is_style(name: &str) -> bool {
    name.starts_with(FILE) || name == FOLDER
}

/// For a debug build: the browser follows the imports itself, so nothing has to read CSS.
fn copy(style: &Path, folder: &Path, output: &Path) -> Result<()> {
    for file in files_under(style)? {
        let copy = folder.join(file.strip_prefix(style)?);
        if let Some(parent) = copy.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(fs::write(output, format!("@import \"{FOLDER}/main.css\";\n"))?)
}
