//! What can be wrong with the settings, each as one sentence for whoever runs the server.

use std::{fmt, path::PathBuf};

use super::{Source, environment::similar};

/// Something that keeps the settings from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// The text given cannot be read.
    BadValue {
        /// The setting.
        name: &'static str,
        /// The text, unless it may hold a secret.
        value: Option<String>,
        /// Who gave it.
        source: Source,
        /// What may be written.
        expected: &'static str,
    },
    /// The file has a table, a date or the like where a setting wants text.
    WrongShape {
        /// The setting.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What may be written.
        expected: &'static str,
    },
    /// The file has a key that is no setting.
    UnknownKey {
        /// The key.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A variable begins with `LIAO_` and is no setting.
    UnknownVariable(String),
    /// A variable's value is not UTF-8.
    NotText(String),
    /// The file cannot be read.
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is not TOML.
    FileMalformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
}

/// All that is wrong, one sentence a line.
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

/// Ends the sentence with what was probably meant.
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
