//! The URL of Redis, which may contain a password.

use std::fmt;

use chat::bus::Addresses;
use url::Url;

use super::value::SettingValue;

/// The URL of Redis: one, or several nodes of one cluster separated by commas. `Debug` and `Display` mask passwords.
#[derive(Clone)]
pub struct RedisUrl {
    text: String,
    addresses: Addresses,
}

impl RedisUrl {
    /// The addresses with their passwords, for the bus only.
    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&<Option<Self> as SettingValue>::show(&self.text))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl SettingValue for Option<RedisUrl> {
    const EXPECTED: &'static str = "redis://[USER:PASSWORD@]HOST[:PORT], rediss://… for TLS, or several nodes of one cluster with commas between";
    // In an invalid URL the password may be anywhere.
    const IS_SENSITIVE: bool = true;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(None);
        }
        Addresses::parse(text).map(|addresses| Some(RedisUrl { text: text.to_owned(), addresses }))
    }

    fn show(text: &str) -> String {
        if text.is_empty() {
            return "(none)".to_owned();
        }
        text.split(',').map(|one| masked(one.trim())).collect::<Vec<_>>().join(",")
    }
}

/// The URL with its password masked.
fn masked(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "********".to_owned() };
    // Some clients take the password as a query parameter.
    url.set_query(None);
    if url.password().is_some() && url.set_password(Some("********")).is_err() {
        return "********".to_owned();
    }
    url.into()
}
