//! The Python packages that tests use: each set in a virtual environment below the target directory, with the versions
//! of a committed list.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, progress, workspace};

/// Creates the virtual environment `name` with exactly the packages of the list `requirements` (a path from the
/// repository's root), unless it is up to date. Returns the folder of its programs.
pub(crate) fn environment(name: &str, requirements: &Path) -> Result<PathBuf> {
    let list = workspace::root().join(requirements);
    let versions = fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let environment = workspace::target_dir()?.join("python").join(name);
    let programs = environment.join("bin");
    let installed = environment.join("requirements.txt");
    if programs.join("python").exists() && fs::read(&installed).is_ok_and(|known| known == versions) {
        return Ok(programs);
    }
    progress::step(
        &format!("Installing what {} names (pip)", requirements.display()),
        "half a minute",
        || {
            process::run_quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
            let mut pip = Command::new(programs.join("python"));
            pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--requirement"])
                .arg(&list);
            process::run_quietly(&mut pip)?;
            // Written last, so that an interrupted installation is repeated.
            fs::write(&installed, &versions).context("cannot note what was installed")
        },
    )?;
    Ok(programs)
}

/// For the tests in Rust: SimpleJWT, which reads and writes the same tokens.
pub(crate) fn for_unit() -> Result<()> {
    environment("clients", Path::new("src/tests/clients/requirements.txt")).map(drop)
}

/// Schemathesis. Returns its program.
pub(crate) fn for_schema() -> Result<PathBuf> {
    Ok(environment("schemathesis", Path::new("src/tests/schema/requirements.txt"))?.join("schemathesis"))
}
