//! The small answers that more than one call gives.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// That it was done.
#[derive(Serialize, ToSchema)]
pub struct Acknowledgement {
    /// One sentence, in Chinese in every language (contract).
    message: &'static str,
}

impl Acknowledgement {
    /// It was done, in these words of the contract.
    pub fn new(message: &'static str) -> Json<Self> {
        Json(Self { message })
    }
}

/// How many.
#[derive(Serialize, ToSchema)]
pub struct Count {
    /// How many there are.
    pub count: i64,
}

/// That there is nothing to say: `{}`.
#[derive(Serialize, ToSchema)]
pub struct EmptyBody {}
