//! The public files, copied: icons, manifest, service worker.

use std::fs;

use anyhow::{Context, Result};

use super::{mode, remove_from, stamp};
use crate::{
    fingerprint::{self, Fingerprint, files_under},
    workspace,
};

/// Brings the copies up to date. Says whether they changed.
pub(super) fn build(release: bool) -> Result<bool> {
    let from = workspace::root().join("public");
    let to = workspace::site_dir();
    let inputs = Fingerprint::of([&from])?;
    fingerprint::unless_fresh(&stamp("public"), mode(release), &inputs, &to, || {
        remove_from(&to, |name| name != "pkg")?;
        for file in files_under(&from)? {
            let copy = to.join(file.strip_prefix(&from)?);
            if let Some(folder) = copy.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::copy(&file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        Ok(())
    })
}
