//! Errors of the settings, each with one sentence for the operator.

use std::{fmt, path::PathBuf};

use super::{Source, environment::similar};

/// One error in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// The value is invalid.
    BadValue {
        /// The setting.
        name: &'static str,
        /// The value, unless it may contain a secret.
        value: Option<String>,
        /// Where the value comes from.
        source: Source,
        /// The expected syntax.
        expected: &'static str,
    },
    /// The file has a table, a date or another type that is not allowed for the setting.
    WrongShape {
        /// The setting.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The expected syntax.
        expected: &'static str,
    },
    /// The file has an unknown key.
    UnknownKey {
        /// The key.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A variable that starts with `LIAO_` is unknown.
    UnknownVariable(String),
    /// A variable's value is not UTF-8.
    NotText(String),
    /// The file cannot be read.
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The file is not TOML.
    FileMalformed {
        /// The file.
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The parser's message.
        reason: String,
    },
}

/// All errors, displayed as one sentence per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<SettingError>);

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadValue { name, value, source, expected } => {
                write!(f, "{name}")?;
                if let Some(value) = value {
                    write!(f, " is {value:?}")?;
                }
                let joint = if value.is_some() { ", but must" } else { " must" };
                write!(f, " ({}){joint} be {expected}.", source.describe(name))
            }
            Self::WrongShape { name, path, expected } => {
                write!(f, "{name} ({}) must be {expected}.", path.display())
            }
            Self::UnknownKey { name, path } => {
                write!(f, "{} has {name:?}, which is no setting; ", path.display())?;
                advise(f, similar(name).map(|setting| setting.name.to_owned()))
            }
            Self::UnknownVariable(variable) => {
                write!(f, "The environment has {variable}, which is no setting; ")?;
                let name = variable.trim_start_matches("LIAO_");
                advise(f, similar(name).map(super::Setting::variable))
            }
            Self::NotText(variable) => write!(f, "{variable} in the environment must be UTF-8 text."),
            Self::FileUnreadable { path, reason } => {
                write!(f, "{} cannot be read: {reason}.", path.display())
            }
            Self::FileMalformed { path, line, reason } => {
                write!(f, "{} cannot be understood in line {line}: {reason}.", path.display())
            }
        }
    }
}

/// Ends the sentence with a suggestion.
fn advise(f: &mut fmt::Formatter<'_>, meant: Option<String>) -> fmt::Result {
    match meant {
        Some(meant) => write!(f, "{meant} is one."),
        None => f.write_str("'liao config' lists them."),
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
