//! The list of settings, and the look-up of a value in the sources.
//!
//! To add a setting, add it to [`Config`] below: a doc comment (one sentence with the unit; it is also the help text),
//! its name, its type (see [`super::value`]) and its default as a person would write it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use secrecy::SecretString;

use super::{
    ByteLimit, CommandLine, ConfigErrors, CountLimit, DatabaseUrl, EffectiveSetting, HostPattern, LogFilter,
    LogFormat, MetricsToken, RedisUrl, SecureCookies, SettingError, Source, WebOrigin,
    environment::Environment, file::File, value::SettingValue,
};

/// The description of one setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in `liao.toml`. The flag and the variable are derived from it.
    pub name: &'static str,
    /// One sentence with the effect and the unit.
    pub help: &'static str,
    /// The default as text. `{data}` stands for the data folder.
    pub default: &'static str,
    /// Is it a boolean, so that the bare flag means true?
    pub is_switch: bool,
    /// The expected syntax.
    pub expected: &'static str,
}

impl Setting {
    /// The setting of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Its flag, without the leading dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

/// The flag of a setting, with the leading dashes.
pub(super) fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// A setting's environment variable.
pub(super) fn variable(name: &str) -> String {
    format!("LIAO_{}", name.to_uppercase())
}

macro_rules! settings {
    ($( #[doc = $help:literal] $name:ident : $kind:ty = $default:literal; )+) => {
        /// The settings in force. Secrets do not appear in its `Debug` form.
        #[derive(Clone, Debug)]
        #[expect(clippy::doc_markdown, reason = "the same text is the flag's help, which has no markup")]
        pub struct Config {
            $(
                #[doc = $help]
                #[doc = concat!("\n\nDefault: `", $default, "`.")]
                pub $name: $kind,
            )+
        }

        /// All settings, in the order in which they are listed.
        pub const SETTINGS: &[Setting] = &[$( Setting {
            name: stringify!($name),
            help: $help,
            default: $default,
            is_switch: <$kind as SettingValue>::IS_SWITCH,
            expected: <$kind as SettingValue>::EXPECTED,
        } ),+];

        impl SettingsReader<'_> {
            /// Reads each setting; reports every error at once.
            pub(super) fn finish(mut self) -> Result<(Config, Vec<EffectiveSetting>), ConfigErrors> {
                $( let $name = self.read::<$kind>(stringify!($name), $default); )+
                let read = (|| Some(Config { $( $name: $name? ),+ }))();
                match read {
                    Some(config) if self.errors.is_empty() => Ok((config, self.lines)),
                    _ => Err(ConfigErrors(self.errors)),
                }
            }
        }
    };
}

settings! {
    /// Address and port to listen on.
    listen: SocketAddr = "127.0.0.1:8000";
    /// Folder for everything the server keeps.
    data: PathBuf = "./data";
    /// Database, as sqlite:FILE, mysql://USER:PASSWORD@HOST/NAME or mariadb://….
    database_url: DatabaseUrl = "sqlite:{data}/liao.db";
    /// Redis 7 or newer (or a Redis Cluster), through which several servers on one MySQL or MariaDB notify each other; not set: they poll the database.
    redis_url: Option<RedisUrl> = "";
    /// Run a demo where no stranger can reach the server: an empty database gets the account developer with the password developer123, one click signs it in, and pages of any port of http://localhost and http://127.0.0.1 may call the API.
    demo: bool = "false";
    /// Secret that signs tokens, at least 32 bytes; if not set, one is made at the first start and kept in the data folder. Other users of the machine can see a flag: prefer the environment.
    secret_key: Option<SecretString> = "";
    /// How long an access token is valid.
    access_token_lifetime: Duration = "60m";
    /// How long a refresh token is valid.
    refresh_token_lifetime: Duration = "7d";
    /// Answer each refresh with a new refresh token and end the old one ten seconds later.
    rotate_refresh_tokens: bool = "false";
    /// How long a browser stays signed in without being used.
    session_lifetime: Duration = "14d";
    /// Group whose members alone may chat; not set: everyone who has signed in.
    required_group: Option<String> = "";
    /// Allow everyone to create an account.
    sign_up: bool = "true";
    /// Origins of other sites whose pages may call the API; with demo any port of http://localhost and http://127.0.0.1 as well.
    cors_allowed_origins: Vec<WebOrigin> = "";
    /// Host names under which the server answers, .example.org for one and all below it, * for all; not set: with demo those of this machine, else all. /healthz and /readyz answer under every name.
    allowed_hosts: Vec<HostPattern> = "";
    /// Addresses or networks of the reverse proxies whose X-Forwarded-For, -Proto and -Host are trusted.
    trusted_proxies: Vec<IpNet> = "";
    /// Mark cookies Secure: auto (if a trusted proxy reports that the client uses TLS), always or never.
    secure_cookies: SecureCookies = "auto";
    /// Largest request body; 0: no limit.
    body_limit: ByteLimit = "1MiB";
    /// Largest WebSocket frame; 0: no limit.
    frame_limit: ByteLimit = "64KiB";
    /// Messages a user may write per second over time; 0: no limit.
    writes_per_second: CountLimit = "30";
    /// Messages a user may write at once before writes_per_second is enforced; 0: no limit.
    write_burst: CountLimit = "60";
    /// Rooms a user may create, join or change, people they may invite and members they may change, per minute over time; 0: no limit. Off with demo.
    acts_per_minute: CountLimit = "60";
    /// How many of these at once before acts_per_minute is enforced; 0: no limit.
    act_burst: CountLimit = "30";
    /// Messages and notifications a user may mark as read per second over time; 0: no limit.
    read_marks_per_second: CountLimit = "20";
    /// How many of them at once before read_marks_per_second is enforced; 0: no limit.
    read_mark_burst: CountLimit = "100";
    /// Rooms a user may create in 24 hours; 0: no limit. Off with demo.
    rooms_per_day: CountLimit = "50";
    /// People a user may invite in an hour without sharing a room with them; 0: no limit. Off with demo.
    invitations_per_hour: CountLimit = "100";
    /// How often per second a user's typing and presence are announced in a room; 0: no limit.
    signals_per_second: CountLimit = "1";
    /// Failed sign-ins to one account in 5 minutes before it is throttled; 0: no limit.
    signin_failures_per_account: CountLimit = "10";
    /// Failed sign-ins from one address in 5 minutes before it is throttled; 0: no limit.
    signin_failures_per_address: CountLimit = "50";
    /// Accounts that may be created from one address in 5 minutes; 0: no limit.
    sign_ups_per_address: CountLimit = "20";
    /// Rejected sign-ups from one address in 5 minutes before it is throttled; 0: no limit.
    sign_up_failures_per_address: CountLimit = "50";
    /// WebSockets a user may have open; 0: no limit.
    sockets_per_user: CountLimit = "200";
    /// Connections open at once, WebSockets among them; 0: as many as the system's limit on open files allows, which is never exceeded.
    connections: CountLimit = "0";
    /// Connections one address may have open, at most half of all; not counted for trusted_proxies and this machine itself; 0: no limit.
    connections_per_address: CountLimit = "2000";
    /// How long the head of a request may take.
    header_timeout: Duration = "15s";
    /// How long a request's body may make no progress before its connection is closed.
    body_timeout: Duration = "30s";
    /// How long a connection may be idle between two requests. A reverse proxy in front should close its idle connections earlier.
    keep_alive_timeout: Duration = "45s";
    /// How long a client may read nothing of what is sent to it before its connection is closed.
    write_timeout: Duration = "30s";
    /// How often the server pings each WebSocket; one that has been silent for two and a half times as long is closed.
    ping_interval: Duration = "20s";
    /// Address and port of a listener of its own for GET /metrics, to whoever reaches it; not set: none.
    metrics_listen: Option<SocketAddr> = "";
    /// Bearer token with which GET /metrics answers on the public port too, at least 16 bytes; not set: there it answers only this machine itself, and no request that came through a proxy.
    metrics_token: MetricsToken = "";
    /// What to log: error, warn, info, debug or trace, or directives such as info,chat=debug. The default leaves out warnings about expired sessions.
    log: LogFilter = "info,tower_sessions_core=error";
    /// Form of the log on standard error: text or json (one object a line).
    log_format: LogFormat = "text";
}

/// Reads each setting from the first source that has it, and records the source.
pub(super) struct SettingsReader<'a> {
    given: &'a CommandLine,
    environment: &'a Environment,
    file: Option<&'a File>,
    data: String,
    lines: Vec<EffectiveSetting>,
    errors: Vec<SettingError>,
}

