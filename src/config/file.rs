//! Settings from `liao.toml`: one line per setting, no tables.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{FILE_NAME, Setting, SettingError};

/// The settings in a file.
#[derive(Debug)]
pub(super) struct File {
    /// Values as text, by name.
    pub(super) values: BTreeMap<&'static str, String>,
    pub(super) path: PathBuf,
}

/// Reads the file `named`, which must exist, or else the one in `folder`, which need not.
pub(super) fn read(named: Option<PathBuf>, folder: &Path, errors: &mut Vec<SettingError>) -> Option<File> {
    let must_exist = named.is_some();
    let shown = named.unwrap_or_else(|| FILE_NAME.into());
    let path = folder.join(&shown);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => return None,
        Err(error) => {
            errors.push(SettingError::FileUnreadable { path: shown, reason: reason(&error) });
            return None;
        }
    };
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            // Only the parser's message: its full output repeats the line, which may contain a secret.
            let reason = error.message().lines().collect::<Vec<_>>().join(", ");
            errors.push(SettingError::FileMalformed { path: shown, line, reason });
            return None;
        }
    };
    let mut values = BTreeMap::new();
    for (name, value) in table {
        let Some(setting) = Setting::named(&name) else {
            errors.push(SettingError::UnknownKey { name, path: shown.clone() });
            continue;
        };
        match written(&value) {
            Some(text) => drop(values.insert(setting.name, text)),
            None => errors.push(SettingError::WrongShape {
                name: setting.name,
                path: shown.clone(),
                expected: setting.expected,
            }),
        }
    }
    Some(File { values, path: shown })
}

/// The value as text, as on the command line.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(switch) => Some(switch.to_string()),
        Value::Array(items) => {
            let items = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
            Some(items.join(","))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}
