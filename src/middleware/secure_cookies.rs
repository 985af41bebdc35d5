//! Marks the cookies of a response `Secure`, so that a browser sends them only over TLS.
//!
//! The session layer supports only always or never, but one server may be reached over TLS through a proxy and directly
//! from its own machine.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header::SET_COOKIE},
    middleware::Next,
    response::Response,
};

use super::client::Client;
use crate::config::SecureCookies;

/// Middleware for the settings `always` and `auto`.
pub async fn mark(
    State(when): State<SecureCookies>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let is_wanted = match when {
        SecureCookies::Always => true,
        SecureCookies::Auto => client.is_secure,
        SecureCookies::Never => false,
    };
    if is_wanted {
        mark_all(response.headers_mut());
    }
    response
}

fn mark_all(headers: &mut HeaderMap) {
    if let axum::http::header::Entry::Occupied(mut cookies) = headers.entry(SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            let is_marked = cookie
                .as_bytes()
                .split(|byte| *byte == b';')
                .skip(1)
                .any(|attribute| attribute.trim_ascii().eq_ignore_ascii_case(b"secure"));
            if !is_marked
                && let Ok(marked) = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Secure"].concat())
            {
                *cookie = marked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cookie_is_marked_once() {
        let mut headers = HeaderMap::new();
        for cookie in ["liao_session=a; HttpOnly", "theme=secure; Path=/", "done=1; secure"] {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        mark_all(&mut headers);
        let marked: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(
            marked,
            ["liao_session=a; HttpOnly; Secure", "theme=secure; Path=/; Secure", "done=1; secure"]
        );
    }
}
