//! The settings of the server, and where each value comes from.
//!
//! A setting is defined once, in [`settings`]. Its field in [`Config`], its flag, its environment variable, its help
//! and its line in `liao config` are generated from that. A value comes from the first of: the command line, the
//! environment (`LIAO_` and the name in capitals), `liao.toml`, the default. See [`settings`] for the list and
//! [`value`] for the syntax of values.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

mod database_url;
mod environment;
mod errors;
mod file;
mod hosts;
mod origins;
mod redis_url;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use database_url::DatabaseUrl;
pub use errors::{ConfigErrors, SettingError};
pub use hosts::{AllowedHosts, HostPattern};
pub use origins::ApiOrigins;
pub use redis_url::RedisUrl;
pub use report::Report;
pub use settings::{Config, SETTINGS, Setting};
pub(crate) use value::SECRET_KEY_BYTES;
pub use value::{ByteLimit, CountLimit, LogFilter, LogFormat, MetricsToken, SecureCookies, WebOrigin};

/// The file that is read from the current folder if none is given.
pub const FILE_NAME: &str = "liao.toml";

/// The variable with the path of the file. `--config` takes precedence.
pub const FILE_VARIABLE: &str = "LIAO_CONFIG";

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// A file.
    File(PathBuf),
    /// The default.
    Default,
}

/// The settings given on the command line.
#[derive(Clone, Debug, Default)]
pub struct CommandLine {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Names of settings and their values as text.
    pub values: Vec<(&'static str, String)>,
}

/// The settings in force, and where they come from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// For each setting its value and source, in the order of [`SETTINGS`].
    pub lines: Vec<EffectiveSetting>,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
}

/// The effective value of one setting, as `liao config` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    pub name: &'static str,
    /// Its value as text, with secrets masked.
    pub value: String,
    pub source: Source,
}

/// Merges the four sources.
///
/// `environment` has the variables of the process. `folder` is searched for `liao.toml` if neither `--config` nor
/// `LIAO_CONFIG` is given.
///
/// # Errors
/// All errors, not only the first: unknown names, invalid values, a missing file.
pub fn load(
    given: &CommandLine,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    folder: &Path,
) -> Result<Loaded, ConfigErrors> {
    let mut errors = Vec::new();
    let environment = environment::read(environment, &mut errors);
    let named = given.file.clone().or_else(|| environment.file.clone());
    let file = file::read(named, folder, &mut errors);
    let reader = settings::SettingsReader::new(given, &environment, file.as_ref(), errors);
    let (config, lines) = reader.finish()?;
    Ok(Loaded { config, lines, file: file.map(|file| file.path) })
}

impl Source {
    /// The source as text, for an error about the setting `name`.
    fn describe(&self, name: &str) -> String {
        match self {
            Self::Flag => settings::flag(name),
            Self::Environment => settings::variable(name),
            Self::File(path) => path.display().to_string(),
            Self::Default => "the default".to_owned(),
        }
    }
}
