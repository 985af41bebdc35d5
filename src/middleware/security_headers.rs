//! Headers that tell browsers what pages of this server may not do.
//!
//! A page with scripts of its own sets its own policy, with the nonce that its scripts bear (see [`csp`]); every other
//! HTML answer gets the same policy without a nonce.

use super::client::Client;
use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue,
        header::{
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

/// Of other sites only pictures, over TLS; nobody may frame a page; wasm may be compiled, text may not become code.
/// `connect-src 'self'` lets sockets to the same host and port through. `{nonce}` is replaced.
const POLICY: &str = "default-src 'self'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'{nonce}; \
    img-src 'self' data: https:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
    object-src 'none'";

/// One year, as the preload lists ask for; subdomains are somebody else's to promise for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The content security policy of a page whose inline scripts and styles bear `nonce`.
pub fn csp(nonce: &str) -> HeaderValue {
    // A nonce is base64; anything else would change the policy's meaning, and is left out.
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    let is_nonce = !nonce.is_empty() && nonce.bytes().all(is_base64);
    let source = if is_nonce { format!(" 'nonce-{nonce}'") } else { String::new() };
    HeaderValue::from_str(&POLICY.replace("{nonce}", &source))
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

/// Middleware that adds what is missing to every answer.
pub async fn add(client: Client, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: browsers then send `Origin: null` with a form, and the origin could not be checked.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if client.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if is_html(headers) && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, csp(""));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directive(policy: &HeaderValue, name: &str) -> Option<String> {
        let text = policy.to_str().ok()?;
        let found = text.split("; ").find_map(|directive| directive.strip_prefix(name)?.strip_prefix(' '));
        found.map(str::to_owned)
    }

    #[test]
    fn the_nonce_stands_with_scripts_and_styles() {
        let policy = csp("c2VjcmV0");
        assert_eq!(
            directive(&policy, "script-src").as_deref(),
            Some("'self' 'nonce-c2VjcmV0' 'wasm-unsafe-eval'")
        );
        assert_eq!(directive(&policy, "style-src").as_deref(), Some("'self' 'nonce-c2VjcmV0'"));
        assert_eq!(directive(&policy, "frame-ancestors").as_deref(), Some("'none'"));
        assert_eq!(directive(&policy, "img-src").as_deref(), Some("'self' data: https:"));
    }

    #[test]
    fn no_inline_code_is_ever_allowed() {
        for nonce in ["", "c2VjcmV0", "x' 'unsafe-inline"] {
            let policy = csp(nonce);
            let text = policy.to_str().expect("ASCII");
            assert!(!text.contains("unsafe-inline") && !text.contains("'unsafe-eval'"), "{text}");
            assert!(!text.contains(['\n', '{']), "{text}");
        }
    }
}
