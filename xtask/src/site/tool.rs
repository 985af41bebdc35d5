//! The program that makes the site's files: the crate `xtask-site`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{process, workspace};

/// The built program.
pub(super) struct Tool(PathBuf);

impl Tool {
    /// Builds it; for a debug build without what only a release needs.
    pub(super) fn build(release: bool) -> Result<Self> {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--package", "xtask-site"]);
        if !release {
            cargo.arg("--no-default-features");
        }
        process::run(&mut cargo)?;
        Ok(Self(workspace::target_dir()?.join("debug/xtask-site")))
    }

    /// The program's file: what it makes depends on it.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn run(&self, command: &str, paths: &[&Path]) -> Result<()> {
        process::run(Command::new(&self.0).arg(command).args(paths))
    }
}
