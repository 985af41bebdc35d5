//! The types of settings and their syntax.
//!
//! A value is parsed from text. The syntax is the same for a flag, a variable and a line of the file (`15s`, `1MiB`,
//! `true`).

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use ipnet::IpNet;
use secrecy::SecretString;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use url::Url;

use super::hosts::HostPattern;

/// The least length of the secret key. RFC 7518 requires at least the length of the hash for HS256.
pub(crate) const SECRET_KEY_BYTES: usize = 32;

/// The least length of the token for metrics: long enough that it cannot be guessed over the network.
const METRICS_TOKEN_BYTES: usize = 16;

/// The longest duration: 100 years. Token and session lifetimes are added to the current time, which must not overflow.
const MAX_DURATION: Duration = Duration::from_hours(24 * 365 * 100);

/// The type of a setting.
pub(super) trait SettingValue: Sized {
    /// The expected syntax, as the end of the sentence 'it must be …'.
    const EXPECTED: &'static str;
    /// Must the text be kept out of error messages?
    const IS_SENSITIVE: bool = false;
    /// Does the bare flag mean `true`?
    const IS_SWITCH: bool = false;

    /// Parses `text`, which is trimmed.
    fn read(text: &str) -> Option<Self>;

    /// The valid `text` for `liao config`, with secrets masked.
    fn show(text: &str) -> String {
        if text.is_empty() { "(none)".to_owned() } else { text.to_owned() }
    }
}

/// A limit in bytes. `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteLimit(pub Option<usize>);

/// A limit on a number. `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountLimit(pub Option<u32>);

/// The bearer token of `GET /metrics` on the public port, if there is one.
#[derive(Clone, Debug)]
pub struct MetricsToken(pub Option<SecretString>);

/// An origin as browsers send it: scheme, host, and port unless it is the scheme's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

/// Valid directives that select what is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines of text.
    Text,
    /// One JSON object per line.
    Json,
}

/// When cookies are marked `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecureCookies {
    /// If a trusted proxy reports that the client uses TLS.
    Auto,
    /// On every response.
    Always,
    /// On no response.
    Never,
}

impl WebOrigin {
    /// The origin as in an `Origin` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses one origin. A trailing slash is allowed.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let plain = url.username().is_empty() && url.password().is_none();
        (matches!(url.scheme(), "http" | "https") && bare && plain)
            .then(|| Self(url.origin().ascii_serialization()))
    }
}

impl LogFilter {
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::builder().parse_lossy(&self.0)
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SettingValue for SocketAddr {
    const EXPECTED: &'static str = "an address and a port such as 127.0.0.1:8000 or [::]:8000";

    fn read(text: &str) -> Option<Self> {
        // `localhost` is common, and means 127.0.0.1 here.
        text.strip_prefix("localhost:")
            .map_or_else(|| text.parse().ok(), |port| Some(Self::from(([127, 0, 0, 1], port.parse().ok()?))))
    }
}

impl SettingValue for Option<SocketAddr> {
    const EXPECTED: &'static str = "an address and a port such as 127.0.0.1:9000";

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { SocketAddr::read(text).map(Some) }
    }
}

impl SettingValue for PathBuf {
    const EXPECTED: &'static str = "the path of a folder";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }
}

impl SettingValue for bool {
    const EXPECTED: &'static str = "true or false";
    const IS_SWITCH: bool = true;

    fn read(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }
}

impl SettingValue for Duration {
    const EXPECTED: &'static str = "a length of time such as 15s, 60m, 12h or 7d";

    fn read(text: &str) -> Option<Self> {
        humantime::parse_duration(text).ok().filter(|it| (Self::from_secs(1)..=MAX_DURATION).contains(it))
    }
}

impl SettingValue for ByteLimit {
    const EXPECTED: &'static str = "a size such as 64KiB, 1MiB or 4096 (bytes), or 0 for no limit";

    fn read(text: &str) -> Option<Self> {
        let size = text.parse::<ByteSize>().ok()?;
        let bytes = usize::try_from(size.as_u64()).ok()?;
        Some(Self((bytes > 0).then_some(bytes)))
    }
}

impl SettingValue for CountLimit {
    const EXPECTED: &'static str = "a whole number, or 0 for no limit";

    fn read(text: &str) -> Option<Self> {
        let count = text.parse().ok()?;
        Some(Self((count > 0).then_some(count)))
    }
}

impl SettingValue for Option<String> {
    const EXPECTED: &'static str = "a name";

    fn read(text: &str) -> Option<Self> {
        Some((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl SettingValue for Option<SecretString> {
    const EXPECTED: &'static str = "at least 32 bytes long";
    const IS_SENSITIVE: bool = true;

    fn read(text: &str) -> Option<Self> {
        match text.len() {
            0 => Some(None),
            bytes => (bytes >= SECRET_KEY_BYTES).then(|| Some(text.into())),
        }
    }

    fn show(text: &str) -> String {
        // Of a fixed length, to hide the length of the secret.
        if text.is_empty() { "(kept in the data folder)" } else { "********" }.to_owned()
    }
}

impl SettingValue for MetricsToken {
    const EXPECTED: &'static str = "at least 16 bytes long";
    const IS_SENSITIVE: bool = true;

    fn read(text: &str) -> Option<Self> {
        match text.len() {
            0 => Some(Self(None)),
            bytes => (bytes >= METRICS_TOKEN_BYTES).then(|| Self(Some(text.into()))),
        }
    }

    fn show(text: &str) -> String {
        if text.is_empty() { "(none)" } else { "********" }.to_owned()
    }
}

impl SettingValue for Vec<HostPattern> {
    const EXPECTED: &'static str =
        "a list of host names such as chat.example.org, .example.net (with all below it) or *";

    fn read(text: &str) -> Option<Self> {
        items(text).map(HostPattern::read).collect()
    }
}

impl SettingValue for Vec<WebOrigin> {
    const EXPECTED: &'static str = "a list of origins such as https://chat.example.org, without path or *";

    fn read(text: &str) -> Option<Self> {
        items(text).map(WebOrigin::read).collect()
    }
}

impl SettingValue for Vec<IpNet> {
    const EXPECTED: &'static str = "a list of addresses or networks such as 127.0.0.1, 10.0.0.0/8";

    fn read(text: &str) -> Option<Self> {
        items(text)
            .map(|item| item.parse().or_else(|_| item.parse::<std::net::IpAddr>().map(IpNet::from)).ok())
            .collect()
    }
}

impl SettingValue for LogFilter {
    const EXPECTED: &'static str =
        "error, warn, info, debug, trace or off, or directives such as info,chat=debug";

    fn read(text: &str) -> Option<Self> {
        // A bare word would be read as a module name: `verbose` would silence the log.
        let known = |item: &str| item.contains(['=', '[']) || item.parse::<LevelFilter>().is_ok();
        let fine = !text.is_empty() && items(text).all(known) && EnvFilter::builder().parse(text).is_ok();
        fine.then(|| Self(text.to_owned()))
    }
}

impl SettingValue for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn read(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl SettingValue for SecureCookies {
    const EXPECTED: &'static str = "auto, always or never";

    fn read(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "always" => Some(Self::Always),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// The items of a comma-separated list.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}
