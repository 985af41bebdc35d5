//! Reading a request's body into [`Fields`]: JSON, and the two encodings of HTML forms, which Django REST Framework's
//! default parsers take too.

use axum::{
    body::Bytes,
    extract::{FromRequest, Multipart, Request, State, multipart::MultipartError, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chat::model::Code;
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::{config::ByteLimit, error::ApiError};

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let kind = media_type(request.headers()).map(str::to_ascii_lowercase);
        match kind.as_deref() {
            Some("application/json") => Self::of_json(&read(request, state).await?),
            Some("application/x-www-form-urlencoded") => {
                Ok(Self::of_form(form(&read(request, state).await?)))
            }
            Some("multipart/form-data") => Ok(Self::of_form(multipart(request, state).await?)),
            _ => Err(Code::UnsupportedMediaType.into()),
        }
    }
}

/// Middleware that refuses a body by its announced length, also where nobody would read it.
pub async fn limit(State(limit): State<ByteLimit>, request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    match (limit.0, length) {
        (Some(limit), Some(length)) if length > limit => ApiError::from(Code::TooLarge).into_response(),
        _ => next.run(request).await,
    }
}

/// Reads a whole body.
///
/// # Errors
/// `too_large`; `parse_error` where it breaks off.
pub async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection: BytesRejection| unreadable(rejection.into_response().status()))
}

fn form(body: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

/// The texts of a form with parts. A part that is a file has no field of ours: it counts as a value of the wrong type.
async fn multipart<S: Send + Sync>(request: Request, state: &S) -> Result<Map<String, Value>, ApiError> {
    let broken = |error: &MultipartError| unreadable(error.status());
    let mut parts =
        Multipart::from_request(request, state).await.map_err(|_| ApiError::from(Code::ParseError))?;
    let mut values = Map::new();
    while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
        let name = part.name().map(str::to_owned).ok_or(Code::ParseError)?;
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.map_err(|error| broken(&error))?;
        let text = || String::from_utf8(bytes.into()).map_err(|_| ApiError::from(Code::ParseError));
        values.insert(name, if is_file { Value::Array(Vec::new()) } else { Value::String(text()?) });
    }
    Ok(values)
}

fn unreadable(status: StatusCode) -> ApiError {
    let is_too_large = status == StatusCode::PAYLOAD_TOO_LARGE;
    ApiError::from(if is_too_large { Code::TooLarge } else { Code::ParseError })
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}
