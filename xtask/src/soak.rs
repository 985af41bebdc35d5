//! The fault tests, with a number of rounds that the caller chooses, and two writers in a browser whose connection is cut.

use std::ffi::OsString;

use anyhow::{Context, Result};

use crate::{prerequisites, site, test};

/// The default number of rounds of each fault.
const ROUNDS: u32 = 100;

/// Runs every fault test; `rest` may have the number of rounds.
pub(crate) fn run(rest: &[OsString]) -> Result<()> {
    let rounds = match rest.first() {
        Some(word) => word.to_str().and_then(|word| word.parse().ok()).context("the rounds are a number")?,
        None => ROUNDS,
    };
    prerequisites::install(&[prerequisites::FOR_UNIT, prerequisites::FOR_BROWSER].concat())?;
    site::build(true)?;
    test::soak(rounds)
}
