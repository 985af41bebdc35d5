//! A flag for each setting, generated from the list of settings.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

use crate::config::{CommandLine, FILE_VARIABLE, SETTINGS, Setting};

/// The settings of the commands on accounts and rooms: the database and the log.
const STORE_SETTINGS: [&str; 4] = ["data", "database_url", "log", "log_format"];

const FILE: &str = "config";

/// The flags of all settings.
#[derive(Debug)]
pub(super) struct Flags(pub(super) CommandLine);

/// The flags of [`STORE_SETTINGS`], allowed before and after a subcommand.
#[derive(Debug)]
pub(super) struct StoreFlags(pub(super) CommandLine);

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.arg(file()).args(SETTINGS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl Args for StoreFlags {
    fn augment_args(command: Command) -> Command {
        let flags = STORE_SETTINGS.into_iter().filter_map(Setting::named).map(flag);
        command.args(std::iter::once(file()).chain(flags).map(|arg| arg.global(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(given(matches)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = given(matches);
        Ok(())
    }
}

impl FromArgMatches for StoreFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(given(matches)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = given(matches);
        Ok(())
    }
}

fn file() -> Arg {
    Arg::new(FILE).long(FILE).value_name("FILE").value_parser(value_parser!(PathBuf)).help(format!(
        "File to read settings from [variable: {FILE_VARIABLE}] [default: ./liao.toml, if it is there]"
    ))
}

fn flag(setting: &'static Setting) -> Arg {
    let default = if setting.default.is_empty() { "none" } else { setting.default };
    let help = format!("{} [variable: {}] [default: {default}]", setting.help.trim(), setting.variable());
    let arg = Arg::new(setting.name).long(setting.flag()).help(help);
    if setting.is_switch {
        arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false")
    } else {
        arg.value_name("VALUE").allow_hyphen_values(true)
    }
}

/// The settings in `matches`. A command may have only some of the flags.
fn given(matches: &ArgMatches) -> CommandLine {
    let text = |name| matches.try_get_one::<String>(name).ok().flatten().cloned();
    CommandLine {
        file: matches.try_get_one::<PathBuf>(FILE).ok().flatten().cloned(),
        values: SETTINGS.iter().filter_map(|setting| Some((setting.name, text(setting.name)?))).collect(),
    }
}
