//! The REST door: extract, call the domain, shape the answer. No rule of the chat is here.

use axum::extract::{FromRequestParts, Path};
use chat::model::{Code, MessageId, RoomId, id::MAX_ID};

use crate::error::ApiError;

pub mod accounts;
pub mod body;
pub mod messages;
pub mod query;
pub mod rooms;
pub mod tokens;

/// Whoever asks for a path below `/api/` that there is not, in JSON like every refusal there.
pub async fn not_found() -> ApiError {
    ApiError::from(Code::NotFound)
}

/// The id in a path. What cannot be an id names nothing: 404, as the contract says.
pub struct PathId<T>(pub T);

/// Ids of the domain that may stand in a path.
pub trait Named: Sized {
    /// The id of this number.
    fn named(number: i64) -> Self;
}

impl Named for RoomId {
    fn named(number: i64) -> Self {
        Self(number)
    }
}

impl Named for MessageId {
    fn named(number: i64) -> Self {
        Self(number)
    }
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Code::NotFound)?;
        // Only plain digits: "+1" and "01" are other texts for what has one path.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let number = text.parse().ok().filter(|number| is_plain && (1..=MAX_ID).contains(number));
        Ok(Self(T::named(number.ok_or(Code::NotFound)?)))
    }
}
