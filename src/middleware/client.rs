//! The client of a request: its address, whether it uses TLS, and the requested host.
//!
//! Behind a reverse proxy the peer is the proxy. `X-Forwarded-For`, `-Proto` and `-Host` are used only from peers in
//! `trusted_proxies`, since anybody can send these headers.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{
        HeaderMap, Uri,
        header::{HOST, USER_AGENT},
        request::Parts,
        uri::Authority,
    },
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;

use crate::config::Config;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client, according to the connection and trusted proxies. An extractor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub addr: IpAddr,
    /// Does it use TLS, according to a trusted proxy?
    pub is_secure: bool,
    /// The requested host, with the port unless it is the scheme's default.
    pub host: Option<Box<str>>,
}

/// The client's address alone. An extractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// The `User-Agent` header; empty if it is missing or not text. An extractor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(pub String);

/// The trusted proxies.
#[derive(Clone, Debug)]
pub struct Proxies(Arc<[IpNet]>);

impl ClientAddr {
    /// The key by which attempts are counted. A subscriber has a whole IPv6 /64 network, so its addresses count as one.
    pub fn throttle_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(addr) => {
                let [a, b, c, d, ..] = addr.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        }
    }
}

impl Proxies {
    /// The proxies of the settings.
    pub fn new(config: &Config) -> Self {
        Self(config.trusted_proxies.clone().into())
    }

    fn trust(&self, addr: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&addr))
    }

    /// The client behind `peer`, or `peer` itself.
    fn client(&self, peer: IpAddr, uri: &Uri, headers: &HeaderMap) -> Client {
        // A dual-stack listener sees IPv4 peers as ::ffff:a.b.c.d.
        let peer = peer.to_canonical();
        let mut addr = peer;
        // From the right, since each proxy appends the address of its peer: the first address that is not trusted is
        // the client. Everything left of it may be forged by the client.
        for hop in items(headers, FORWARDED_FOR).rev() {
            match self.trust(addr).then(|| address(hop)).flatten() {
                Some(hop) => addr = hop,
                None => break,
            }
        }
        if headers.contains_key(FORWARDED_FOR) && !self.trust(peer) {
            warn_once(peer);
        }
        let forwarded = |name| self.trust(peer).then(|| items(headers, name).next_back()).flatten();
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        // HTTP/2 has the host in the URI.
        let requested = host.or_else(|| uri.authority().map(Authority::as_str));
        Client {
            addr,
            is_secure: forwarded("x-forwarded-proto")
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            host: forwarded("x-forwarded-host").or(requested).map(Into::into),
        }
    }
}

/// Middleware that adds the [`Client`] to the request's extensions.
pub async fn resolve(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    let client = proxies.client(peer(request.extensions()), request.uri(), request.headers());
    request.extensions_mut().insert(client);
    next.run(request).await
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let client = parts.extensions.get::<Self>().cloned();
        // Without the middleware, as in a handler's unit test, no proxy is trusted.
        let alone = || Proxies([].into()).client(peer(&parts.extensions), &parts.uri, &parts.headers);
        Ok(client.unwrap_or_else(alone))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for UserAgent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self(agent.unwrap_or_default().to_owned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddr {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Client::from_request_parts(parts, state).await.map(|client| Self(client.addr))
    }
}

/// Says once in a process's life that a proxy seems to be missing in the settings: all its clients then count as one, for
/// the limits by address.
fn warn_once(peer: IpAddr) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            %peer,
            "X-Forwarded-For came from a peer that is not in trusted_proxies and is not believed; if that is your reverse proxy, add its address to trusted_proxies"
        );
    }
}

pub(crate) fn peer(extensions: &axum::http::Extensions) -> IpAddr {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip())
}

/// The items of a comma-separated list that may be split over several headers.
fn items<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty())
}

/// Parses an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|addr| addr.ip()));
    bare.ok().map(|addr: IpAddr| addr.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, headers: &[(&'static str, &str)]) -> Client {
        let proxies = Proxies(["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().expect("a network")).into());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        proxies.client(peer.parse().expect("an address"), &Uri::default(), &map)
    }

    fn addr(peer: &str, forwarded: &[&str]) -> String {
        let headers: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
        seen(peer, &headers).addr.to_string()
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored() {
        assert_eq!(addr("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        let headers =
            [("host", "chat.example"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")];
        let client = seen("203.0.113.9", &headers);
        assert_eq!(client.host.as_deref(), Some("chat.example"));
        assert!(!client.is_secure);
    }

    #[test]
    fn a_trusted_proxy_names_the_client_the_host_and_the_scheme() {
        assert_eq!(addr("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(addr("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        let headers = [
            ("host", "127.0.0.1:8000"),
            ("x-forwarded-host", "chat.example"),
            ("x-forwarded-proto", "https"),
        ];
        let client = seen("10.0.0.1", &headers);
        assert_eq!(client.host.as_deref(), Some("chat.example"));
        assert!(client.is_secure);
    }

    #[test]
    fn addresses_forged_by_the_client_are_ignored() {
        assert_eq!(addr("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(addr("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1", "of several headers too");
    }

    #[test]
    fn in_a_chain_of_trusted_proxies_the_first_is_the_client() {
        assert_eq!(addr("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(addr("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn ports_and_mapped_addresses_are_parsed_and_invalid_ones_stop_the_search() {
        assert_eq!(addr("::ffff:10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(addr("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(addr("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
    }

    #[test]
    fn addresses_of_one_ipv6_subscriber_count_as_one() {
        let key = |addr: &str| ClientAddr(addr.parse().expect("an address")).throttle_key();
        assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("198.51.100.1"), key("198.51.100.2"));
    }
}
