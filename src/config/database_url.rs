//! The URL of the database, which may contain a password.

use std::fmt;

use url::Url;

use super::value::SettingValue;

/// The URL of the database: `sqlite:FILE`, `mysql://…` or `mariadb://…`. `Debug` and `Display` mask the password;
/// [`DatabaseUrl::expose`] does not.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, with the password, for the driver only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Is it an SQLite file, which only one server may use?
    pub fn is_file(&self) -> bool {
        sqlite_path(&self.0).is_some()
    }

    /// The file, or the host and port, for messages. Without user and password.
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
    // In an invalid URL the password may be anywhere.
    const IS_SENSITIVE: bool = true;

    fn read(text: &str) -> Option<Self> {
        let valid = if let Some(path) = sqlite_path(text) {
            // With `:memory:` each connection would have a database of its own. Options are set by the store.
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
