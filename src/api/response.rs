//! Small response bodies that several calls share.

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

/// Confirms that the call succeeded.
#[derive(Serialize, ToSchema)]
pub struct Acknowledgement {
    /// One sentence, always in Chinese (contract).
    message: &'static str,
}

impl Acknowledgement {
    /// A response with this sentence of the contract.
    pub fn new(message: &'static str) -> Json<Self> {
        Json(Self { message })
    }
}

/// A response body that is JSON already.
pub struct JsonText(pub Bytes);

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// A count.
#[derive(Serialize, ToSchema)]
pub struct Count {
    /// The number of items.
    pub count: i64,
}

/// An empty object, `{}`.
#[derive(Serialize, ToSchema)]
pub struct EmptyBody {}
