//! Lighthouse's scores of the release's pages, on a simulated phone.

use std::{ffi::OsString, fs};

use anyhow::{Context, Result};

use crate::{prerequisites, process, progress, server, test::playwright, workspace};

/// The files it writes: scores, and times.
const TABLES: &[&str] = &["lighthouse.md", "timings.md"];

/// Builds the release, runs Lighthouse on it, and times what people do there. Prints the scores; low ones are an error.
pub(crate) fn measure(arguments: &[OsString]) -> Result<()> {
    prerequisites::install(prerequisites::FOR_BROWSER)?;
    prerequisites::install_playwright()?;
    prerequisites::install_lighthouse()?;
    let binary = server::build_with_site(true)?;
    let mut visit = playwright(&binary);
    visit.arg("--config=lighthouse.config.ts").args(arguments);
    progress::step("Measuring with Lighthouse", "three minutes", || process::run(&mut visit))?;
    for name in TABLES {
        let table = workspace::end2end_dir().join("results").join(name);
        let table = fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
        progress::note(&format!("for docs/BENCHMARKS.md:\n\n{table}"));
    }
    Ok(())
}
