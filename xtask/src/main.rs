//! The commands of this repository: `cargo xtask <command>`.
//!
//! No other build tool is needed: it compiles the browser half and the server, runs every test and the benchmark.
//! Read on in [`site`] (the browser half), [`server`] (the binary) and [`test`] (all that must pass).

#[cfg(not(unix))]
compile_error!("building Liao needs Linux or macOS; on Windows use WSL");

mod bench;
mod fingerprint;
mod lighthouse;
mod prerequisites;
mod process;
mod progress;
mod screenshots;
mod server;
mod site;
mod soak;
mod test;
mod toolchain;
mod watch;
mod workspace;

use std::{ffi::OsString, process::ExitCode};

use anyhow::{Result, bail};

/// All commands, in the order of the list that `cargo xtask` prints.
const COMMANDS: &[Command] = &[
    Command {
        name: "setup",
        usage: "setup [--test]",
        what: "find or make what building needs; --test: what testing needs too",
        options: &["--test"],
        run: |call| {
            toolchain::setup()?;
            if call.has("--test") { prerequisites::install_all() } else { Ok(()) }
        },
    },
    Command {
        name: "build",
        usage: "build [--release]",
        what: "build site and server; --release: both in one small, fast binary",
        options: &["--release"],
        run: |call| {
            let binary = server::build_with_site(call.has("--release"))?;
            progress::note(&format!("the binary is {}", binary.display()));
            Ok(())
        },
    },
    Command {
        name: "run",
        usage: "run [--release] [-- …]",
        what: "build what changed and serve a demo; what follows -- goes to `liao serve`",
        options: &["--release"],
        run: |call| server::run(call.has("--release"), &call.rest),
    },
    Command {
        name: "watch",
        usage: "watch [-- …]",
        what: "the same, and on every change rebuild, restart, reload the page",
        options: &[],
        run: |call| watch::watch(&call.rest),
    },
    Command {
        name: "check",
        usage: "check",
        what: "formatting and lints, in seconds once everything is compiled",
        options: &[],
        run: |_| test::run(&["fmt".into(), "clippy".into()], &[]),
    },
    Command {
        name: "test",
        usage: "test [part …] [-- …]",
        what: "everything that must pass, or parts: lint fmt clippy licences tidy build unit schema e2e",
        options: test::SELECTORS,
        run: |call| test::run(&call.options, &call.rest),
    },
    Command {
        name: "soak",
        usage: "soak [-- rounds]",
        what: "kill server and database in mid-traffic, a hundred times or as often as said",
        options: &[],
        run: |call| soak::run(&call.rest),
    },
    Command {
        name: "bench",
        usage: "bench [part …]",
        what: "measure it: --quick or in full; --write: into docs/; parts: start idle reading durable fanout",
        options: bench::PARTS,
        run: |call| bench::run(&call.options),
    },
    Command {
        name: "lighthouse",
        usage: "lighthouse [-- …]",
        what: "let Lighthouse score the release's pages, as on a phone",
        options: &[],
        run: |call| lighthouse::measure(&call.rest),
    },
    Command {
        name: "screenshots",
        usage: "screenshots [-- …]",
        what: "take the pictures of the documentation anew",
        options: &[],
        run: |call| screenshots::take(&call.rest),
    },
];

/// The option of every command that answers its question in advance.
const YES: &str = "--yes";

/// One command.
struct Command {
    name: &'static str,
    usage: &'static str,
    what: &'static str,
    /// Every word that may stand after the name, before `--`.
    options: &'static [&'static str],
    run: fn(&Call) -> Result<()>,
}

/// The words after a command's name.
struct Call {
    /// Those before `--`: each one of the command's [`Command::options`].
    options: Vec<String>,
    /// Those after `--`, for the program that the command runs.
    rest: Vec<OsString>,
}

impl Call {
    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|o| o == option)
    }
}

fn main() -> ExitCode {
    match dispatch(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::note(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the command that `words` name; without words it lists all.
fn dispatch(mut words: impl Iterator<Item = OsString>) -> Result<()> {
    let Some(name) = words.next() else {
        list();
        return Ok(());
    };
    let name = name.to_string_lossy();
    if matches!(&*name, "help" | "--help" | "-h") {
        list();
        return Ok(());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        list();
        bail!("there is no command `{name}`");
    };
    let options = words
        .by_ref()
        .take_while(|word| word != "--")
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    let (yes, options): (Vec<_>, Vec<_>) = options.into_iter().partition(|option| option == YES);
    if !yes.is_empty() {
        prerequisites::agree();
    }
    if let Some(odd) = options.iter().find(|option| !command.options.contains(&option.as_str())) {
        bail!("unknown option `{odd}`; usage: cargo xtask {}", command.usage);
    }
    (command.run)(&Call { options, rest: words.collect() })
}

/// Prints every command with its purpose.
fn list() {
    eprintln!("cargo xtask <command>\n");
    for command in COMMANDS {
        eprintln!("  {:<24}{}", command.usage, command.what);
    }
    eprintln!(
        "\nThose that install packages with sudo ask first, once; with {YES}, in CI and as root they do not."
    );
}
