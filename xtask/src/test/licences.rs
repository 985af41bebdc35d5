//! Checks that every crate that is compiled, for any platform, has an accepted licence.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use super::Tally;
use crate::{process, progress, workspace};

/// The accepted licences, by their SPDX names. A licence that demands more than attribution was read by a person first:
/// MPL-2.0 demands that changes to its files are published, and we change none.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Checks all crates of the lock file.
pub(super) fn check() -> Result<Tally> {
    let metadata =
        process::output(workspace::cargo().args(["metadata", "--format-version", "1", "--locked"]))
            .context("`cargo metadata --locked` fails; is Cargo.lock up to date?")?;
    let metadata: Value = serde_json::from_str(&metadata).context("`cargo metadata` prints no JSON")?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let mut refused = 0_u32;
    for package in packages {
        let verdict = package["license"].as_str().context("it names no licence").and_then(accept);
        if let Err(error) = verdict {
            refused += 1;
            progress::note(&format!("licences: {} {}: {error:#}", package["name"], package["version"]));
        }
    }
    if refused > 0 {
        bail!("{refused} crates have a licence that is not on the list in xtask/src/test/licences.rs");
    }
    progress::note(&format!("licences: {} crates, all accepted", packages.len()));
    Ok(Tally::check(true))
}

/// An error unless the licence is accepted.
fn accept(licence: &str) -> Result<()> {
    // Lax: the old form `MIT/Apache-2.0` still stands in many crates.
    let expression = Expression::parse_mode(licence, ParseMode::LAX).map_err(|error| {
        // The reason alone: the whole error draws an arrow over several lines.
        anyhow::anyhow!("`{licence}` is no SPDX expression: {}", error.reason)
    })?;
    // An exception (`WITH …`) only ever allows more.
    let accepted = expression.evaluate(|one| one.license.id().is_some_and(|id| ACCEPTED.contains(&id.name)));
    if !accepted {
        bail!("its licence is `{licence}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_accepted_choice_is_enough_and_every_condition_counts() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(accept(good).is_ok(), "{good}");
        }
        for bad in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "LicenseRef-own", "no such thing"] {
            assert!(accept(bad).is_err(), "{bad}");
        }
    }
}
