//! The OpenAPI document against the server it describes: schemathesis makes calls up from the one and holds every
//! answer of the other to it. What it is to know beside the document lies in `src/tests/schema/`.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, de::IgnoredAny};

use super::{Tally, python};
use crate::{process, server, workspace};

/// The server under test. Guesses and messages come faster here than from people.
const SETTINGS: &[&str] = &[
    "--listen=127.0.0.1:0",
    "--demo",
    "--writes-per-second=0",
    "--signin-failures-per-account=0",
    "--signin-failures-per-address=0",
    "--sign-ups-per-address=0",
    "--sign-up-failures-per-address=0",
    "--read-marks-per-second=0",
];

/// Schemathesis' account of a run, as far as it matters here.
#[derive(Deserialize)]
struct Report {
    operations: Operations,
    failures: Vec<IgnoredAny>,
    errors: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Operations {
    tested: u64,
}

/// Starts a server on an empty folder, lets schemathesis call it, and ends it.
pub(super) fn run() -> Result<Tally> {
    let program = python::for_schema()?;
    let folder = workspace::target_dir()?.join("schema");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the last run's data")?;
    }
    fs::create_dir_all(&folder)?;
    let (child, address, greeting) = start(&folder)?;
    let tested = examine(&program, &folder, &address);
    process::stop(child)?;
    drop(greeting);
    tested
}

/// A running server, where it is, and what it says, to be kept open as long as it may speak.
fn start(folder: &Path) -> Result<(Child, String, impl BufRead + use<>)> {
    let settings = SETTINGS.iter().map(Into::into).collect::<Vec<_>>();
    let mut serve = server::serve(&workspace::binary(false)?, &settings);
    serve.arg("--data").arg(folder.join("data")).stdin(Stdio::null()).stdout(Stdio::piped());
    serve.stderr(fs::File::create(folder.join("server.log"))?);
    for (name, _) in std::env::vars_os() {
        // Settings of whoever runs the tests are not the tests' settings.
        if name.to_string_lossy().starts_with("LIAO_") {
            serve.env_remove(name);
        }
    }
    let mut child = serve.spawn().context("cannot start the server")?;
    let mut said = BufReader::new(child.stdout.take().context("the server has no output")?);
    let mut line = String::new();
    while said.read_line(&mut line)? > 0 {
        if let Some(at) = line.find("http://") {
            return Ok((child, line[at..].trim().to_owned(), said));
        }
        line.clear();
    }
    process::stop(child)?;
    bail!("the server did not say where it is; see {}", folder.join("server.log").display())
}

fn examine(program: &Path, folder: &Path, address: &str) -> Result<Tally> {
    let rules = workspace::root().join("src/tests/schema");
    let report = folder.join("report.json");
    let mut schemathesis = Command::new(program);
    schemathesis.current_dir(&rules).env("LIAO", address).env("PYTHONDONTWRITEBYTECODE", "1");
    schemathesis.args([
        "--config-file",
        "schemathesis.toml",
        "run",
        "--report",
        "json",
        "--report-json-path",
    ]);
    schemathesis.arg(&report).arg(format!("{address}/api/schema/"));
    let status = schemathesis.status().context("cannot start schemathesis")?;
    let counted = if report.exists() { count(&fs::read_to_string(&report)?)? } else { Tally::default() };
    Ok(counted.with_success(status.success()))
}

/// A call of the document is a test, and passes where nothing was found.
fn count(report: &str) -> Result<Tally> {
    let report: Report = serde_json::from_str(report).context("schemathesis' report is unreadable")?;
    let failed = u64::try_from(report.failures.len() + report.errors.len())?;
    Ok(Tally { passed: report.operations.tested.saturating_sub(failed), failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_and_what_broke_down_count_as_failed() {
        let report =
            r#"{"operations": {"total": 9, "tested": 9}, "failures": [{"code": "ST202"}], "errors": [{}]}"#;
        assert_eq!(count(report).expect("a report"), Tally { passed: 7, failed: 2 });
    }
}
