//! The origin of a request, as reported by browsers: this site, a listed one, or another one.
//!
//! A browser sends the cookie with every request to this server, from any page. So cookies are accepted only from this
//! server's own pages (protection against CSRF). Bearer tokens are not sent automatically and need no such check.

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, ORIGIN},
    },
    middleware::Next,
    response::Response,
};
use url::{Origin as UrlOrigin, Url};

use super::client::Client;
use crate::config::ApiOrigins;

/// The origin of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No `Origin` header: not a browser, or one that follows a link.
    Absent,
    /// This server's own pages.
    Same,
    /// One of [`crate::config::Config::api_origins`].
    Listed,
    /// Any other site, or an opaque origin.
    Foreign,
}

impl Origin {
    /// Classifies the `Origin` header. `listed` are [`crate::config::Config::api_origins`].
    ///
    /// Schemes are compared only if a proxy reports the client's, since a proxy that terminates TLS may not.
    pub fn of(headers: &HeaderMap, client: &Client, listed: &ApiOrigins) -> Self {
        let Some(origin) = headers.get(ORIGIN) else { return Self::Absent };
        let Some(origin) = origin.to_str().ok().and_then(|text| Url::parse(text).ok()) else {
            return Self::Foreign;
        };
        if is_own(&origin, client) {
            Self::Same
        } else if listed.contains(&origin.origin().ascii_serialization()) {
            Self::Listed
        } else {
            Self::Foreign
        }
    }
}

/// Middleware for requests that are authenticated by a cookie: rejects unsafe requests from other sites' pages.
/// `reject` makes the response, a 403.
pub async fn require_same(
    State(reject): State<fn(&HeaderMap) -> Response>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() || may_use_cookie(request.headers(), &client) {
        next.run(request).await
    } else {
        reject(request.headers())
    }
}

/// May an unsafe request use its cookie?
fn may_use_cookie(headers: &HeaderMap, client: &Client) -> bool {
    // A page cannot forge this header, and it is right even if a proxy changed the host. But browsers send it only over
    // TLS and to loopback.
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(site) => site == b"same-origin",
        None => match Origin::of(headers, client, &ApiOrigins::default()) {
            Origin::Same => true,
            Origin::Listed | Origin::Foreign => false,
            // Every browser sends `Origin` with a POST. A program without a cookie is harmless; one with a cookie must
            // send `Origin` like a browser.
            Origin::Absent => !headers.contains_key(COOKIE),
        },
    }
}

fn is_own(origin: &Url, client: &Client) -> bool {
    let Some(host) = client.host.as_deref() else { return false };
    let scheme = if client.is_secure { "https" } else { origin.scheme() };
    let own = Url::parse(&format!("{scheme}://{host}"));
    matches!(origin.origin(), UrlOrigin::Tuple(..)) && own.is_ok_and(|own| own.origin() == origin.origin())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::config::Config;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    fn client(host: &str, is_secure: bool) -> Client {
        Client { addr: Ipv4Addr::LOCALHOST.into(), is_secure, host: Some(host.into()) }
    }

    fn origin(host: &str, is_secure: bool, origin: &str) -> Origin {
        let listed = Config::of(&[("cors_allowed_origins", "https://react.example")]).api_origins();
        Origin::of(&headers(&[("origin", origin)]), &client(host, is_secure), &listed)
    }

    #[test]
    fn the_own_site_is_recognised_by_host_and_port() {
        assert_eq!(origin("127.0.0.1:8000", false, "http://127.0.0.1:8000"), Origin::Same);
        assert_eq!(origin("Chat.example", true, "https://chat.example"), Origin::Same);
        assert_eq!(origin("chat.example:443", true, "https://chat.example"), Origin::Same);
        assert_eq!(
            origin("chat.example", false, "https://chat.example"),
            Origin::Same,
            "TLS ended by a silent proxy"
        );
        assert_eq!(origin("[::1]:8000", false, "http://[::1]:8000"), Origin::Same);
    }

    #[test]
    fn another_port_scheme_or_name_is_another_site() {
        assert_eq!(origin("127.0.0.1:8000", false, "http://127.0.0.1:8001"), Origin::Foreign);
        assert_eq!(origin("chat.example", true, "http://chat.example"), Origin::Foreign);
        assert_eq!(origin("chat.example", true, "https://chat.example.evil.example"), Origin::Foreign);
        assert_eq!(origin("chat.example", true, "https://evil-chat.example"), Origin::Foreign);
        assert_eq!(origin("localhost:8000", false, "http://127.0.0.1:8000"), Origin::Foreign);
    }

    #[test]
    fn listed_origins_match_exactly() {
        assert_eq!(origin("chat.example", true, "https://react.example"), Origin::Listed);
        assert_eq!(origin("chat.example", true, "http://react.example"), Origin::Foreign);
        assert_eq!(origin("chat.example", true, "https://react.example:8443"), Origin::Foreign);
    }

    #[test]
    fn an_opaque_origin_is_foreign_and_a_missing_one_is_absent() {
        assert_eq!(origin("chat.example", true, "null"), Origin::Foreign);
        assert_eq!(origin("chat.example", true, "file:///etc/passwd"), Origin::Foreign);
        assert_eq!(origin("chat.example", true, "chat.example"), Origin::Foreign);
        assert_eq!(
            Origin::of(&HeaderMap::new(), &client("chat.example", true), &ApiOrigins::default()),
            Origin::Absent
        );
    }

    #[test]
    fn a_cookie_is_accepted_only_from_the_own_pages() {
        let may =
            |pairs: &[(&'static str, &str)]| may_use_cookie(&headers(pairs), &client("chat.example", false));
        let cookie = ("cookie", "liao_session=x");
        assert!(may(&[cookie, ("origin", "http://chat.example")]));
        assert!(may(&[
            cookie,
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://renamed-by-proxy.example")
        ]));
        assert!(!may(&[cookie, ("sec-fetch-site", "cross-site"), ("origin", "http://chat.example")]));
        assert!(!may(&[cookie, ("sec-fetch-site", "same-site")]));
        assert!(!may(&[cookie, ("origin", "http://evil.example")]));
        assert!(!may(&[("origin", "http://evil.example")]), "signing somebody in is an attack too");
        assert!(!may(&[cookie]));
        assert!(may(&[]), "a program without a cookie");
    }
}
