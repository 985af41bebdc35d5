//! Every crate that is compiled, for any platform, has a licence that goes with ours.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use super::Tally;
use crate::{process, progress, workspace};

/// The licences we accept, by their SPDX names. One that demands more than to be named belongs here only after
/// somebody has read it: MPL-2.0 does (changes to its files stay open), and we change none.
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

/// What `cargo metadata` tells, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Checks all crates of the lock file.
pub(super) fn check() -> Result<Tally> {
    let metadata =
        process::output(workspace::cargo().args(["metadata", "--format-version", "1", "--locked"]))
            .context("`cargo metadata --locked` fails; is Cargo.lock up to date?")?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).context("`cargo metadata` speaks another language")?;
    let mut refused = 0_u32;
    for Package { name, version, license } in &metadata.packages {
        let verdict = license.as_deref().context("it names no licence").and_then(accept);
        if let Err(error) = verdict {
            refused += 1;
            progress::note(&format!("licences: {name} {version}: {error:#}"));
        }
    }
    if refused > 0 {
        bail!("{refused} crates have a licence that is not on the list in xtask/src/test/licences.rs");
    }
    progress::note(&format!("licences: {} crates, all accepted", metadata.packages.len()));
    Ok(Tally::check(true))
}

/// Whether we may use what is licensed so.
fn accept(licence: &str) -> Result<()> {
    // Lax: the old form `MIT/Apache-2.0` still stands in many crates.
    let expression = Expression::parse_mode(licence, ParseMode::LAX).map_err(|error| {
        // The crate draws an arrow over several lines; its reason alone is enough.
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
