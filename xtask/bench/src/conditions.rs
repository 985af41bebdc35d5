//! The machine and the versions that the figures were measured with.

use std::{fs, process::Command};

use anyhow::Result;

use crate::{Bench, disk, report::short};

/// The head of the report.
pub(crate) fn read(bench: &Bench) -> Result<String> {
    let folder = bench.run.folder.display().to_string();
    let file_system = output("df", &["--output=fstype", &folder]);
    let file_system = file_system.lines().last().unwrap_or("unknown").trim();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
    if !output("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        commit.push_str(" with changes");
    }
    let facts = [
        ("program", format!("commit {commit}, release build, SQLite {}", rusqlite::version())),
        ("processor", format!("{}, {cores} cores, shared with the load generator", processor())),
        ("memory", memory()),
        ("kernel", output("uname", &["-sr"])),
        (
            "disk",
            format!("{file_system}; {} fdatasync/s of 4 KiB", short(disk::syncs(&bench.run.folder)?.rate)),
        ),
        ("Node", node(bench)),
        (
            "MariaDB",
            bench.mariadb.as_ref().map_or("not measured".to_owned(), |mariadb| mariadb.version.clone()),
        ),
        ("beside", bench.run.beside.clone().unwrap_or_else(|| "no other server".to_owned())),
        ("load before the run (1, 5, 15 minutes)", load),
        ("when", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("length", bench.either("full", "quick: shorter, and fewer points").to_owned()),
    ];
    let mut text = String::from(
        "Written by `cargo xtask bench --write`, which measures and checks all of it anew: every delivery for its \
         order, its count and its content, every stored message by reading it back. All servers are measured in the same \
         run, by the same load and with the same checks: `bare` is a broadcast without a chat, `Node` the server in \
         `xtask/peers/node`. On MariaDB, goals of processor time count Liao and mariadbd together. Figures of processor time count \
         more than those by the clock: the generator runs on the same cores, and so does whatever else the machine \
         does (see the load).\n\n",
    );
    for (name, value) in facts {
        text.push_str(&format_line(name, &value));
    }
    Ok(text)
}

/// The version of Node and of its packages, or why it is not measured.
fn node(bench: &Bench) -> String {
    let Some(folder) = &bench.run.node else { return format!("not measured: {}", bench.run.without_node) };
    let package = fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    let package = serde_json::from_str::<serde_json::Value>(&package).unwrap_or_default();
    let packages = package["dependencies"].as_object().into_iter().flatten();
    let packages = packages.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?")));
    let packages = packages.collect::<Vec<_>>().join(", ");
    format!("{}, with {packages}", output("node", &["--version"]))
}

fn format_line(name: &str, value: &str) -> String {
    format!("- {name}: {value}\n")
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or("unknown".to_owned(), |(_, model)| model.trim().to_owned())
}

fn memory() -> String {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    let kib = total.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default();
    format!("{} GiB", kib.div_ceil(1024 * 1024))
}

/// What a program prints; empty when it fails.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
