//! Converts an error into what the client sees: status, JSON body, close code.
//!
//! The sentence and the status of each code are defined in [`app::error`], which pages use too. A handler returns an
//! [`ApiError`], which is passed on in the extensions of the response. The middleware [`to_json_error`] writes the body
//! in the language of the request. Internal errors are logged here, once, and their cause is not sent to the client.

use std::time::Duration;

use app::i18n::{self, Locale};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chat::model::{Code, Failure, FieldError};
use serde_json::{Map, Value, json};

/// The `Retry-After` of an overloaded server.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// The content type of an error body if no page was requested.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Headers that describe the body of a response.
const BODY_HEADERS: [HeaderName; 8] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LOCATION,
];

/// An error response.
#[derive(Clone, Debug)]
pub struct ApiError {
    failure: Failure,
    status: StatusCode,
    detail: Option<&'static str>,
    token_message: Option<&'static str>,
    retry_after: Option<Duration>,
}

impl ApiError {
    /// `invalid`, with the errors of all invalid fields.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self::new(Failure { code: Code::Invalid, fields })
    }

    fn new(failure: Failure) -> Self {
        let status = app::error::status(failure.code);
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_SOON);
        Self { status, detail: detail(failure.code), failure, token_message: None, retry_after }
    }

    /// Replaces the usual `detail` of the code by this text of DRF.
    #[must_use]
    pub fn with_detail(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Adds SimpleJWT's `messages` about an access token.
    #[must_use]
    pub fn with_token_message(mut self, message: &'static str) -> Self {
        self.token_message = Some(message);
        self
    }

    /// Sets `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Changes the status to 400, where the contract requires it for a code that elsewhere is a 403.
    #[must_use]
    pub fn as_bad_request(mut self) -> Self {
        self.status = StatusCode::BAD_REQUEST;
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.failure.code
    }

    /// The code and the field errors.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The response status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The JSON body, in this language.
    pub fn body(&self, locale: Locale) -> Value {
        let sentence = app::error::error_message(locale, &self.failure);
        let mut body = Map::new();
        for (name, sentences) in sentences_by_field(locale, &self.failure.fields) {
            body.insert(name, sentences);
        }
        if !self.failure.fields.is_empty() {
            body.insert("fields".into(), Value::Object(body.clone()));
        }
        body.insert("detail".into(), self.detail.map_or_else(|| json!(sentence), |words| json!(words)));
        body.insert("error".into(), json!(sentence));
        body.insert("code".into(), json!(self.failure.code));
        if let Some(message) = self.token_message {
            let about = json!([{"token_class": "AccessToken", "token_type": "access", "message": message}]);
            body.insert("messages".into(), about);
        }
        Value::Object(body)
    }
}

impl ApiError {
    /// The response with this body. `instead_of` is the response that carried the error: its headers are kept, such as
    /// cookies, except for those that describe its body.
    pub fn with_body(&self, instead_of: Response, kind: HeaderValue, body: String) -> Response {
        let (old, _) = instead_of.into_parts();
        let (mut parts, _) = self.clone().into_response().into_parts();
        parts.extensions = old.extensions;
        parts.extensions.remove::<Self>();
        let own: Vec<HeaderName> = parts.headers.keys().cloned().collect();
        for (name, value) in &old.headers {
            if !BODY_HEADERS.contains(name) && !own.contains(name) {
                parts.headers.append(name, value.clone());
            }
        }
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            // The rest of the request body was not read, so the connection is closed. Without this header a client
            // would send its next request on it.
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        parts.headers.insert(header::CONTENT_TYPE, kind);
        parts.headers.append(header::VARY, HeaderValue::from_static("accept-language"));
        Response::from_parts(parts, Body::from(body))
    }
}

fn sentences_by_field(locale: Locale, fields: &[FieldError]) -> Map<String, Value> {
    let mut by_field: Map<String, Value> = Map::new();
    for field in fields {
        let sentence = json!(app::error::field_error_message(locale, field));
        match by_field.get_mut(&field.field) {
            Some(Value::Array(sentences)) => sentences.push(sentence),
            _ => {
                by_field.insert(field.field.clone(), json!([sentence]));
            }
        }
    }
    by_field
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(Failure::new(code))
    }
}

impl From<chat::Error> for ApiError {
    fn from(error: chat::Error) -> Self {
        log(&error);
        let response = Self::new(error.failure());
        match error {
            chat::Error::Throttled { retry_after } => response.with_retry_after(retry_after),
            _ => response,
        }
    }
}

