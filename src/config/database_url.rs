//! The database's address, which may hold a password.

use std::fmt;

use url::Url;

use super::value::SettingValue;

/// Where the database is: `sqlite:FILE`, `mysql://…` or `mariadb://…`. Its `Debug` and `Display` forms leave the
/// password out; [`DatabaseUrl::expose`] has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole address, for the driver alone.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Is it a file, which one server has to itself?
    pub fn is_file(&self) -> bool {
        sqlite_path(&self.0).is_some()
    }

    /// The database in few words for a sentence: the file, or the host and port. No user, no password.
    pub fn location(&self) -> String {
        if let Some(path) = sqlite_path(&self.0) {
            return path.to_owned();
        }
        let url = Url::parse(&self.0).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let port = url.as_ref().and_then(Url::port).unwrap_or(3306);
        format!("{host}:{port}")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Self::show(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl SettingValue for DatabaseUrl {
    const EXPECTED: &'static str =
        "sqlite:FILE, mysql://USER:PASSWORD@HOST/NAME or mariadb://USER:PASSWORD@HOST/NAME";
    // One that cannot be read may have its password anywhere.
    const IS_SENSITIVE: bool = true;

    fn read(text: &str) -> Option<Self> {
        let valid = if let Some(path) = sqlite_path(text) {
            // In memory each connection would have a database of its own; options are not the operator's to choose.
            !path.is_empty()
                && !path.ends_with('/')
                && !path.starts_with(":memory:")
                && !path.contains(['?', '\0'])
        } else {
            Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "mysql" | "mariadb")
                    && url.host_str().is_some_and(|host| !host.is_empty())
                    && url.path().len() > 1
            })
        };
        valid.then(|| Self(text.to_owned()))
    }

    fn show(text: &str) -> String {
        let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
        if url.password().is_none() || url.set_password(Some("********")).is_err() {
            return text.to_owned();
        }
        url.into()
    }
}

fn sqlite_path(text: &str) -> Option<&str> {
    let path = text.strip_prefix("sqlite:")?;
    Some(path.strip_prefix("//").unwrap_or(path))
}
