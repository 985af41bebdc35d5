//! The benchmark: server and generator are built with optimisations, then the generator does the rest.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{process, progress, server, workspace};

/// The parts of the benchmark, as its program calls them.
pub(crate) const PARTS: &[&str] = &["--quick", "--write", "start", "idle", "reading", "durable", "fanout"];

/// Builds both programs and measures what `words` name, everything when they name no part. With `--write` the table
/// goes into the documentation, else to standard output.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let server = server::build_with_site(true)?;
    let generator = build()?;
    // Beside the build and not in the system's temporary folder, which may be memory.
    let folder = workspace::target_dir()?.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut bench = Command::new(generator);
    bench.current_dir(workspace::root()).arg("run");
    bench.arg("--server").arg(server).arg("--folder").arg(folder);
    for word in words {
        bench.arg(word);
        if word == "--write" {
            bench.arg(workspace::root().join("docs/BENCHMARKS.md"));
        }
    }
    process::run(&mut bench)
}

/// By itself, not in one call with the server: the features that it wants of shared crates must not get into what it
/// measures.
fn build() -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--package", "bench"]);
    progress::step("Compiling the load generator", "about 3 minutes the first time", || {
        process::run(&mut cargo)
    })?;
    Ok(workspace::target_dir()?.join("release/bench"))
}
