//! What cargo itself can check: formatting, lints, and the tests written in Rust.
//!
//! The frontend is checked in a call of its own: one call of cargo would compile `app` with the features for the server
//! and for the browser together, which does not work.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write, stdout},
    iter,
    num::NonZero,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context, Result};

use super::{Tally, python};
use crate::{process, progress, workspace};

/// Whether every file is formatted.
pub(super) fn fmt() -> Result<Tally> {
    process::run(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Tally::check(true))
}

/// Whether clippy finds nothing.
pub(super) fn clippy() -> Tally {
    let clippy = |packages: &[&str]| {
        let mut cargo = workspace::cargo();
        cargo.arg("clippy").args(packages).args(["--", "--deny", "warnings"]);
        match process::run(&mut cargo) {
            Ok(()) => Tally::check(true),
            Err(error) => {
                progress::note(&format!("{error:#}"));
                Tally::check(false)
            }
        }
    };
    let all_but_the_frontend = clippy(&["--workspace", "--exclude", "frontend", "--all-targets"]);
    [all_but_the_frontend, clippy(&["--package", "frontend"])].into_iter().sum()
}

/// The crates whose tests are built together. Not the frontend, see above; and not xtask and xtask-site, which stay as
/// they were built to run this: together with the server, their dependencies would be compiled once more, with the
/// features of both.
const PRODUCT: &[&str] =
    &["--workspace", "--exclude", "frontend", "--exclude", "xtask", "--exclude", "xtask-site"];

/// Builds the server together with its tests. Built alone, it would have fewer features of its dependencies, and be
/// compiled once more with the tests.
pub(super) fn build_with_tests() -> Result<()> {
    let usually = "about 6 minutes the first time, seconds after a change";
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--no-run"]).args(PRODUCT);
    progress::step("Compiling the server and its tests", usually, || process::run(&mut cargo))
}

/// The tests in Rust: of single functions, of the store on both databases, of the started server. `rest` goes to
/// cargo.
pub(super) fn unit(rest: &[OsString]) -> Result<Tally> {
    python::for_unit()?;
    let product = test(PRODUCT, rest)?;
    if rest.is_empty() {
        let own = ["xtask", "xtask-site"].iter().map(|package| test(&["--package", package], rest));
        Ok(iter::once(Ok(product)).chain(own).collect::<Result<Vec<_>>>()?.into_iter().sum())
    } else {
        Ok(product)
    }
}

/// The fault tests alone, with this number of rounds of each fault.
pub(super) fn faults(rounds: u32) -> Result<Tally> {
    let mut cargo = command(PRODUCT, &["--test", "contract", "faults::"].map(OsString::from))?;
    count(cargo.env("LIAO_ROUNDS", rounds.to_string()))
}

/// Runs `cargo test`, shows its output and counts the tests.
fn test(packages: &[&str], rest: &[OsString]) -> Result<Tally> {
    count(&mut command(packages, rest)?)
}

fn command(packages: &[&str], rest: &[OsString]) -> Result<Command> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--no-fail-fast"]).args(packages).args(rest);
    // Tests that somebody starts by hand find the binary by this variable too.
    cargo.env("LIAO_BIN", workspace::binary(false)?);
    // One more than cores: most of them wait for a timer, a server or a database.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cargo.env("RUST_TEST_THREADS", (cores + 1).to_string());
    Ok(cargo)
}

fn count(cargo: &mut Command) -> Result<Tally> {
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot start `cargo test`")?;
    let output = child.stdout.take().context("`cargo test` has no output")?;
    let mut tallies = Vec::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let mut out = stdout().lock();
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        tallies.extend(result(&String::from_utf8_lossy(&line)));
    }
    let status = child.wait()?;
    Ok(tallies.into_iter().sum::<Tally>().with_success(status.success()))
}

/// Reads a line as `test result: ok. 12 passed; 0 failed; 1 ignored; …`. An ignored test counts as failed.
fn result(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| {
        let count = counts.split(';').find_map(|part| part.trim().strip_suffix(what))?;
        count.trim().parse::<u64>().ok()
    };
    Some(Tally { passed: number("passed")?, failed: number("failed")? + number("ignored")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_counted_and_an_ignored_test_is_a_failed_one() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.1s";
        assert_eq!(result(line), Some(Tally { passed: 12, failed: 3 }));
        assert_eq!(result("test rooms::join ... ok"), None);
    }

    #[test]
    fn a_program_that_dies_without_a_result_has_failed() {
        let dies =
            count(Command::new("sh").args(["-c", "echo 'running 1 test'; kill -9 $$"])).expect("it ran");
        assert_eq!(dies, Tally { passed: 0, failed: 1 });
    }
}
