//! Settings from the environment: `LIAO_` and the name in capitals.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use super::{FILE_VARIABLE, SETTINGS, Setting, SettingError};

/// Variables of the development commands, which the server inherits. They are not settings.
const DEVELOPMENT_VARIABLES: [&str; 3] = ["LIAO_DEV_RELOAD", "LIAO_SITE_STAMP", "LIAO_WASM_TOOLCHAIN"];

/// The settings in the environment.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Values as text, by name.
    pub(super) values: BTreeMap<&'static str, String>,
    /// `LIAO_CONFIG`.
    pub(super) file: Option<PathBuf>,
}

/// Reads the variables that start with `LIAO_`. An empty one counts as not set, since container tools have no other way
/// to omit one.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    errors: &mut Vec<SettingError>,
) -> Environment {
    let mut read = Environment::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("LIAO_")) else { continue };
        if value.is_empty() || DEVELOPMENT_VARIABLES.contains(&name) || is_kubernetes_variable(name) {
            continue;
        }
        if name == FILE_VARIABLE {
            read.file = Some(value.into());
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
            errors.push(SettingError::UnknownVariable(name.to_owned()));
            continue;
        };
        match value.into_string() {
            Ok(text) => drop(read.values.insert(setting.name, text)),
            Err(_) => errors.push(SettingError::NotText(setting.variable())),
        }
    }
    read
}

/// Kubernetes sets `LIAO_PORT`, `LIAO_SERVICE_HOST` and similar variables in every pod if there is a service `liao`.
fn is_kubernetes_variable(name: &str) -> bool {
    let rest = name.trim_start_matches("LIAO_");
    rest == "PORT"
        || rest.starts_with("PORT_")
        || rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
}

/// The setting whose name is most similar to `name`, if any is similar enough.
pub(super) fn similar(name: &str) -> Option<&'static Setting> {
    let name = name.to_lowercase().replace('-', "_");
    SETTINGS
        .iter()
        .map(|setting| (strsim::jaro_winkler(setting.name, &name), setting))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, setting)| setting)
}
