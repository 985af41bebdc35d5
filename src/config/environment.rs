//! The environment's layer: `LIAO_` and a setting's name in capitals.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use super::{FILE_VARIABLE, Problem, SETTINGS, Setting};

/// Variables of the development commands, which the server inherits from them; they are no settings.
const OF_DEVELOPMENT: [&str; 3] = ["LIAO_DEV_RELOAD", "LIAO_SITE_STAMP", "LIAO_WASM_TOOLCHAIN"];

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Text by the setting's name.
    pub(super) values: BTreeMap<&'static str, String>,
    /// `LIAO_CONFIG`.
    pub(super) file: Option<PathBuf>,
}

/// Picks the variables that are ours out of `variables`. An empty one counts as not set: container tools have no
/// other way to leave one out.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Vec<Problem>,
) -> Environment {
    let mut read = Environment::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("LIAO_")) else { continue };
        if value.is_empty() || OF_DEVELOPMENT.contains(&name) || announces_service(name) {
            continue;
        }
        if name == FILE_VARIABLE {
            read.file = Some(value.into());
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
            problems.push(Problem::UnknownVariable(name.to_owned()));
            continue;
        };
        match value.into_string() {
            Ok(text) => drop(read.values.insert(setting.name, text)),
            Err(_) => problems.push(Problem::NotText(setting.variable())),
        }
    }
    read
}

/// Kubernetes sets `LIAO_PORT`, `LIAO_SERVICE_HOST` and the like in every pod beside a service called `liao`.
fn announces_service(name: &str) -> bool {
    let rest = name.trim_start_matches("LIAO_");
    rest == "PORT"
        || rest.starts_with("PORT_")
        || rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
}

/// The setting that was probably meant by `name`.
pub(super) fn similar(name: &str) -> Option<&'static Setting> {
    let name = name.to_lowercase().replace('-', "_");
    SETTINGS
        .iter()
        .map(|setting| (strsim::jaro_winkler(setting.name, &name), setting))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, setting)| setting)
}
