//! Completes each operation with what no handler repeats: the errors that follow from its input, the headers of every
//! response, and examples.

use app::i18n::Locale;
use serde_json::{Map, Value, json};

use super::{
    TAG_REFERENCE,
    error_responses::{self, ErrorResponse},
    sample,
};

/// The extension in which a handler lists the errors that do not follow from its input. Removed from the document.
const OWN_ERRORS: &str = "x-errors";

/// Completes every operation of the document.
pub(super) fn complete_all(document: &mut Value, locale: Locale) {
    document["components"]["schemas"]["Error"] = error_responses::shape();
    document["components"]["headers"] = headers();
    let shapes = document.clone();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        let operations = item.as_object_mut().into_iter().flat_map(Map::values_mut);
        for operation in operations.filter_map(Value::as_object_mut) {
            complete(&shapes, path, operation, locale);
        }
    }
}

fn complete(shapes: &Value, path: &str, operation: &mut Map<String, Value>, locale: Locale) {
    // The derive macro's way to say that no token is needed.
    if operation.get("security") == Some(&json!([{}])) {
        operation.insert("security".into(), json!([]));
    }
    let errors = operation_errors(shapes, path, operation);
    operation.remove(OWN_ERRORS);
    for kind in media_types(operation.get_mut("requestBody")) {
        add_example(shapes, kind);
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if parameter["in"] == "path" {
            add_example(shapes, parameter);
        }
    }
    let Some(Value::Object(answers)) = operation.get_mut("responses") else { return };
    for kind in answers.values_mut().flat_map(|answer| media_types(Some(answer))) {
        add_example(shapes, kind);
    }
    answers.extend(error_responses::responses(errors, locale));
    for answer in answers.values_mut() {
        answer["headers"]["X-Request-Id"] = json!({"$ref": "#/components/headers/X-Request-Id"});
    }
}

/// The media types of a request body or a response.
fn media_types(has_content: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    let content = has_content.and_then(|it| it.get_mut("content")).and_then(Value::as_object_mut);
    content.into_iter().flat_map(Map::values_mut)
}

/// Adds an example if there is none.
fn add_example(shapes: &Value, described: &mut Value) {
    if described.get("example").is_none() && described.get("examples").is_none() {
        described["example"] = sample::of(shapes, &described["schema"]);
    }
}

/// The errors of an operation: those that follow from its input, and those that it lists itself.
fn operation_errors(shapes: &Value, path: &str, operation: &Map<String, Value>) -> Vec<ErrorResponse> {
    let needs_token = operation.get("security") != Some(&json!([]));
    let mut codes: Vec<&str> = Vec::new();
    let mut errors = Vec::new();
    if needs_token {
        codes.extend([
            "not_authenticated",
            "bad_authorization_header",
            "token_not_valid",
            "user_inactive",
            "user_not_found",
        ]);
        if path.starts_with("/api/chat/") {
            codes.push("not_in_group");
        }
    }
    if path.contains('{') {
        codes.push("not_found");
    }
    if let Some(field) = first_field(shapes, operation) {
        errors.push(ErrorResponse::missing_field(field));
        codes.extend(["parse_error", "too_large", "unsupported_media_type"]);
    }
    let mut parameters = list(operation, "parameters");
    if let Some(parameter) = parameters.find(|parameter| parameter["in"] == "query") {
        errors.push(ErrorResponse::bad_parameter(parameter["name"].as_str().unwrap_or_default()));
    }
    codes.extend(list(operation, OWN_ERRORS).filter_map(Value::as_str));
    codes.push("internal");
    let is_static = list(operation, "tags").any(|tag| tag == TAG_REFERENCE);
    if !is_static {
        codes.push("unavailable");
    }
    errors.extend(codes.into_iter().filter_map(ErrorResponse::parse));
    let with_token_message = |error: ErrorResponse| {
        if error.is_token_error() { error.with_token_error(needs_token) } else { error }
    };
    errors.into_iter().map(with_token_message).collect()
}

fn list<'a>(operation: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    operation.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// The first required field of the request body, or else the first field.
fn first_field<'a>(shapes: &'a Value, operation: &'a Map<String, Value>) -> Option<&'a str> {
    let content = operation.get("requestBody")?["content"].as_object()?;
    let shape = sample::resolve(shapes, &content.values().next()?["schema"]);
    let first = shape["properties"].as_object()?.keys().next().map(String::as_str);
    shape["required"][0].as_str().or(first)
}

/// The response headers.
fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The id of this request in the log. Include it when you report a problem.",
            "required": true,
            "schema": {"type": "string", "format": "uuid"},
        },
        "Retry-After": {
            "description": "Seconds to wait before the next attempt.",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
            "example": 1,
        },
        "WWW-Authenticate": {
            "description": "The authentication scheme.",
            "required": true,
            "schema": {"type": "string"},
            "example": r#"Bearer realm="api""#,
        },
    })
}
