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
        what: "measure it beside others: --quick --write --database mariadb --beside URL, see docs/BENCHMARKS.md",
        options: bench::OPTIONS,
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
    /// Every word that may stand after the name, before `--`. One that ends in `=` has a value, behind it or as the next
    /// word.
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
    if let Some(odd) = unknown(&options, command.options) {
        bail!("unknown option `{odd}`; usage: cargo xtask {}", command.usage);
    }
    (command.run)(&Call { options, rest: words.collect() })
}

/// The first of the words that is not among the options.
fn unknown<'a>(words: &'a [String], options: &[&str]) -> Option<&'a str> {
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let with_value = options.iter().filter_map(|option| option.strip_suffix('='));
        if with_value.clone().any(|name| name == word) {
            // The next word is its value.
            words.next();
            continue;
        }
        let is_assigned = with_value
            .into_iter()
            .any(|name| word.strip_prefix(name).is_some_and(|value| value.starts_with('=')));
        if !is_assigned && !options.contains(&word) {
            return Some(word);
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::unknown;

    #[test]
    fn an_option_may_have_a_value() {
        let options = &["--quick", "--beside=", "fanout"];
        let first_unknown = |line: &str| {
            let words = line.split(' ').map(str::to_owned).collect::<Vec<_>>();
            unknown(&words, options).map(str::to_owned)
        };
        assert_eq!(first_unknown("--quick --beside http://a fanout"), None);
        assert_eq!(first_unknown("--beside=http://a --quick"), None);
        assert_eq!(first_unknown("--beside http://a http://b").as_deref(), Some("http://b"));
        assert_eq!(first_unknown("--quick=yes").as_deref(), Some("--quick=yes"));
        assert_eq!(first_unknown("--besides=x").as_deref(), Some("--besides=x"));
    }
}
