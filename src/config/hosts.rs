//! The setting `allowed_hosts`: the values of the `Host` header that the server accepts.

use std::net::IpAddr;

use axum::http::uri::Authority;

use super::Config;

/// An allowed host name; with a leading dot, its subdomains too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern(String);

/// A set of host names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHosts {
    listed: Vec<HostPattern>,
    is_demo: bool,
}

impl HostPattern {
    /// Parses a host name without a port, `.example.org`, an address, or `*`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let name = text.strip_prefix('.').unwrap_or(text);
        let is_name = name.parse::<Authority>().is_ok_and(|authority| {
            authority.port().is_none() && !name.contains(['@', '*']) && !name.ends_with(':')
        });
        (text == "*" || is_name).then(|| Self(text.to_ascii_lowercase()))
    }

    fn matches(&self, host: &str) -> bool {
        let below = || self.0.starts_with('.') && (host.ends_with(&self.0) || host == &self.0[1..]);
        self.0 == "*" || self.0 == host || below()
    }
}

impl AllowedHosts {
    /// Whether `host`, with or without a port, is allowed. An empty list allows every host, but with `--demo` only loopback
    /// names, which are then always allowed: otherwise a foreign page could reach a developer's server through a DNS name
    /// of its own (DNS rebinding).
    pub fn contains(&self, host: &str) -> bool {
        if self.listed.is_empty() && !self.is_demo {
            return true;
        }
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
        (self.is_demo && is_loopback(&host)) || self.listed.iter().any(|pattern| pattern.matches(&host))
    }
}

impl Config {
    /// The host names that this configuration allows.
    pub fn hosts(&self) -> AllowedHosts {
        AllowedHosts { listed: self.allowed_hosts.clone(), is_demo: self.demo }
    }
}

/// `localhost`, a name below it (RFC 6761), or a loopback address.
fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(values: &[(&'static str, &str)], host: &str) -> bool {
        Config::of(values).hosts().contains(host)
    }

    #[test]
    fn without_a_list_every_host_is_allowed_but_in_a_demo() {
        for host in ["chat.example.org", "10.0.0.1:8000", "localhost"] {
            assert!(allows(&[], host), "{host}");
        }
        for host in
            ["localhost", "LOCALHOST:8000", "app.localhost", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000"]
        {
            assert!(allows(&[("demo", "true")], host), "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", ""]
        {
            assert!(!allows(&[("demo", "true")], host), "{host}");
        }
    }

    #[test]
    fn a_list_allows_what_it_names() {
        let list = [("allowed_hosts", "chat.example.org, .example.net, 192.0.2.1")];
        for host in [
            "chat.example.org",
            "Chat.Example.org:443",
            "chat.example.org.",
            "example.net",
            "a.b.example.net",
            "192.0.2.1:80",
        ] {
            assert!(allows(&list, host), "{host}");
        }
        for host in ["example.org", "evilexample.net", "chat.example.org.evil", "localhost", "127.0.0.1"] {
            assert!(!allows(&list, host), "{host}");
        }
        assert!(allows(&[("allowed_hosts", "*"), ("demo", "true")], "evil.example"));
        assert!(allows(&[("allowed_hosts", "chat.example.org"), ("demo", "true")], "localhost"));
    }

    #[test]
    fn what_is_no_host_is_no_pattern() {
        for good in ["a", ".a.b", "[::1]", "*", "10.0.0.1"] {
            assert!(HostPattern::read(good).is_some(), "{good}");
        }
        for bad in ["", ".", "a:80", "http://a", "a/b", "a b", "u@a", "*.a.b", "a:"] {
            assert!(HostPattern::read(bad).is_none(), "{bad}");
        }
    }
}
