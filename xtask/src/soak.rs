//! The fault tests for longer: how often the server and its database are killed is the caller's choice.

use std::ffi::OsString;

use anyhow::{Context, Result};

use crate::{prerequisites, site, test};

/// Rounds of each fault when nobody says how many.
const ROUNDS: u32 = 100;

/// Runs every fault test with so many rounds as the one word of `rest` says.
pub(crate) fn run(rest: &[OsString]) -> Result<()> {
    let rounds = match rest.first() {
        Some(word) => word.to_str().and_then(|word| word.parse().ok()).context("the rounds are a number")?,
        None => ROUNDS,
    };
    prerequisites::install(prerequisites::FOR_UNIT)?;
    site::build(false)?;
    test::soak(rounds)
}
