//! The refusals of a call, as the document has them: by status, each with its words, its
//! headers and an example that is the very body a client would get.

use std::collections::BTreeMap;

use app::i18n::Locale;
use chat::model::{Code, FieldProblem, Problem};
use serde_json::{Value, json};

use crate::{auth::jwt::TokenError, error::ApiError};

/// Where a shape of the document stands.
pub(super) const SHAPES: &str = "#/components/schemas/";

/// A refusal that a call may give.
pub(super) struct Refusal {
    name: String,
    error: ApiError,
}

impl Refusal {
    /// Reads a handler's word: a code, before it a status where this call gives it another one than the usual.
    /// `None` for what is neither.
    pub(super) fn read(word: &str) -> Option<Self> {
        let (status, name) = word.split_once(' ').map_or((None, word), |(status, name)| (Some(status), name));
        let error = ApiError::from(code(name)?);
        let error = match status {
            None => error,
            Some("400") => error.as_bad_request(),
            Some(_) => return None,
        };
        Some(Self { name: name.to_owned(), error })
    }

    /// Bad input, shown by a field that is missing.
    pub(super) fn of_field(field: &str) -> Self {
        let problem = FieldProblem::new(field, Problem::Required);
        Self { name: "invalid".to_owned(), error: ApiError::fields(vec![problem]) }
    }

    /// Bad input, shown by a parameter that is no number.
    pub(super) fn of_parameter(name: &str) -> Self {
        let problem = FieldProblem::new(name, Problem::WrongType);
        Self { name: "invalid".to_owned(), error: ApiError::fields(vec![problem]) }
    }

    /// In SimpleJWT's words for a token that opens doors, or for one that is shown for its own sake.
    pub(super) fn about_token(self, opens: bool) -> Self {
        let words = TokenError::Expired.words();
        let error = if opens { self.error.with_token_message(words) } else { self.error.with_detail(words) };
        Self { error, ..self }
    }

    /// Does it say that a token is not good?
    pub(super) fn is_about_token(&self) -> bool {
        self.error.code() == Code::TokenNotValid
    }
}

/// The code of this name.
pub(super) fn code(name: &str) -> Option<Code> {
    let code: Code = serde_json::from_value(json!(name)).ok()?;
    // An unknown word is read as `internal`, for clients' sake.
    (json!(code) == json!(name)).then_some(code)
}

/// The answers of `refusals`, by status.
pub(super) fn answers(refusals: Vec<Refusal>, locale: Locale) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
    for refusal in refusals {
        let same = by_status.entry(refusal.error.status().as_u16()).or_default();
        if same.iter().all(|known| known.name != refusal.name) {
            same.push(refusal);
        }
    }
    by_status
        .into_iter()
        .map(|(status, refusals)| (status.to_string(), answer(status, &refusals, locale)))
        .collect()
}

fn answer(status: u16, refusals: &[Refusal], locale: Locale) -> Value {
    let words: Vec<&str> = refusals.iter().map(|refusal| refusal.name.as_str()).collect();
    let sentences: Vec<String> = refusals
        .iter()
        .map(|refusal| {
            let sentence = app::error::sentence(locale, refusal.error.failure());
            format!("`{}`: {sentence}", refusal.name)
        })
        .collect();
    let examples: BTreeMap<&str, Value> = refusals
        .iter()
        .map(|refusal| {
            let summary = app::error::sentence(locale, refusal.error.failure());
            (refusal.name.as_str(), json!({"summary": summary, "value": refusal.error.body(locale)}))
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
                {"$ref": format!("{SHAPES}Refusal")},
                {"type": "object", "properties": {"code": {"enum": words}}},
            ]},
            "examples": examples,
        }},
    })
}

/// The shape of every refusal.
pub(super) fn shape() -> Value {
    json!({
        "type": "object",
        "description": "Why a call was refused.",
        "required": ["error", "detail", "code"],
        "properties": {
            "error": {"type": "string", "description": "One sentence for a person."},
            "detail": {"type": "string", "description": "The same, or the words of Django REST Framework."},
            "code": {"$ref": format!("{SHAPES}Code")},
            "fields": {
                "type": "object",
                "description": "With `invalid`: each bad field, and what is wrong with it.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            },
            "messages": {
                "type": "array",
                "description": "With `token_not_valid`: what SimpleJWT says of the token.",
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
        // Each bad field once more; a type would have to fit the named properties too.
        "additionalProperties": true,
    })
}
