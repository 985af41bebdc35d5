//! Python packages that tests speak to: each set in an environment of its own below the target directory, in
//! exactly the versions that a committed list has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, progress, workspace};

/// The environment `name` with what the list `requirements` (from the repository's root) names, and nothing else;
/// made unless it is there. Returns the folder of its programs.
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
            // Last: a broken installation is not taken for a whole one.
            fs::write(&installed, &versions).context("cannot note what was installed")
        },
    )?;
    Ok(programs)
}

/// What the tests in Rust need of Python: the Django library that reads the same tokens.
pub(crate) fn for_unit() -> Result<()> {
    environment("clients", Path::new("src/tests/clients/requirements.txt")).map(drop)
}

/// What makes calls up from the OpenAPI document. Returns the program.
pub(crate) fn for_schema() -> Result<PathBuf> {
    Ok(environment("schemathesis", Path::new("src/tests/schema/requirements.txt"))?.join("schemathesis"))
}
