//! Every setting of the server: what it is called, what it means, what is in force and who said so.
//!
//! A setting is defined once, in [`settings`]; its field here, its flag, its environment variable, its line in
//! `liao --help` and its line in `liao config` all follow from that. A value comes from the first of: the command
//! line, the environment (`LIAO_` and the name in capitals), `liao.toml`, the default. This module starts nothing and
//! knows no part of the server; what a setting does is the business of whoever reads it.
//! Read [`settings`] next for the list, [`value`] for what can be written.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

mod database_url;
mod environment;
mod file;
mod hosts;
mod origins;
mod problem;
mod redis_url;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use database_url::DatabaseUrl;
pub use hosts::{AllowedHosts, HostPattern};
pub use origins::ApiOrigins;
pub use problem::{Problem, Problems};
pub use redis_url::RedisUrl;
pub use report::Report;
pub use settings::{Config, SETTINGS, Setting};
pub(crate) use value::SECRET_KEY_BYTES;
pub use value::{ByteLimit, CountLimit, LogFilter, LogFormat, MetricsToken, SecureCookies, WebOrigin};

/// The file that is read from the current folder when none is named.
pub const FILE_NAME: &str = "liao.toml";

/// The variable that names the file; `--config` comes first.
pub const FILE_VARIABLE: &str = "LIAO_CONFIG";

/// Who said what a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// The file named.
    File(PathBuf),
    /// Nobody: the default.
    Default,
}

/// What the command line said.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Names of settings and the text given for each.
    pub values: Vec<(&'static str, String)>,
}

/// The settings in force, and how they came about.
#[derive(Debug)]
pub struct Loaded {
    /// What the server goes by.
    pub config: Config,
    /// One line for each setting, in the order of [`SETTINGS`].
    pub lines: Vec<Line>,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
}

/// One setting as `liao config` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// Its value as it was written, without what is secret.
    pub value: String,
    /// Who said so.
    pub source: Source,
}

/// Brings the four layers together.
///
/// `environment` is the process's; `folder` is where `liao.toml` is looked for when neither `--config` nor
/// `LIAO_CONFIG` names a file.
///
/// # Errors
/// Everything that is wrong, not only the first: unknown names, values that cannot be read, a file that is not there.
pub fn load(
    given: &Given,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    folder: &Path,
) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let environment = environment::read(environment, &mut problems);
    let named = given.file.clone().or_else(|| environment.file.clone());
    let file = file::read(named, folder, &mut problems);
    let reader = settings::Reader::new(given, &environment, file.as_ref(), problems);
    let (config, lines) = reader.finish()?;
    Ok(Loaded { config, lines, file: file.map(|file| file.path) })
}

impl Source {
    /// The source as part of a sentence, for the setting `name`.
    fn of(&self, name: &str) -> String {
        match self {
            Self::Flag => settings::flag(name),
            Self::Environment => settings::variable(name),
            Self::File(path) => path.display().to_string(),
            Self::Default => "the default".to_owned(),
        }
    }
}
