//! The error responses of a call: by status, each with its codes, its headers and an example that is the real body.

use std::collections::BTreeMap;

use app::i18n::Locale;
use chat::model::{Code, FieldError, Problem};
use serde_json::{Value, json};

use crate::{auth::jwt::TokenError, error::ApiError};

/// The path of the schemas in the document.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// An error that a call may return.
pub(super) struct ErrorResponse {
    name: String,
    api_error: ApiError,
}

impl ErrorResponse {
    /// Parses an entry of a handler's list: a code, preceded by a status if this call uses another than usual.
    /// `None` if it is neither.
    pub(super) fn parse(entry: &str) -> Option<Self> {
        let (status, name) =
            entry.split_once(' ').map_or((None, entry), |(status, name)| (Some(status), name));
        let error = ApiError::from(code(name)?);
        let error = match status {
            None => error,
            Some("400") => error.as_bad_request(),
            Some(_) => return None,
        };
        Some(Self { name: name.to_owned(), api_error: error })
    }

    /// `invalid`, with a missing field as the example.
    pub(super) fn missing_field(field: &str) -> Self {
        let problem = FieldError::new(field, Problem::Required);
        Self { name: "invalid".to_owned(), api_error: ApiError::fields(vec![problem]) }
    }

    /// `invalid`, with a parameter that is not a number as the example.
    pub(super) fn bad_parameter(name: &str) -> Self {
        let problem = FieldError::new(name, Problem::WrongType);
        Self { name: "invalid".to_owned(), api_error: ApiError::fields(vec![problem]) }
    }

    /// Adds SimpleJWT's texts: those for the token that authenticates a call, or those for a token in a request body.
    pub(super) fn with_token_error(self, is_access: bool) -> Self {
        let message = TokenError::Expired.message();
        let error = if is_access {
            self.api_error.with_token_message(message)
        } else {
            self.api_error.with_detail(message)
        };
        Self { api_error: error, ..self }
    }

    pub(super) fn is_token_error(&self) -> bool {
        self.api_error.code() == Code::TokenNotValid
    }
}

pub(super) fn code(name: &str) -> Option<Code> {
    let code: Code = serde_json::from_value(json!(name)).ok()?;
    // Clients read an unknown code as `internal`, so compare with the original.
    (json!(code) == json!(name)).then_some(code)
}

/// The OpenAPI responses of `errors`, by status.
pub(super) fn responses(errors: Vec<ErrorResponse>, locale: Locale) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<ErrorResponse>> = BTreeMap::new();
    for error in errors {
        let same = by_status.entry(error.api_error.status().as_u16()).or_default();
        if same.iter().all(|known| known.name != error.name) {
            same.push(error);
        }
    }
    by_status
        .into_iter()
        .map(|(status, errors)| (status.to_string(), response(status, &errors, locale)))
        .collect()
}

fn response(status: u16, errors: &[ErrorResponse], locale: Locale) -> Value {
    let codes: Vec<&str> = errors.iter().map(|error| error.name.as_str()).collect();
    let sentences: Vec<String> = errors
        .iter()
        .map(|error| {
            let sentence = app::error::error_message(locale, error.api_error.failure());
            format!("`{}`: {sentence}", error.name)
        })
        .collect();
    let examples: BTreeMap<&str, Value> = errors
        .iter()
        .map(|error| {
            let summary = app::error::error_message(locale, error.api_error.failure());
            (error.name.as_str(), json!({"summary": summary, "value": error.api_error.body(locale)}))
        })
        .collect();
    let mut headers = json!({});
    match status {
        401 => headers["WWW-Authenticate"] = json!({"$ref": "#/components/headers/WWW-Authenticate"}),
        429 | 503 => headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"}),
        _ => {}
    }
    json!({
        "description": sentences.join("\n\n"),
        "headers": headers,
        "content": {"application/json": {
            "schema": {"allOf": [
                {"$ref": format!("{SCHEMAS}Error")},
                {"type": "object", "properties": {"code": {"enum": codes}}},
            ]},
            "examples": examples,
        }},
    })
}

/// The schema of every error body.
pub(super) fn shape() -> Value {
    json!({
        "type": "object",
        "description": "An error.",
        "required": ["error", "detail", "code"],
        "properties": {
            "error": {"type": "string", "description": "One sentence for a person."},
            "detail": {"type": "string", "description": "The same sentence, or the text of Django REST Framework."},
            "code": {"$ref": format!("{SCHEMAS}Code")},
            "fields": {
                "type": "object",
                "description": "With `invalid`: each invalid field and its errors.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            },
            "messages": {
                "type": "array",
                "description": "With `token_not_valid`: SimpleJWT's messages about the token.",
                "items": {
                    "type": "object",
                    "required": ["token_class", "token_type", "message"],
                    "properties": {
                        "token_class": {"type": "string"},
                        "token_type": {"type": "string"},
                        "message": {"type": "string"},
                    },
                },
            },
        },
        // Each invalid field again. A schema here would have to fit the named properties too.
        "additionalProperties": true,
    })
}
