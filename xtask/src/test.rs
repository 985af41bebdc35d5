//! All that must pass, in parts that can be run alone.
//!
//! The quick parts come first, and a part that fails does not stop the next. The last line on standard output is always
//! `N passed, M failed`; each check that is not a test itself (a lint, the build) counts as one. A skipped test counts as
//! failed.

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
        usually: "about 10 minutes the first time, four after a change of the browser half",
        needs: &[],
        run: build,
    },
    Part {
        name: UNIT,
        group: None,
        usually: "about 8 minutes",
        needs: prerequisites::FOR_UNIT,
        run: |order| cargo::unit(order.rest),
    },
    Part {
        name: SCHEMA,
        group: None,
        usually: "a minute",
        needs: prerequisites::FOR_SCHEMA,
        run: |_| schema::run(),
    },
    Part {
        name: E2E,
        group: None,
        usually: "about 12 minutes",
        needs: prerequisites::FOR_BROWSER,
        run: |order| end2end::run(order.rest),
    },
];

/// The part that [`ON_THE_BUILD`] depend on: it runs with them, and when it fails they do.
const BUILD: &str = "build";
const UNIT: &str = "unit";
const SCHEMA: &str = "schema";
const E2E: &str = "e2e";
/// The parts that start the server.
const ON_THE_BUILD: &[&str] = &[UNIT, SCHEMA, E2E];

/// The words that select parts.
pub(crate) const SELECTORS: &[&str] =
    &["lint", "fmt", "clippy", "licences", "tidy", BUILD, UNIT, SCHEMA, E2E];

/// Something that must pass and can be run alone.
struct Part {
    name: &'static str,
    /// Another word that selects it, together with other parts.
    group: Option<&'static str>,
    usually: &'static str,
    needs: &'static [Need],
    run: fn(&Order) -> Result<Tally>,
}

/// The parts of one call.
struct Order<'a> {
    parts: &'a [&'static Part],
    /// Arguments for the one part that takes some.
    rest: &'a [OsString],
}

impl Order<'_> {
    fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }

    /// Whether the release's site is needed, with its wasm: by the browser tests, and by the build alone.
    fn needs_site(&self) -> bool {
        self.has(E2E) || !ON_THE_BUILD.iter().any(|part| self.has(part))
    }
}

impl Part {
    fn is_selected_by(&self, words: &[String]) -> bool {
        let is_needed = |word: &String| self.name == BUILD && ON_THE_BUILD.contains(&word.as_str());
        words.is_empty()
            || words.iter().any(|word| word == self.name || self.group == Some(word) || is_needed(word))
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

    /// The same, and one more failure if the program failed without reporting one: it did not compile, or it crashed.
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

/// The result of a part.
struct Outcome {
    name: &'static str,
    took: Duration,
    tally: Tally,
}

/// Runs the parts that `words` select, or all when there are none. `rest` goes to the one part that takes arguments.
/// Prints a summary; ends the process with 1 when anything failed.
pub(crate) fn run(words: &[String], rest: &[OsString]) -> Result<()> {
    let parts = PARTS.iter().filter(|part| part.is_selected_by(words)).collect::<Vec<_>>();
    if !rest.is_empty() && !matches!(words, [word] if [UNIT, E2E].contains(&word.as_str())) {
        bail!("words after `--` go to one part: cargo xtask test unit|e2e -- …");
    }
    let needs = parts.iter().flat_map(|part| part.needs).copied().collect::<Vec<_>>();
    if let Err(error) = prerequisites::install(&needs) {
        // The parts that need nothing still run; the others report what is missing.
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

/// The fault tests, with this number of rounds of each fault, and the long form of the browser's.
pub(crate) fn soak(rounds: u32) -> Result<()> {
    let start = Instant::now();
    let tally = cargo::faults(rounds)?;
    let faults = Outcome { name: "faults", took: start.elapsed(), tally };
    let start = Instant::now();
    server::build(false)?;
    let tally = end2end::cuts(6 * u64::from(rounds))?;
    summarise(&[faults, Outcome { name: "cuts", took: start.elapsed(), tally }])
}

/// Builds what the other parts need. The browser is tested with the release's site, because that is what people get; the
/// parts that need no wasm do not wait for it.
fn build(order: &Order) -> Result<Tally> {
    if order.needs_site() {
        site::build(true)?;
    } else {
        site::build_files()?;
    }
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

    fn parts(words: &[&str]) -> Vec<&'static Part> {
        let words = words.iter().map(ToString::to_string).collect::<Vec<_>>();
        PARTS.iter().filter(|part| part.is_selected_by(&words)).collect()
    }

    fn selected(words: &[&str]) -> Vec<&'static str> {
        parts(words).iter().map(|part| part.name).collect()
    }

    #[test]
    fn words_select_parts_and_what_they_need() {
        assert_eq!(selected(&[]).len(), PARTS.len());
        assert_eq!(selected(&["lint"]), ["fmt", "clippy", "licences", "tidy"]);
        assert_eq!(selected(&["tidy"]), ["tidy"]);
        assert_eq!(selected(&["e2e"]), ["build", "e2e"]);
        for word in SELECTORS {
            assert!(!selected(&[word]).is_empty(), "{word} selects nothing");
        }
    }

    #[test]
    fn tests_without_a_browser_compile_no_wasm() {
        let needs_site = |words: &[&str]| Order { parts: &parts(words), rest: &[] }.needs_site();
        assert!(needs_site(&[]));
        for words in [&["build"][..], &["e2e"], &["unit", "e2e"]] {
            assert!(needs_site(words), "{words:?}");
        }
        for words in [["unit"], ["schema"]] {
            assert!(!needs_site(&words), "{words:?}");
        }
    }

    #[test]
    fn a_program_that_crashes_counts_as_a_failure() {
        let passed = Tally { passed: 3, failed: 0 };
        let failed = Tally { passed: 3, failed: 2 };
        assert_eq!(passed.with_success(true), passed);
        assert_eq!(passed.with_success(false), Tally { passed: 3, failed: 1 });
        assert_eq!(failed.with_success(false), failed);
    }
}
