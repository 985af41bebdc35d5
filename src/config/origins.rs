//! The other sites whose pages may call the API and open sockets.

use url::Url;

use super::{Config, WebOrigin};

/// Where the development server of a web project runs, whatever its port.
const DEVELOPMENT_HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// A set of origins; the default is the empty one.
#[derive(Clone, Debug, Default)]
pub struct ApiOrigins {
    listed: Vec<WebOrigin>,
    /// Does it also have every port of [`DEVELOPMENT_HOSTS`] by http?
    has_development: bool,
}

impl ApiOrigins {
    /// These, and in a demo those of development servers.
    pub fn new(listed: &[WebOrigin], is_demo: bool) -> Self {
        Self { listed: listed.to_vec(), has_development: is_demo }
    }

    /// Is `origin`, as a browser sends it, one of them? Any other spelling of it is not.
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
    fn development_servers_are_let_in_by_a_demo_alone_whatever_it_listens_on() {
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
    fn what_only_looks_like_a_development_server_is_none() {
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
    fn listed_sites_are_known_exactly_with_and_without_a_demo() {
        for demo in ["true", "false"] {
            let allows =
                |origin| allows(&[("cors_allowed_origins", "https://react.example"), ("demo", demo)], origin);
            assert!(allows("https://react.example"));
            assert!(!allows("http://react.example") && !allows("https://react.example:8443"));
        }
    }
}
