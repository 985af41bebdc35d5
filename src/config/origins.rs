//! The origins of other sites whose pages may call the API and open sockets.

use url::Url;

use super::{Config, WebOrigin};

/// Hosts of development servers of web projects, on any port.
const DEVELOPMENT_HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// A set of origins. Empty by default.
#[derive(Clone, Debug, Default)]
pub struct ApiOrigins {
    listed: Vec<WebOrigin>,
    /// Does it include every port of [`DEVELOPMENT_HOSTS`] over http?
    has_development: bool,
}

impl ApiOrigins {
    /// These origins, and in a demo those of development servers.
    pub fn new(listed: &[WebOrigin], is_demo: bool) -> Self {
        Self { listed: listed.to_vec(), has_development: is_demo }
    }

    /// Is `origin` in the set? It must be spelled exactly as browsers send it.
    pub fn contains(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed.as_str() == origin)
            || (self.has_development && is_development(origin))
    }
}

impl Config {
    /// The origins that this configuration allows.
    pub fn api_origins(&self) -> ApiOrigins {
        ApiOrigins::new(&self.cors_allowed_origins, self.demo)
    }
}

fn is_development(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| {
        url.scheme() == "http"
            && url.host_str().is_some_and(|host| DEVELOPMENT_HOSTS.contains(&host))
            && url.origin().ascii_serialization() == origin
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(values: &[(&'static str, &str)], origin: &str) -> bool {
        Config::of(values).api_origins().contains(origin)
    }

    #[test]
    fn development_servers_are_allowed_only_in_a_demo() {
        for listen in ["127.0.0.1:8000", "0.0.0.0:8000", "[::1]:8000"] {
            for origin in [
                "http://localhost:3000",
                "http://localhost:5173",
                "http://127.0.0.1:5174",
                "http://localhost",
            ] {
                assert!(allows(&[("listen", listen), ("demo", "true")], origin), "{listen} {origin}");
                assert!(!allows(&[("listen", listen)], origin), "{listen} {origin}");
            }
        }
    }

    #[test]
    fn origins_similar_to_development_servers_are_rejected() {
        for origin in [
            "https://localhost:3000",
            "http://localhost.evil.example",
            "http://localhost:3000.evil.example",
            "http://evil.example:3000",
            "http://user@localhost:3000",
            "http://localhost:3000/",
            "http://localhost:80",
            "http://LOCALHOST:3000",
            "http://127.0.0.2:3000",
            "http://[::1]:3000",
            "http://evil.localhost:3000",
            "null",
            "",
        ] {
            assert!(!allows(&[("demo", "true")], origin), "{origin}");
        }
    }

    #[test]
    fn listed_origins_match_exactly_with_and_without_demo() {
        for demo in ["true", "false"] {
            let allows =
                |origin| allows(&[("cors_allowed_origins", "https://react.example"), ("demo", demo)], origin);
            assert!(allows("https://react.example"));
            assert!(!allows("http://react.example") && !allows("https://react.example:8443"));
        }
    }
}
