//! Extractors for the credentials of a request.
//!
//! REST accepts only `Authorization: Bearer`. Since browsers cannot set headers for a WebSocket, sockets also accept a
//! query parameter, a subprotocol, or the session of the bundled UI.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use chat::{
    Chat,
    credential::{Claim, Credential, SessionId},
    model::{Code, User},
};
use tower_sessions::Session;

use super::{Auth, session};
use crate::{
    config::ApiOrigins,
    error::ApiError,
    middleware::{client::Client, origin::Origin},
};

/// The caller of the REST API, who may chat. An extractor.
#[derive(Clone, Debug)]
pub struct ChatUser(pub User);

/// The bearer token, which the call requires.
fn required_bearer(parts: &Parts) -> Result<&str, ApiError> {
    Ok(bearer(&parts.headers)?.ok_or(Code::NotAuthenticated)?)
}

/// The caller of the REST API, whether or not they may chat. An extractor.
#[derive(Clone, Debug)]
pub struct AnyUser(pub User);

/// The claim of a socket's upgrade request; `None` if the client must authenticate with its first frame. Whether the
/// credential has ended is checked by [`Chat::connect`]. An extractor.
#[derive(Clone, Debug)]
pub struct SocketIdentity(pub Option<Claim>);

impl<S> FromRequestParts<S> for ChatUser
where
    S: Send + Sync,
    Auth: FromRef<S>,
    Chat: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = required_bearer(parts)?;
        Auth::from_ref(state).authorize(&Chat::from_ref(state), token).await.map(Self)
    }
}

impl<S> FromRequestParts<S> for AnyUser
where
    S: Send + Sync,
    Auth: FromRef<S>,
    Chat: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = required_bearer(parts)?;
        Auth::from_ref(state).authenticate(&Chat::from_ref(state), token).await.map(Self)
    }
}

impl<S> FromRequestParts<S> for SocketIdentity
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Auth::from_ref(state);
        if let Some(token) = query_token(parts.uri.query().unwrap_or_default()) {
            return auth.claim(&token).map(|claim| Self(Some(claim)));
        }
        if let Some(token) = bearer(&parts.headers)?.or_else(|| protocol_token(&parts.headers)) {
            return auth.claim(token).map(|claim| Self(Some(claim)));
        }
        let Some(session) = parts.extensions.get::<Session>().cloned() else { return Ok(Self(None)) };
        let Ok(client) = Client::from_request_parts(parts, state).await;
        // The same-origin policy does not apply to WebSockets: any page can open one, and the browser sends the cookie.
        if Origin::of(&parts.headers, &client, &ApiOrigins::default()) != Origin::Same {
            return Ok(Self(None));
        }
        let Some(secret) = session.id() else { return Ok(Self(None)) };
        // A session without a user is an error, not a reason to wait for a token.
        let user = session::user_id(&session).await?.ok_or(Code::NotAuthenticated)?;
        let credential = Credential::Session(SessionId::of_secret(&secret.to_string()));
        Ok(Self(Some(Claim { user, credential })))
    }
}

/// The token of `Authorization: Bearer`; `None` without the header or with another scheme. The scheme is
/// case-insensitive (RFC 9110), unlike in Simple JWT.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let mut parts = value.as_bytes().split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
    if !parts.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer")) {
        return Ok(None);
    }
    match (parts.next(), parts.next()) {
        // A token that is not UTF-8 is invalid, as the empty one is.
        (Some(token), None) => Ok(Some(str::from_utf8(token).unwrap_or_default())),
        _ => Err(Code::BadAuthorizationHeader.into()),
    }
}

/// The query parameter `?token=`.
fn query_token(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == "token" && !value.is_empty()).then(|| value.into_owned()))
}

/// The header `Sec-WebSocket-Protocol: bearer, <token>`.
fn protocol_token(headers: &HeaderMap) -> Option<&str> {
    let values =
        headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut protocols = values.flat_map(|value| value.split(',')).map(str::trim);
    protocols.find(|protocol| *protocol == "bearer")?;
    protocols.next().filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    fn authorization(value: &[u8]) -> Result<Option<String>, Code> {
        let headers = headers(&header::AUTHORIZATION, &[value]);
        bearer(&headers).map(|token| token.map(str::to_owned)).map_err(|error| error.code())
    }

    #[test]
    fn the_bearer_token_is_parsed() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER \t a.b.c  "] {
            assert_eq!(authorization(value.as_bytes()), Ok(Some("a.b.c".into())), "{value}");
        }
        for value in ["", "Basic YTpi", "Token abc", "Bearera.b.c", "a.b.c"] {
            assert_eq!(authorization(value.as_bytes()), Ok(None), "{value}");
        }
        for value in ["Bearer", "Bearer ", "Bearer a b", "bearer  "] {
            assert_eq!(authorization(value.as_bytes()), Err(Code::BadAuthorizationHeader), "{value}");
        }
        assert_eq!(authorization(b"Bearer \xff\xfe"), Ok(Some(String::new())), "invalid, not missing");
    }

    #[test]
    fn a_socket_may_send_the_token_in_the_query() {
        assert_eq!(query_token("after_id=3&token=a.b.c"), Some("a.b.c".into()));
        assert_eq!(query_token("token=a%2Eb"), Some("a.b".into()));
        assert_eq!(query_token("token=&tokens=x"), None);
    }

    #[test]
    fn a_socket_may_send_the_token_as_a_subprotocol() {
        let token = |values: &[&[u8]]| {
            protocol_token(&headers(&header::SEC_WEBSOCKET_PROTOCOL, values)).map(str::to_owned)
        };
        assert_eq!(token(&[b"bearer, a.b.c"]), Some("a.b.c".into()));
        assert_eq!(token(&[b"chat", b"bearer", b"a.b.c"]), Some("a.b.c".into()));
        assert_eq!(token(&[b"a.b.c, bearer"]), None);
        assert_eq!(token(&[b"bearer,"]), None);
        assert_eq!(token(&[]), None);
    }
}
