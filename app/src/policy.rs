//! The content security policy of HTML responses.

use axum::http::HeaderValue;

/// Only files of this server; wasm may be compiled, `eval` is not allowed; no framing. `connect-src 'self'` includes
/// WebSockets to the same host and port. `{nonce}` is replaced.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{nonce}; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of a page whose inline scripts have this nonce; with an empty one, no inline script runs.
pub fn content_security_policy(nonce: &str) -> HeaderValue {
    // Any other character could change the policy's meaning, so such a nonce is left out.
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    let is_nonce = !nonce.is_empty() && nonce.bytes().all(is_base64);
    let source = if is_nonce { format!(" 'nonce-{nonce}'") } else { String::new() };
    HeaderValue::from_str(&POLICY.replace("{nonce}", &source))
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
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
    fn nonce_is_in_script_src() {
        let policy = content_security_policy("c2VjcmV0");
        let scripts = directive(&policy, "script-src");
        assert_eq!(scripts.as_deref(), Some("'self' 'wasm-unsafe-eval' 'nonce-c2VjcmV0'"));
        assert_eq!(directive(&policy, "style-src").as_deref(), Some("'self'"));
        assert_eq!(directive(&policy, "frame-ancestors").as_deref(), Some("'none'"));
    }

    #[test]
    fn no_inline_code_is_ever_allowed_without_a_nonce() {
        for nonce in ["", "c2VjcmV0", "x' 'unsafe-inline"] {
            let policy = content_security_policy(nonce);
            let text = policy.to_str().expect("ASCII");
            assert!(!text.contains("unsafe-inline") && !text.contains("'unsafe-eval'"), "{text}");
            assert!(!text.contains(['\n', '{']), "{text}");
        }
    }
}
