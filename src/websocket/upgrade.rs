//! The upgrade of a request to a WebSocket (RFC 6455, 4.2).

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};

use super::Socket;
use crate::connections::stream::Stream;

/// The version of the protocol; there is no other.
const VERSION: &str = "13";
/// Appended to the client's key (RFC 6455, 1.3).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The subprotocol by which a client sends its token.
const BEARER: &str = "bearer";

/// A request for a WebSocket. An extractor.
pub struct Upgrade {
    accept: HeaderValue,
    is_bearer: bool,
    upgraded: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let headers = &parts.headers;
        if parts.method != Method::GET {
            return Err((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response());
        }
        let is_upgrade =
            has(headers, &header::CONNECTION, "upgrade") && has(headers, &header::UPGRADE, "websocket");
        if !is_upgrade || !has(headers, &header::SEC_WEBSOCKET_VERSION, VERSION) {
            return Err(upgrade_required());
        }
        let Some(accept) = headers.get(header::SEC_WEBSOCKET_KEY).and_then(accept) else {
            return Err((StatusCode::BAD_REQUEST, "no valid Sec-WebSocket-Key").into_response());
        };
        let is_bearer = has(headers, &header::SEC_WEBSOCKET_PROTOCOL, BEARER);
        let upgraded = parts.extensions.remove::<OnUpgrade>().ok_or_else(upgrade_required)?;
        Ok(Self { accept, is_bearer, upgraded })
    }
}

impl Upgrade {
    /// Accepts the upgrade and spawns `serve` with the socket. `limit` is the largest message that is taken, in bytes.
    pub fn accept<F>(self, limit: usize, serve: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { accept, is_bearer, upgraded } = self;
        tokio::spawn(async move {
            // An error means that the client went before it had the response.
            let Ok(upgraded) = upgraded.await else { return };
            // In a task of its own: this one would keep the memory of its larger future.
            if let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() {
                let stream = parts.io.into_inner();
                if let Err(error) = stream.bound_output() {
                    tracing::debug!(%error, "the output of a WebSocket is not bounded");
                }
                let socket = Socket::new(stream, &parts.read_buf, limit);
                drop(tokio::spawn(serve(socket)));
            } else {
                tracing::error!("an upgraded connection is not one of this server");
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        if is_bearer {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(BEARER));
        }
        response
    }
}

/// Whether a list in these headers has `item`, in any case.
fn has(headers: &HeaderMap, name: &HeaderName, item: &str) -> bool {
    let lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|found| found.trim().eq_ignore_ascii_case(item))
}

/// The answer to the client's key; `None` if that is not 16 bytes in base64.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.as_bytes().trim_ascii();
    STANDARD.decode(key).ok().filter(|key| key.len() == 16)?;
    let hash = Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize();
    HeaderValue::try_from(STANDARD.encode(hash)).ok()
}

/// 426: here is only a WebSocket.
fn upgrade_required() -> Response {
    let headers = [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "upgrade"),
        (header::SEC_WEBSOCKET_VERSION, VERSION),
    ];
    (StatusCode::UPGRADE_REQUIRED, headers, "this is a WebSocket").into_response()
}
