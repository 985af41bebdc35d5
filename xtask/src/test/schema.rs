//! Tests the server against its OpenAPI document: schemathesis generates calls from the document and checks every
//! response. Its configuration is in `src/tests/schema/`.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Tally, python};
use crate::{process, server, workspace};

/// The settings of the server under test: no limits, because schemathesis calls faster than people do.
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

/// A running server, its address and its output, which must stay open while the server runs.
fn start(folder: &Path) -> Result<(Child, String, impl BufRead + use<>)> {
    let settings = SETTINGS.iter().map(Into::into).collect::<Vec<_>>();
    let mut serve = server::serve(&workspace::binary(false)?, &settings);
    serve.arg("--data").arg(folder.join("data")).stdin(Stdio::null()).stdout(Stdio::piped());
    serve.stderr(fs::File::create(folder.join("server.log"))?);
    for (name, _) in std::env::vars_os() {
        // Settings of the person who runs the tests are not the tests' settings.
        if name.to_string_lossy().starts_with("LIAO_") {
            serve.env_remove(name);
        }
    }
    let mut child = process::spawn(&mut serve)?;
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

/// Each operation of the document is a test, which passes when schemathesis found nothing.
fn count(report: &str) -> Result<Tally> {
    let report: Value = serde_json::from_str(report).context("schemathesis' report is unreadable")?;
    let tested = report["operations"]["tested"].as_u64();
    let tested = tested.context("schemathesis' report does not say how many operations it tested")?;
    let length = |name: &str| {
        let list = report[name].as_array();
        list.map(Vec::len).with_context(|| format!("schemathesis' report has no list `{name}`"))
    };
    let failed = u64::try_from(length("failures")? + length("errors")?)?;
    Ok(Tally { passed: tested.saturating_sub(failed), failed })
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
