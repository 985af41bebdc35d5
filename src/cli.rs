//! The command line.
//!
//! This module parses the arguments, loads the settings, runs `liao config`, and turns an error into a sentence and an
//! exit code: 0 success, 1 failure, 2 invalid arguments or settings. [`main`] gets a function that runs all other
//! commands, as a [`Task`].

use std::{
    env,
    fmt::Display,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use chat::model::{RoomId, Timestamp};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{self, CommandLine, Config};

mod flags;
pub mod password;
pub mod rooms;
pub mod users;

use flags::{Flags, StoreFlags};

const FAILED: u8 = 1;
const USAGE_ERROR: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "liao",
    version,
    about = "Liao: a team chat server in one binary",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Flags),
    /// Show all settings with their values and sources
    Config(Flags),
    /// Create and change accounts
    Users {
        #[command(flatten)]
        flags: StoreFlags,
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Change rooms
    Rooms {
        #[command(flatten)]
        flags: StoreFlags,
        #[command(subcommand)]
        command: RoomsCommand,
    },
    /// Create the group 'developer' and the account 'developer' in it, with a generated password that is shown once
    CreateDeveloperGroup {
        #[command(flatten)]
        flags: StoreFlags,
        #[command(flatten)]
        password: NewPassword,
    },
}

/// A command on accounts. Passwords are never arguments: [`password::prompt`] reads them.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum UsersCommand {
    /// Create an account; its password is prompted for, or read from standard input
    Create {
        /// The name to sign in with
        username: String,
        /// First name
        #[arg(long, default_value = "", hide_default_value = true)]
        first_name: String,
        /// Last name
        #[arg(long, default_value = "", hide_default_value = true)]
        last_name: String,
        /// A group to add it to; may be repeated
        #[arg(long = "group", value_name = "NAME")]
        groups: Vec<String>,
    },
    /// Set a new password; it is prompted for, or read from standard input
    Password {
        /// The account
        username: String,
    },
    /// Deactivate an account at once: its tokens, sessions and sockets end
    Deactivate {
        /// The account
        username: String,
    },
    /// Allow a deactivated account to sign in again; ended tokens and sessions stay invalid
    Activate {
        /// The account
        username: String,
    },
}

/// A command on rooms.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RoomsCommand {
    /// Remove the oldest messages of a room, for good
    Trim {
        /// The room's number, as in the address of its page
        #[arg(value_parser = rooms::room)]
        room: RoomId,
        #[command(flatten)]
        kept: KeptMessages,
    },
}

/// The messages that stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
#[group(required = true, multiple = false)]
pub struct KeptMessages {
    /// Keep this many of the newest messages
    #[arg(long, value_name = "NUMBER")]
    pub keep: Option<u32>,
    /// Remove the messages from before this day or time (UTC): 2026-01-25, 2026-01-25T15:30:00Z
    #[arg(long, value_name = "DATE", value_parser = rooms::time)]
    pub before: Option<Timestamp>,
}

/// The source of a new account's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct NewPassword {
    /// Prompt for the account's password, or read it from standard input, instead of generating one
    #[arg(long = "ask-password")]
    pub is_prompted: bool,
}

/// A command that needs the database.
#[derive(Debug)]
pub enum Task {
    /// Run the server until a signal.
    Serve(Config),
    /// Change an account.
    Users(Config, UsersCommand),
    /// Change a room.
    Rooms(Config, RoomsCommand),
    /// Create the group `developer` and its account. Idempotent.
    CreateDeveloperGroup(Config, NewPassword),
}

/// The main function of the program. Parses the arguments of the process and calls `run` for a [`Task`].
///
/// The error of `run` is printed for the user.
pub fn main<E: Display>(run: impl FnOnce(Task) -> Result<(), E>) -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(Cli { command: Some(command) }) => command,
        Ok(Cli { command: None }) => {
            let _ = Cli::command().print_help();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            // Prints help and version to standard output, errors to standard error. A failed write cannot be
            // reported anywhere.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE_ERROR));
        }
    };
    let loaded = match config::load(command.given(), env::vars_os(), Path::new(".")) {
        Ok(loaded) => loaded,
        Err(problems) => return print_error(&problems, USAGE_ERROR),
    };
    let task = match command {
        Command::Config(_) => {
            print_line(&config::Report(&loaded));
            return ExitCode::SUCCESS;
        }
        Command::Serve(_) => Task::Serve(loaded.config),
        Command::Users { command, .. } => Task::Users(loaded.config, command),
        Command::Rooms { command, .. } => Task::Rooms(loaded.config, command),
        Command::CreateDeveloperGroup { password, .. } => Task::CreateDeveloperGroup(loaded.config, password),
    };
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => print_error(&error, FAILED),
    }
}

/// Prints a line to standard output. Unlike `println!` it does not panic if the reader has gone, as with `head`.
pub fn print_line(text: &impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints an error to standard error.
fn print_error(error: &impl Display, code: u8) -> ExitCode {
    let mut stderr = io::stderr().lock();
    for line in error.to_string().lines() {
        let _ = writeln!(stderr, "liao: {line}");
    }
    ExitCode::from(code)
}

impl Command {
    /// The settings given as flags.
    fn given(&self) -> &CommandLine {
        match self {
            Self::Serve(Flags(given))
            | Self::Config(Flags(given))
            | Self::Users { flags: StoreFlags(given), .. }
            | Self::Rooms { flags: StoreFlags(given), .. }
            | Self::CreateDeveloperGroup { flags: StoreFlags(given), .. } => given,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.command.expect("a command"))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_setting_is_a_flag_of_serve() {
        for setting in config::SETTINGS {
            let command = parse(&format!("liao serve --{}=x", setting.flag())).expect(setting.name);
            assert_eq!(command.given().values, [(setting.name, "x".to_owned())]);
        }
    }

    #[test]
    fn a_switch_needs_no_value_and_takes_one_only_behind_an_equals_sign() {
        let switched = |line: &str| parse(line).map(|command| command.given().values.clone());
        assert_eq!(switched("liao serve --demo").expect("bare"), [("demo", "true".to_owned())]);
        assert_eq!(
            switched("liao serve --sign-up=false").expect("equals"),
            [("sign_up", "false".to_owned())]
        );
        assert!(switched("liao serve --demo false").is_err());
    }

    #[test]
    fn commands_on_accounts_take_the_flags_that_find_the_database_before_and_after() {
        for line in ["liao users --data /d create ada", "liao users create ada --data /d"] {
            let command = parse(line).expect(line);
            assert_eq!(command.given().values, [("data", "/d".to_owned())], "{line}");
        }
        assert!(parse("liao users create ada --listen 127.0.0.1:1").is_err());
    }

    #[test]
    fn a_room_is_trimmed_by_number_or_by_time() {
        for line in ["liao rooms trim 3 --keep 100", "liao rooms trim 3 --before 2026-01-25 --data /d"] {
            assert!(matches!(parse(line), Ok(Command::Rooms { .. })), "{line}");
        }
        for line in ["trim 3", "trim 3 --keep 1 --before 2026-01-25", "trim x --keep 1", "trim 3 --keep -1"] {
            assert!(parse(&format!("liao rooms {line}")).is_err(), "{line}");
        }
    }

    #[test]
    fn the_file_is_named_by_config() {
        let command = parse("liao config --config /etc/liao.toml").expect("parses");
        assert_eq!(command.given().file.as_deref(), Some(Path::new("/etc/liao.toml")));
    }
}