/// Logs internal errors, but no errors of the caller.
pub fn log(error: &chat::Error) {
    match error {
        chat::Error::Refused(_) | chat::Error::Throttled { .. } => {}
        chat::Error::Overloaded | chat::Error::Stopping => tracing::warn!(%error, "turned away"),
        chat::Error::Store(_) | chat::Error::Hashing(_) => tracing::error!(%error, "a call failed"),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="api""#));
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: a client that waits exactly this long must not be rejected again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware that writes the body of an error, in the language of the request. It also converts axum's own
/// rejections, so that every error under `/api/` has the shape of the contract.
pub async fn to_json_error(request: Request, next: Next) -> Response {
    let locale = locale(request.headers());
    let response = next.run(request).await;
    let error = match response.extensions().get::<ApiError>() {
        Some(error) => Some(error.clone()),
        None => code_of_status(response.status()).map(ApiError::from),
    };
    match error {
        Some(error) => error.with_body(response, JSON, error.body(locale).to_string()),
        None => response,
    }
}

/// The error response for a request that is rejected before it reaches a handler.
pub fn respond(code: Code, headers: &HeaderMap) -> Response {
    let error = ApiError::from(code);
    error.with_body(Response::default(), JSON, error.body(locale(headers)).to_string())
}

/// The response for a handler that panicked. The panic is in the log.
pub fn panicked(_cause: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::from(Code::Internal).into_response()
}

/// The code for an error response of axum or of a layer, which has only a status.
pub fn code_of_status(status: StatusCode) -> Option<Code> {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => Some(Code::MethodNotAllowed),
        StatusCode::PAYLOAD_TOO_LARGE => Some(Code::TooLarge),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(Code::UnsupportedMediaType),
        StatusCode::INTERNAL_SERVER_ERROR => Some(Code::Internal),
        _ => None,
    }
}

/// The language of a request.
pub fn locale(headers: &HeaderMap) -> Locale {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    i18n::from_accept_language(header.unwrap_or_default())
}

/// The texts of DRF 3.18 and SimpleJWT 5.5.1 that clients compare. For other codes `detail` is the sentence.
fn detail(code: Code) -> Option<&'static str> {
    match code {
        Code::NoActiveAccount => Some("No active account found with the given credentials"),
        Code::NotAuthenticated => Some("Authentication credentials were not provided."),
        Code::BadAuthorizationHeader => Some("Authorization header must contain two space-delimited values"),
        Code::TokenNotValid => Some("Given token not valid for any token type"),
        Code::UserInactive => Some("User is inactive"),
        Code::UserNotFound => Some("User not found"),
        Code::Invalid
        | Code::ParseError
        | Code::PermissionDenied
        | Code::NotInGroup
        | Code::NotAMember
        | Code::Banned
        | Code::Muted
        | Code::RoomFull
        | Code::SignUpClosed
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::InvalidHost
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::Throttled
        | Code::BadFrame
        | Code::TooSlow
        | Code::TooManySubscriptions
        | Code::BadOrigin
        | Code::Unavailable
        | Code::Internal => None,
    }
}

/// The close code of a socket for this error (contract; codes below 4000 are RFC 6455's).
pub fn close_code(code: Code) -> u16 {
    match code {
        Code::NoActiveAccount
        | Code::NotAuthenticated
        | Code::BadAuthorizationHeader
        | Code::TokenNotValid
        | Code::UserInactive
        | Code::UserNotFound => 4401,
        Code::PermissionDenied
        | Code::NotInGroup
        | Code::NotAMember
        | Code::Banned
        | Code::Muted
        | Code::RoomFull
        | Code::SignUpClosed
        | Code::BadOrigin => 4403,
        Code::NotFound => 4404,
        Code::TooSlow => 4408,
        Code::Throttled | Code::TooManySubscriptions => 4429,
        Code::TooLarge => 1009,
        Code::Invalid
        | Code::ParseError
        | Code::BadFrame
        | Code::MethodNotAllowed
        | Code::InvalidHost
        | Code::UnsupportedMediaType => 1008,
        Code::Unavailable => 1013,
        Code::Internal => 1011,
    }
}

#[cfg(test)]
mod tests {
    use chat::model::Problem;

    use super::*;

    #[test]
    fn field_errors_are_below_fields_and_at_the_top_level() {
        let error = ApiError::fields(vec![
            FieldError::new("name", Problem::Required),
            FieldError::new("room_type", Problem::NotAChoice),
        ]);
        let body = error.body(Locale::zh);
        assert_eq!(body["code"], "invalid");
        assert_eq!(body["name"], json!(["该字段是必填项。"]));
        assert_eq!(body["fields"]["name"], body["name"]);
        assert_eq!(body["fields"]["room_type"], body["room_type"]);
        assert!(body["fields"].get("fields").is_none());
    }

    #[test]
    fn the_texts_of_the_django_system_do_not_depend_on_the_language() {
        let error = ApiError::from(Code::NotAuthenticated);
        for locale in [Locale::zh, Locale::en] {
            let body = error.body(locale);
            assert_eq!(body["detail"], "Authentication credentials were not provided.");
        }
        let response = error.into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], r#"Bearer realm="api""#);
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let error = ApiError::from(Code::Throttled).with_retry_after(Duration::from_millis(1_200));
        assert_eq!(error.into_response().headers()[header::RETRY_AFTER], "2");
    }
}
