//! Rejects requests that only a proxy would serve, and requests without a valid and allowed host.
//!
//! The inner layers may rely on a path that begins with a slash, and on at most one `Host` header.

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, Uri, Version,
        header::{ALLOW, HOST},
        uri::Authority,
    },
    middleware::Next,
    response::Response,
};
use chat::model::Code;

use super::client::Client;
use crate::{config::AllowedHosts, error};

/// The methods that some route allows.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS");

/// Probes address the server by its IP address.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Middleware that rejects what RFC 9110 and 9112 require to be rejected, request forms for proxies, and hosts that are
/// not in `allowed_hosts`.
pub async fn check(
    State(hosts): State<AllowedHosts>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::CONNECT {
        let mut response = error::respond(Code::MethodNotAllowed, request.headers());
        response.headers_mut().insert(ALLOW, METHODS);
        return response;
    }
    if !has_path(request.uri()) || !has_host(request.version(), request.headers()) {
        return error::respond(Code::Invalid, request.headers());
    }
    let is_allowed = client.host.as_deref().is_none_or(|host| hosts.contains(host));
    if !is_allowed && !PROBES.contains(&request.uri().path()) {
        return error::respond(Code::InvalidHost, request.headers());
    }
    next.run(request).await
}

/// Is the target a path or a whole URL, rather than only a host and a port, or `*`?
fn has_path(uri: &Uri) -> bool {
    uri.path_and_query().is_some() && uri.path().starts_with('/')
}

/// Is there exactly one valid `Host`? HTTP/1.0 needs none.
fn has_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let is_host = |host: &HeaderValue| {
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        authority.is_some_and(|authority| !authority.as_str().contains('@'))
    };
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_path() {
        for (target, is_fine) in [
            ("/", true),
            ("/a?b=c", true),
            ("//evil/a", true),
            ("http://evil.example/a", true),
            ("http://evil.example", true),
            ("evil.example:80", false),
            ("evil.example", false),
            ("*", false),
        ] {
            assert_eq!(has_path(&target.parse().expect("a target")), is_fine, "{target}");
        }
    }

    #[test]
    fn there_is_one_host_from_1_1_on() {
        let has_host = |version, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_static(host));
            }
            has_host(version, &headers)
        };
        for host in ["liao", "chat.example:8000", "[::1]:80", "192.0.2.1"] {
            assert!(has_host(Version::HTTP_11, &[host]), "{host}");
        }
        for host in ["", "a b", "a/b", "user@liao"] {
            assert!(!has_host(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(!has_host(Version::HTTP_11, &[]));
        assert!(has_host(Version::HTTP_10, &[]));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert!(!has_host(version, &["liao", "liao"]));
        }
    }
}
