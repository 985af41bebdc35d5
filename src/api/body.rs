//! Reads a request body field by field, so that one response reports every invalid field in the contract's words.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chat::model::{Code, FieldError, Problem};
use serde_json::{Map, Value};

use crate::{config::ByteLimit, error::ApiError};

/// The fields of a JSON object that have not been read yet, and the errors found so far.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    problems: Vec<FieldError>,
}

/// Like [`Fields`], but also accepts `application/x-www-form-urlencoded`: the token calls do, as in DRF.
pub struct FormOrJson(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if !is_json(request.headers()) {
            return Err(Code::UnsupportedMediaType.into());
        }
        Self::from_json(&read(request, state).await?)
    }
}

impl<S: Send + Sync> FromRequest<S> for FormOrJson {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if media_type(request.headers()) == Some("application/x-www-form-urlencoded") {
            let body = read(request, state).await?;
            let values = url::form_urlencoded::parse(&body)
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect();
            return Ok(Self(Fields { values, problems: Vec::new() }));
        }
        Fields::from_request(request, state).await.map(Self)
    }
}

/// Middleware that rejects a body by its `Content-Length`, even if the handler would not read it.
pub async fn limit(State(limit): State<ByteLimit>, request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    match (limit.0, length) {
        (Some(limit), Some(length)) if length > limit => ApiError::from(Code::TooLarge).into_response(),
        _ => next.run(request).await,
    }
}

/// Reads the whole body.
///
/// # Errors
/// `too_large`; `parse_error` if the body ends early.
pub async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
        let is_too_large = rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
        ApiError::from(if is_too_large { Code::TooLarge } else { Code::ParseError })
    })
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

impl Fields {
    /// Parses a JSON object.
    ///
    /// # Errors
    /// `parse_error` if the body is not JSON, or not an object.
    pub fn from_json(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self { values, problems: Vec::new() }),
            Ok(_) | Err(_) => Err(Code::ParseError.into()),
        }
    }

    /// Records an error of `field`.
    pub fn problem(&mut self, field: &str, problem: Problem) {
        self.problems.push(FieldError::new(field, problem));
    }

    /// A required string. If it is missing or invalid, records an error and returns an empty string.
    pub fn text(&mut self, field: &str) -> String {
        match self.values.remove(field) {
            None => self.problem(field, Problem::Required),
            Some(Value::Null) => self.problem(field, Problem::Null),
            Some(Value::String(text)) => return text,
            Some(_) => self.problem(field, Problem::WrongType),
        }
        String::new()
    }

    /// A string that may be missing or null.
    pub fn optional_text(&mut self, field: &str) -> Option<String> {
        match self.values.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.problem(field, Problem::WrongType);
                None
            }
        }
    }

    /// An integer that may be missing or null.
    pub fn optional_number(&mut self, field: &str) -> Option<i64> {
        match self.values.remove(field) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let number = whole(&value);
                if number.is_none() {
                    self.problem(field, Problem::WrongType);
                }
                number
            }
        }
    }

    /// A required integer. If it is missing or invalid, records an error and returns 0.
    pub fn number(&mut self, field: &str) -> i64 {
        if self.values.contains_key(field) {
            return self.optional_number(field).unwrap_or_default();
        }
        self.problem(field, Problem::Required);
        0
    }

    /// A required boolean. If it is missing or invalid, records an error and returns false.
    pub fn flag(&mut self, field: &str) -> bool {
        match self.values.remove(field) {
            Some(Value::Bool(flag)) => return flag,
            None => self.problem(field, Problem::Required),
            Some(Value::Null) => self.problem(field, Problem::Null),
            Some(_) => self.problem(field, Problem::WrongType),
        }
        false
    }

    /// A string that may be missing but not null, for changing a field that always has a value.
    pub fn changed_text(&mut self, field: &str) -> Option<String> {
        self.values.contains_key(field).then(|| self.text(field))
    }

    /// An integer that may be missing but not null.
    pub fn changed_number(&mut self, field: &str) -> Option<i64> {
        if self.values.get(field)?.is_null() {
            self.problem(field, Problem::Null);
        }
        self.optional_number(field)
    }

    /// A boolean that may be missing but not null.
    pub fn changed_flag(&mut self, field: &str) -> Option<bool> {
        self.values.contains_key(field).then(|| self.flag(field))
    }

    /// Fails if any field was invalid.
    ///
    /// # Errors
    /// `invalid`, with all recorded errors.
    pub fn finish(&mut self) -> Result<(), ApiError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::fields(std::mem::take(&mut self.problems)))
        }
    }
}

/// The integer value of a JSON number. 50.0 counts as 50, as in JSON Schema, JavaScript and Django REST Framework.
fn whole(value: &Value) -> Option<i64> {
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
    value.as_i64().or_else(|| format!("{:.0}", float()?).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_fraction_are_integers() {
        let number = |text: &str| whole(&serde_json::from_str(text).expect("JSON"));
        for (text, expected) in [("50", 50), ("50.0", 50), ("5e1", 50), ("-3.0", -3), ("-0.0", 0)] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        for text in ["1.5", "1e300", "99999999999999999999", "\"5\"", "true", "null", "[]"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn every_invalid_field_is_reported_and_valid_ones_are_read() {
        let mut fields =
            Fields::from_json(br#"{"a":"x","b":null,"c":3,"n":7,"m":1.5,"big":99999999999999999999}"#)
                .expect("an object");
        assert_eq!(fields.text("a"), "x");
        assert_eq!(fields.optional_text("b"), None);
        assert_eq!(fields.optional_number("n"), Some(7));
        fields.text("b");
        fields.text("c");
        fields.optional_number("m");
        fields.optional_number("big");
        let error = fields.finish().expect_err("three are bad");
        let problems: Vec<_> = error.failure().fields.iter().map(|f| (f.field.as_str(), f.problem)).collect();
        let expected = [
            ("b", Problem::Required),
            ("c", Problem::WrongType),
            ("m", Problem::WrongType),
            ("big", Problem::WrongType),
        ];
        assert_eq!(problems, expected, "b was removed by the first read");
    }

    #[test]
    fn a_change_may_be_missing_and_may_not_be_null() {
        let mut fields = Fields::from_json(br#"{"a":"x","n":7,"f":false}"#).expect("an object");
        assert_eq!(fields.changed_text("a"), Some("x".into()));
        assert_eq!(fields.changed_number("n"), Some(7));
        assert_eq!(fields.changed_flag("f"), Some(false));
        assert_eq!(fields.changed_text("other"), None);
        assert_eq!(fields.changed_number("other"), None);
        assert_eq!(fields.changed_flag("other"), None);
        fields.finish().expect("nothing bad");

        let mut nulls = Fields::from_json(br#"{"a":null,"n":null,"f":null}"#).expect("an object");
        nulls.changed_text("a");
        nulls.changed_number("n");
        nulls.changed_flag("f");
        let error = nulls.finish().expect_err("refused");
        let problems: Vec<_> = error.failure().fields.iter().map(|f| (f.field.as_str(), f.problem)).collect();
        assert_eq!(problems, [("a", Problem::Null), ("n", Problem::Null), ("f", Problem::Null)]);
    }

    #[test]
    fn bodies_that_are_not_objects_are_rejected() {
        let deep = "[".repeat(10_000);
        for bad in ["", "{", "[]", "\"x\"", "{\"a\":\"\\ud800\"}", "nul", &deep] {
            let error = Fields::from_json(bad.as_bytes()).expect_err("refused");
            assert_eq!(error.code(), Code::ParseError);
        }
    }
}
