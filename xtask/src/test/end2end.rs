//! The tests in a real browser: Playwright with the built server.

use std::{ffi::OsString, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Tally;
use crate::{prerequisites, process, progress, workspace};

/// Where Playwright writes its report, as `playwright.config.ts` says.
const REPORT: &str = "results/report.json";

/// The budget of a first visit is tested in a run of its own.
const BUDGET: &str = "budget.config.ts";

/// Checks the types of the tests, then runs them. `rest` goes to Playwright; the budget is tested only without it.
pub(super) fn run(rest: &[OsString]) -> Result<Tally> {
    prerequisites::install_playwright()?;
    let types = process::run(tool("tsc").arg("--noEmit"));
    if let Err(error) = &types {
        progress::note(&format!("{error:#}"));
    }
    let mut tallies = vec![Tally::check(types.is_ok()), browse(rest)?];
    if rest.is_empty() {
        tallies.push(browse(&["--config".into(), BUDGET.into()])?);
    }
    Ok(tallies.into_iter().sum())
}

/// Two people write for so many seconds while their connection is cut, and the server killed.
pub(super) fn cuts(seconds: u64) -> Result<Tally> {
    prerequisites::install_playwright()?;
    let mut playwright = playwright(&workspace::binary(false)?);
    playwright.arg("tests/cuts.hydrate.spec.ts").env("LIAO_CUTS_SECONDS", seconds.to_string());
    Ok(Tally::check(playwright.status().context("cannot start Playwright")?.success()))
}

/// Playwright's command line, for this binary and the installed browser.
pub(crate) fn playwright(binary: &Path) -> Command {
    let mut playwright = tool("playwright");
    playwright.arg("test").env("LIAO_BIN", binary);
    if let Some(chromium) = prerequisites::chromium() {
        playwright.env("CHROMIUM", chromium);
    }
    playwright
}

fn browse(rest: &[OsString]) -> Result<Tally> {
    let report = workspace::end2end_dir().join(REPORT);
    if report.exists() {
        fs::remove_file(&report).context("cannot remove the last run's report")?;
    }
    let mut playwright = playwright(&workspace::binary(false)?);
    let status = playwright.args(rest).status().context("cannot start Playwright")?;
    // No report: Playwright failed before the first test.
    let counted = if report.exists() { count(&fs::read_to_string(&report)?)? } else { Tally::default() };
    Ok(counted.with_success(status.success()))
}

/// Reads Playwright's report. A test that was skipped, or passed only at the second attempt, counts as failed. One that
/// runs with and without JavaScript counts twice.
fn count(report: &str) -> Result<Tally> {
    let report: Value = serde_json::from_str(report).context("Playwright's report is unreadable")?;
    let number = |name: &str| {
        let count = report["stats"][name].as_u64();
        count.with_context(|| format!("Playwright's report has no number `{name}`"))
    };
    let failed = number("unexpected")? + number("flaky")? + number("skipped")?;
    Ok(Tally { passed: number("expected")?, failed })
}

/// A program that npm installed for the browser tests.
fn tool(name: &str) -> Command {
    let folder = workspace::end2end_dir();
    let mut tool = Command::new(folder.join("node_modules/.bin").join(name));
    tool.current_dir(folder);
    tool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_test_counts_as_failed() {
        let report =
            r#"{"stats": {"startTime": "", "expected": 7, "unexpected": 1, "flaky": 0, "skipped": 2}}"#;
        assert_eq!(count(report).expect("a report"), Tally { passed: 7, failed: 3 });
    }
}