impl<'a> SettingsReader<'a> {
    /// `errors` are those found so far.
    pub(super) fn new(
        given: &'a CommandLine,
        environment: &'a Environment,
        file: Option<&'a File>,
        errors: Vec<SettingError>,
    ) -> Self {
        Self { given, environment, file, data: String::new(), lines: Vec::new(), errors }
    }

    fn find(&self, name: &str, default: &str) -> (String, Source) {
        let flag = self.given.values.iter().rfind(|(given, _)| *given == name);
        if let Some((_, text)) = flag {
            return (text.clone(), Source::Flag);
        }
        if let Some(text) = self.environment.values.get(name) {
            return (text.clone(), Source::Environment);
        }
        if let Some(file) = self.file
            && let Some(text) = file.values.get(name)
        {
            return (text.clone(), Source::File(file.path.clone()));
        }
        (default.replace("{data}", &self.data), Source::Default)
    }

    fn read<V: SettingValue>(&mut self, name: &'static str, default: &str) -> Option<V> {
        let (text, source) = self.find(name, default);
        if name == "data" {
            text.trim_end_matches('/').clone_into(&mut self.data);
        }
        let value = V::read(text.trim());
        if value.is_some() {
            self.lines.push(EffectiveSetting { name, value: V::show(text.trim()), source });
        } else {
            let value = (!V::IS_SENSITIVE).then_some(text);
            self.errors.push(SettingError::BadValue { name, value, source, expected: V::EXPECTED });
        }
        value
    }
}
