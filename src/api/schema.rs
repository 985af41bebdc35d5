//! The OpenAPI document: collected from the handlers' annotations, completed with what all calls have in common, and
//! served as JSON.
//!
//! Limits are the constants of the domain, and error sentences are those that clients get. Nothing here is about one
//! particular call.

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

mod details;
pub mod error_responses;
mod operations;
pub mod sample;
mod sockets;
mod translation;

/// The introduction of the document.
const ABOUT: &str = include_str!("schema/about.md");

/// The base of the document: schemas that only sockets use.
#[derive(OpenApi)]
#[openapi(components(schemas(ClientFrame, ServerFrame, NotificationFrame, Code)))]
pub struct BaseDocument;

/// The document in each language, built at the first request. Cheap to clone.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    /// The collected annotations as JSON text. As a parsed tree they take ten times the memory.
    collected: Vec<u8>,
    zh: OnceLock<Bytes>,
    en: OnceLock<Bytes>,
}

impl Documents {
    /// From the annotations collected from the handlers.
    pub fn new(collected: &utoipa::openapi::OpenApi) -> Self {
        let collected = serde_json::to_vec(collected).unwrap_or_default();
        Self(Arc::new(Inner { collected, zh: OnceLock::new(), en: OnceLock::new() }))
    }

    /// The document in this language, as JSON text.
    pub fn text(&self, locale: Locale) -> Bytes {
        let text = match locale {
            Locale::zh => &self.0.zh,
            Locale::en => &self.0.en,
        };
        text.get_or_init(|| Bytes::from(self.finish(locale).to_string())).clone()
    }

    /// The same, parsed.
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
            {"name": TAG_ROOMS, "description": "Rooms and members."},
            {"name": TAG_MESSAGES, "description": "Messages."},
            {"name": TAG_NOTIFICATIONS, "description": "Notifications."},
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
        operations::complete_all(&mut value, locale);
        translation::unwrap_lines(&mut value);
        if locale == Locale::zh {
            translation::to_chinese(&mut value);
        }
        value
    }
}

/// Get the OpenAPI document
///
/// OpenAPI 3.1, in the language of `Accept-Language`.
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
