//! The REST handlers: extract the input, call [`chat::Chat`], shape the response. The rules of the chat are in `chat`.

use axum::extract::{FromRequestParts, Path};
use chat::model::{Code, MessageId, NotificationId, RoomId, UserId, id::MAX_ID};

use crate::error::ApiError;

pub mod accounts;
pub mod body;
mod coerce;
pub mod fields;
pub mod members;
pub mod messages;
pub mod notifications;
pub mod query;
pub mod reference;
pub mod response;
pub mod rooms;
pub mod schema;
pub mod tokens;

// The tags by which the OpenAPI document groups the calls.
const TAG_ACCOUNT: &str = "account";
const TAG_ROOMS: &str = "rooms";
const TAG_MESSAGES: &str = "messages";
const TAG_NOTIFICATIONS: &str = "notifications";
const TAG_REFERENCE: &str = "reference";

/// The 404 of an unknown path below `/api/`, in JSON like every error there.
pub async fn not_found() -> ApiError {
    ApiError::from(Code::NotFound)
}

/// The id in a path. Text that cannot be an id is a 404, as the contract says.
pub struct PathId<T>(pub T);

/// The two ids in a path, in order.
pub struct PathIds<A, B>(pub A, pub B);

/// An id type that can be read from a path.
pub trait PathParam: Sized {
    fn from_number(number: i64) -> Self;
}

impl PathParam for RoomId {
    fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl PathParam for NotificationId {
    fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl PathParam for MessageId {
    fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl PathParam for UserId {
    fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl<S: Send + Sync, T: PathParam> FromRequestParts<S> for PathId<T> {
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

impl<S: Send + Sync, A: PathParam, B: PathParam> FromRequestParts<S> for PathIds<A, B> {
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

fn id<T: PathParam>(text: &str) -> Result<T, ApiError> {
    // Only plain digits: "+1" and "01" would be further paths to the same resource.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|number| is_plain && (1..=MAX_ID).contains(number));
    Ok(T::from_number(number.ok_or(Code::NotFound)?))
}
