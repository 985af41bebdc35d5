//! All that must pass, in parts that can be run alone.
//!
//! The quick parts come first. A part that fails does not keep the next from running; the last line on standard
//! output is always `N passed, M failed`, where each check that is no test of its own (a lint, the build) counts
//! as one. Nothing is ever skipped: a test that would be counts as failed.

mod cargo;
mod end2end;
mod licences;
pub(crate) mod python;
mod schema;
mod tidy;

use std::{
    ffi::OsString,
    io::{Write, stdout},
    iter::Sum,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::{
    prerequisites::{self, Need},
    progress, server, site,
};

pub(crate) use end2end::playwright;

/// The parts in the order in which they run.
const PARTS: &[Part] = &[
    Part { name: "fmt", group: Some("lint"), usually: "a second", needs: &[], run: |_| cargo::fmt() },
    Part {
        name: "clippy",
        group: Some("lint"),
        usually: "about 6 minutes the first time, seconds after a change",
        needs: &[],
        run: |_| Ok(cargo::clippy()),
    },
    Part {
        name: "licences",
        group: Some("lint"),
        usually: "a second",
        needs: &[],
        run: |_| licences::check(),
    },
    Part { name: "tidy", group: Some("lint"), usually: "a second", needs: &[], run: |_| Ok(tidy::check()) },
    Part {
        name: BUILD,
        group: None,
        usually: "about 14 minutes the first time, four after a change of the browser half",
        needs: &[],
        run: build,
    },
    Part {
        name: UNIT,
        group: None,
        usually: "a minute or two",
        needs: prerequisites::FOR_UNIT,
        run: |order| cargo::unit(order.rest),
    },
    Part {
        name: "schema",
        group: None,
        usually: "a minute",
        needs: prerequisites::FOR_SCHEMA,
        run: |_| schema::run(),
    },
    Part {
        name: "e2e",
        group: None,
        usually: "a minute or two",
        needs: prerequisites::FOR_BROWSER,
        run: |order| end2end::run(order.rest),
    },
];

/// The part that the tests of the running server stand on: it comes along with them, and they fail with it.
const BUILD: &str = "build";
const UNIT: &str = "unit";
/// The parts that start the server.
const ON_THE_BUILD: &[&str] = &[UNIT, "schema", "e2e"];

/// The words that pick parts.
pub(crate) const SELECTORS: &[&str] =
    &["lint", "fmt", "clippy", "licences", "tidy", BUILD, UNIT, "schema", "e2e"];

/// Some of what must pass.
struct Part {
    name: &'static str,
    /// Another word that picks it, together with others.
    group: Option<&'static str>,
    usually: &'static str,
    needs: &'static [Need],
    run: fn(&Order) -> Result<Tally>,
}

/// What was asked for.
struct Order<'a> {
    parts: &'a [&'static Part],
    /// Words to hand on to the one part that takes some.
    rest: &'a [OsString],
}

impl Order<'_> {
    fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }
}

impl Part {
    fn is_picked_by(&self, words: &[String]) -> bool {
        let stands_under = |word: &String| self.name == BUILD && ON_THE_BUILD.contains(&word.as_str());
        words.is_empty()
            || words.iter().any(|word| word == self.name || self.group == Some(word) || stands_under(word))
    }
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// One check.
    fn check(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// The same, and one failure more when the program that counted failed without a failure of its own: it did
    /// not compile, or broke down.
    fn with_success(self, success: bool) -> Self {
        let silent = !success && self.failed == 0;
        Self { failed: self.failed + u64::from(silent), ..self }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            passed: sum.passed + one.passed,
            failed: sum.failed + one.failed,
        })
    }
}

/// What became of a part.
struct Outcome {
    name: &'static str,
    took: Duration,
    tally: Tally,
}

