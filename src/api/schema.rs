//! The OpenAPI document: made from the handlers' own annotations, completed with what
//! all calls have in common, served as JSON.
//!
//! Nothing is said twice here: limits are the domain's constants, sentences of refusals
//! those that clients get. It must not know what a single call does.

use std::sync::{Arc, OnceLock};

use app::i18n::Locale;
use axum::{
    Extension,
    body::Bytes,
    http::{
        HeaderMap,
        header::{CACHE_CONTROL, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use chat::model::{ClientFrame, Code, NotificationFrame, ServerFrame};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{TAG_ACCOUNT, TAG_MESSAGES, TAG_NOTIFICATIONS, TAG_REFERENCE, TAG_ROOMS};
use crate::error;

mod complete;
mod details;
mod prose;
pub mod refusals;
pub mod sample;
mod sockets;

/// What every reader of the document should know first.
const ABOUT: &str = include_str!("schema/about.md");

/// The document's beginning: shapes that no call names but the sockets do.
#[derive(OpenApi)]
#[openapi(components(schemas(ClientFrame, ServerFrame, NotificationFrame, Code)))]
pub struct Beginning;

/// The document in each language, finished when somebody first asks for it. Cheap to clone.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    /// What was collected from the handlers, as JSON: as a tree it takes ten times the memory, and so it does finished.
    collected: Vec<u8>,
    zh: OnceLock<Bytes>,
    en: OnceLock<Bytes>,
}

impl Documents {
    /// Of what was collected from the handlers.
    pub fn new(collected: &utoipa::openapi::OpenApi) -> Self {
        let collected = serde_json::to_vec(collected).unwrap_or_default();
        Self(Arc::new(Inner { collected, zh: OnceLock::new(), en: OnceLock::new() }))
    }

    /// The one for a reader of this language, as JSON.
    pub fn text(&self, locale: Locale) -> Bytes {
        let text = match locale {
            Locale::zh => &self.0.zh,
            Locale::en => &self.0.en,
        };
        text.get_or_init(|| Bytes::from(self.finish(locale).to_string())).clone()
    }

    /// The same to look into.
    pub fn value(&self, locale: Locale) -> Value {
        serde_json::from_slice(&self.text(locale)).unwrap_or_default()
    }

    fn finish(&self, locale: Locale) -> Value {
        let mut value: Value = serde_json::from_slice(&self.0.collected).unwrap_or_default();
        value["info"] = json!({
            // Generators make the name of a package of it.
            "title": "Liao",
            "summary": "Team chat: REST and WebSocket",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT", "identifier": "MIT"},
        });
        value["servers"] = json!([{"url": "/", "description": "This server."}]);
        value["tags"] = json!([
            {"name": TAG_ACCOUNT, "description": "Accounts and tokens."},
            {"name": TAG_ROOMS, "description": "Rooms and who is in them."},
            {"name": TAG_MESSAGES, "description": "What was said."},
            {"name": TAG_NOTIFICATIONS, "description": "What happened meanwhile."},
            {"name": TAG_REFERENCE, "description": "This document, and pages to read and try it."},
        ]);
        value["security"] = json!([{"bearer": []}]);
        value["components"]["securitySchemes"]["bearer"] = json!({
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access` of `POST /api/token/`.",
        });
        details::add(&mut value);
        sockets::describe(&mut value, locale);
        complete::every_call(&mut value, locale);
        prose::straighten(&mut value);
        if locale == Locale::zh {
            prose::in_chinese(&mut value);
        }
        value
    }
}

/// This document
///
/// OpenAPI 3.1, in the language that `Accept-Language` prefers.
#[utoipa::path(
    get,
    path = "/api/schema/",
    operation_id = "get_schema",
    tag = TAG_REFERENCE,
    responses((status = 200, body = Object, description = "The document.", example = json!({"openapi": "3.1.0"}))),
    security(())
)]
pub async fn show(Extension(documents): Extension<Documents>, headers: HeaderMap) -> Response {
    let text = documents.text(error::locale(&headers));
    let about = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache"), (VARY, "accept-language")];
    (about, text).into_response()
}

#[cfg(test)]
mod tests;
