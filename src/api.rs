//! The REST door: extract, call the domain, shape the answer. No rule of the chat is here.

use axum::extract::{FromRequestParts, Path};
use chat::model::{Code, MessageId, NotificationId, RoomId, UserId, id::MAX_ID};

use crate::error::ApiError;

pub mod accounts;
pub mod answer;
pub mod body;
mod coerce;
pub mod fields;
pub mod members;
pub mod messages;
pub mod notifications;
pub mod query;
pub mod reference;
pub mod rooms;
pub mod schema;
pub mod tokens;

/// How the document groups the calls.
const TAG_ACCOUNT: &str = "account";
const TAG_ROOMS: &str = "rooms";
const TAG_MESSAGES: &str = "messages";
const TAG_NOTIFICATIONS: &str = "notifications";
const TAG_REFERENCE: &str = "reference";

/// Whoever asks for a path below `/api/` that there is not, in JSON like every refusal there.
pub async fn not_found() -> ApiError {
    ApiError::from(Code::NotFound)
}

/// The id in a path. What cannot be an id names nothing: 404, as the contract says.
pub struct PathId<T>(pub T);

/// The two ids in a path, in their order.
pub struct PathIds<A, B>(pub A, pub B);

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

impl Named for NotificationId {
    fn named(number: i64) -> Self {
        Self(number)
    }
}

impl Named for MessageId {
    fn named(number: i64) -> Self {
        Self(number)
    }
}

impl Named for UserId {
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
        Ok(Self(id(&text)?))
    }
}

impl<S: Send + Sync, A: Named, B: Named> FromRequestParts<S> for PathIds<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        let Path((first, second)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| Code::NotFound)?;
        Ok(Self(id(&first)?, id(&second)?))
    }
}

fn id<T: Named>(text: &str) -> Result<T, ApiError> {
    // Only plain digits: "+1" and "01" are other texts for what has one path.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|number| is_plain && (1..=MAX_ID).contains(number));
    Ok(T::named(number.ok_or(Code::NotFound)?))
}