/// Runs the parts that `words` pick, all when there are none, and handing `rest` on to the one that takes it.
/// Prints a summary; an error when anything failed.
pub(crate) fn run(words: &[String], rest: &[OsString]) -> Result<()> {
    let parts = PARTS.iter().filter(|part| part.is_picked_by(words)).collect::<Vec<_>>();
    if !rest.is_empty() && !matches!(words, [word] if [UNIT, "e2e"].contains(&word.as_str())) {
        bail!("words after `--` go to one part: cargo xtask test unit|e2e -- …");
    }
    let needs = parts.iter().flat_map(|part| part.needs).copied().collect::<Vec<_>>();
    if let Err(error) = prerequisites::install(&needs) {
        // The parts that need nothing are still worth running; the others will say what they miss.
        progress::note(&format!("{error:#}"));
    }
    let order = Order { parts: &parts, rest };
    let mut outcomes = Vec::new();
    for part in &parts {
        let outcome = run_part(part, &order, &outcomes);
        outcomes.push(outcome);
    }
    summarise(&outcomes)
}

/// The tests that break things, with so many rounds of each fault; an error when one failed.
pub(crate) fn soak(rounds: u32) -> Result<()> {
    let start = Instant::now();
    let tally = cargo::faults(rounds)?;
    summarise(&[Outcome { name: "soak", took: start.elapsed(), tally }])
}

/// Builds the site and the server, and at once the tests that are to follow. The site is the release's: that is what
/// people get, and what has to be small.
fn build(order: &Order) -> Result<Tally> {
    site::build(true)?;
    if order.has(UNIT) {
        cargo::build_with_tests()?;
    } else {
        server::build(false)?;
    }
    Ok(Tally::check(true))
}

fn run_part(part: &'static Part, order: &Order, before: &[Outcome]) -> Outcome {
    progress::note(&format!("test {} ({}) …", part.name, part.usually));
    let start = Instant::now();
    let run = || {
        let is_built = before.iter().all(|outcome| outcome.name != BUILD || outcome.tally.failed == 0);
        ensure!(is_built || !ON_THE_BUILD.contains(&part.name), "not run, for the build failed");
        prerequisites::require(part.needs)?;
        (part.run)(order)
    };
    let tally = run().unwrap_or_else(|error| {
        progress::note(&format!("test {}: {error:#}", part.name));
        Tally::check(false)
    });
    Outcome { name: part.name, took: start.elapsed(), tally }
}

fn summarise(outcomes: &[Outcome]) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out)?;
    for Outcome { name, took, tally } in outcomes {
        let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
        let took = progress::seconds(*took);
        writeln!(
            out,
            "{name:<10}{took:>14}  {:>5} passed {:>4} failed  {verdict}",
            tally.passed, tally.failed
        )?;
    }
    let total = outcomes.iter().map(|outcome| outcome.tally).sum::<Tally>();
    let failed = outcomes.iter().filter(|outcome| outcome.tally.failed > 0).map(|outcome| outcome.name);
    let failed = failed.collect::<Vec<_>>().join(", ");
    if !failed.is_empty() {
        writeln!(out, "failed: {failed}")?;
    }
    writeln!(out, "{} passed, {} failed", total.passed, total.failed)?;
    out.flush()?;
    if total.failed > 0 {
        // Not through an error: nothing may follow the last line.
        std::process::exit(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(words: &[&str]) -> Vec<&'static str> {
        let words = words.iter().map(ToString::to_string).collect::<Vec<_>>();
        PARTS.iter().filter(|part| part.is_picked_by(&words)).map(|part| part.name).collect()
    }

    #[test]
    fn words_pick_parts_and_what_they_stand_on() {
        assert_eq!(picked(&[]).len(), PARTS.len());
        assert_eq!(picked(&["lint"]), ["fmt", "clippy", "licences", "tidy"]);
        assert_eq!(picked(&["tidy"]), ["tidy"]);
        assert_eq!(picked(&["e2e"]), ["build", "e2e"]);
        for word in SELECTORS {
            assert!(!picked(&[word]).is_empty(), "{word} picks nothing");
        }
    }

    #[test]
    fn a_program_that_breaks_down_counts_as_a_failure() {
        let passed = Tally { passed: 3, failed: 0 };
        let failed = Tally { passed: 3, failed: 2 };
        assert_eq!(passed.with_success(true), passed);
        assert_eq!(passed.with_success(false), Tally { passed: 3, failed: 1 });
        assert_eq!(failed.with_success(false), failed);
    }
}
