//! Screenshots of the pages in a real browser, for the documentation.

use std::ffi::OsString;

use anyhow::Result;

use crate::{prerequisites, process, progress, server, test::playwright};

/// Builds, then takes every screenshot with Playwright.
pub(crate) fn take(arguments: &[OsString]) -> Result<()> {
    prerequisites::install(prerequisites::FOR_BROWSER)?;
    prerequisites::install_playwright()?;
    let binary = server::build_with_site(false)?;
    let mut take = playwright(&binary);
    take.arg("--config=screenshots.config.ts").args(arguments);
    progress::step("Taking the pictures", "about seven minutes", || process::run(&mut take))
}
