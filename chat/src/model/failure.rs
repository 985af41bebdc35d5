//! Error codes and field errors, shared by all layers.
//!
//! The sentences shown to people are in the locales, chosen by [`Code`] and [`Problem`].

use serde::{Deserialize, Serialize};

/// Stable machine-readable error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Validation failed; `fields` names each field.
    Invalid,
    /// The body is not JSON, or does not have the expected shape.
    ParseError,
    /// Wrong username or password, or a deactivated account.
    NoActiveAccount,
    /// No credentials were given.
    NotAuthenticated,
    /// `Authorization: Bearer` with nothing after it.
    BadAuthorizationHeader,
    /// The token is malformed, expired, blacklisted or of the wrong type.
    TokenNotValid,
    /// The account was deactivated.
    UserInactive,
    /// The account no longer exists.
    UserNotFound,
    /// Permission denied.
    PermissionDenied,
    /// The user is not in the group this chat is restricted to.
    NotInGroup,
    /// Not a member of the room.
    NotAMember,
    /// Banned from the room.
    Banned,
    /// Muted in the room.
    Muted,
    /// The room has reached its capacity.
    RoomFull,
    /// Sign-up is disabled on this server.
    SignUpClosed,
    /// Not found, or not visible to the caller.
    NotFound,
    /// The path does not support this method.
    MethodNotAllowed,
    /// The server does not serve the host name of the request.
    InvalidHost,
    /// The request body is too large.
    TooLarge,
    /// The content type is not JSON.
    UnsupportedMediaType,
    /// Rate limit exceeded, or too many failed attempts.
    Throttled,
    /// The frame does not follow the protocol.
    BadFrame,
    /// The client read too slowly from its socket.
    TooSlow,
    /// The socket has the maximum number of subscriptions.
    TooManySubscriptions,
    /// The `Origin` is not allowed.
    BadOrigin,
    /// A queue is full or the database is unavailable: retry later.
    Unavailable,
    /// Internal error; details are in the log.
    #[serde(other)]
    Internal,
}

/// Why the value of one field is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// The field is missing.
    Required,
    /// The value is empty or only white space.
    Blank,
    /// The value is null, which is not allowed.
    Null,
    /// The value has the wrong JSON type.
    WrongType,
    /// The value is too long.
    TooLong {
        /// Maximum length in characters.
        max: usize,
    },
    /// The value is too short.
    TooShort {
        /// Minimum length in characters.
        min: usize,
    },
    /// The number is out of range.
    OutOfRange {
        /// Minimum, inclusive.
        min: i64,
        /// Maximum, inclusive.
        max: i64,
    },
    /// The value is not one of the allowed words.
    NotAChoice,
    /// The value contains a character that is not allowed (NUL, a control character).
    BadCharacter,
    /// The value starts or ends with white space.
    OuterSpace,
    /// The username contains characters other than letters, digits and `@ . + - _`.
    BadUsername,
    /// The username is taken.
    UsernameTaken,
    /// The username looks like another one.
    ConfusableUsername,
    /// The username mixes scripts whose letters look alike.
    MixedScripts,
    /// The password is too common, only digits, or similar to the username.
    WeakPassword,
    /// The password is incorrect.
    WrongPassword,
    /// The room has no such message.
    NoSuchMessage,
    /// The user does not exist.
    NoSuchUser,
    /// The user is banned from the room.
    UserBanned,
    /// The URL is not http(s).
    BadUrl,
    /// The value conflicts with another field.
    Conflict,
}

/// A validation error of one field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldError {
    /// Name of the field on the wire.
    pub field: String,
    /// Why the value is invalid.
    #[serde(flatten)]
    pub problem: Problem,
}

impl FieldError {
    /// Creates an error of `field`.
    pub fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }
}

/// An error response: the code, and with [`Code::Invalid`] the field errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// Stable machine-readable code.
    pub code: Code,
    /// Field errors; empty for all codes except [`Code::Invalid`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

impl Failure {
    /// Creates a failure without field errors.
    pub fn new(code: Code) -> Self {
        Self { code, fields: Vec::new() }
    }
}
