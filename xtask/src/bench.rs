//! The benchmark: builds the server and the load generator in release, installs the packages of the server in Node that is
//! measured beside Liao, and runs the generator.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    prerequisites::{self, Need},
    process, progress, server, workspace,
};

/// The oldest Node.js that the packages of the server in Node run on.
const OLDEST_NODE: u32 = 20;

/// The options and parts of the benchmark's program. Those that end in `=` have a value, behind it or as the next word.
pub(crate) const OPTIONS: &[&str] = &[
    "--quick",
    "--write",
    "--database=",
    "--beside=",
    "--beside-key=",
    "start",
    "idle",
    "reading",
    "durable",
    "marks",
    "fanout",
];

/// Builds both programs and measures the parts in `words`, or all when there are none. With `--write` the table goes into
/// the documentation, else to standard output.
pub(crate) fn run(words: &[String]) -> Result<()> {
    if words.iter().any(|word| word.ends_with("mariadb")) {
        prerequisites::install(&[Need::MariaDb])?;
    }
    let server = server::build_with_site(true)?;
    let generator = build()?;
    // Below the target directory: the system's temporary folder may be in memory.
    let folder = workspace::target_dir()?.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut bench = Command::new(generator);
    bench.current_dir(workspace::root()).arg("run");
    bench.arg("--server").arg(server).arg("--folder").arg(folder);
    match node() {
        Ok(folder) => bench.arg("--node").arg(folder),
        Err(reason) => {
            progress::note(&format!("the server in Node is not measured: {reason}"));
            bench.arg("--without-node").arg(reason)
        }
    };
    for word in words {
        bench.arg(word);
        if word == "--write" {
            bench.arg(workspace::root().join("docs/BENCHMARKS.md"));
        }
    }
    process::run(&mut bench)
}

/// The folder of the server in Node with its packages installed, or why it cannot run on this machine.
fn node() -> Result<PathBuf, String> {
    let folder = workspace::root().join("xtask/peers/node");
    match prerequisites::node_version() {
        None => Err("there is no Node on this machine".to_owned()),
        Some(version) if version < OLDEST_NODE => {
            Err(format!("Node {version} is older than {OLDEST_NODE}, which its packages need"))
        }
        Some(_) => {
            let what = "Installing the packages of the server in Node (npm ci)";
            prerequisites::install_npm(&folder, what, "two minutes, to compile SQLite")
                .map(|()| folder)
                .map_err(|error| format!("its packages cannot be installed: {error:#}"))
        }
    }
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
