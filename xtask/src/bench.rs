//! The benchmark: builds the server and the load generator in release, and runs the generator.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{process, progress, server, workspace};

/// The options and parts of the benchmark's program.
pub(crate) const PARTS: &[&str] =
    &["--quick", "--write", "start", "idle", "reading", "durable", "marks", "fanout"];

/// Builds both programs and measures the parts in `words`, or all when there are none. With `--write` the table goes into
/// the documentation, else to standard output.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let server = server::build_with_site(true)?;
    let generator = build()?;
    // Below the target directory: the system's temporary folder may be in memory.
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

/// In a call of its own: in one call with the server, cargo would compile the server with the features of dependencies
/// that only the generator needs.
fn build() -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--package", "bench"]);
    progress::step("Compiling the load generator", "about 3 minutes the first time", || {
        process::run(&mut cargo)
    })?;
    Ok(workspace::target_dir()?.join("release/bench"))
}
