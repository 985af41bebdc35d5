//! What went wrong, in words that machines compare and every layer shares.
//!
//! No sentences here: those are in the locales, chosen by [`Code`] and [`Problem`].

use serde::{Deserialize, Serialize};

/// The contract's `code`: stable, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Bad input; `fields` says where.
    Invalid,
    /// The body is not JSON, or not of the shape.
    ParseError,
    /// Wrong username or password, or an account that may not sign in.
    NoActiveAccount,
    /// No credentials were given.
    NotAuthenticated,
    /// `Authorization: Bearer` with nothing after it.
    BadAuthorizationHeader,
    /// The token is bad, expired, blacklisted or of the wrong type.
    TokenNotValid,
    /// The account was deactivated.
    UserInactive,
    /// The account is gone.
    UserNotFound,
    /// Not allowed.
    PermissionDenied,
    /// Outside the group that may use this chat.
    NotInGroup,
    /// Not in that room.
    NotAMember,
    /// Shut out of that room.
    Banned,
    /// May not write in that room.
    Muted,
    /// The room has no place left.
    RoomFull,
    /// Sign-up is closed here.
    SignUpClosed,
    /// No such thing that you may know of.
    NotFound,
    /// That path has no such method.
    MethodNotAllowed,
    /// The server does not answer under the host name of the request.
    InvalidHost,
    /// Too long a body.
    TooLarge,
    /// Not JSON by its content type.
    UnsupportedMediaType,
    /// Too fast, or too many failures.
    Throttled,
    /// A frame that is not of the contract.
    BadFrame,
    /// This socket did not read fast enough.
    TooSlow,
    /// From another site than the one that may.
    BadOrigin,
    /// The queue is full or the database is away: try again.
    Unavailable,
    /// Our fault; the log knows.
    #[serde(other)]
    Internal,
}

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// It is missing.
    Required,
    /// It is empty or only white space.
    Blank,
    /// It is null and may not be.
    Null,
    /// It is of the wrong JSON type.
    WrongType,
    /// It has more than so many characters.
    TooLong {
        /// The most it may have.
        max: usize,
    },
    /// It has fewer than so many characters.
    TooShort {
        /// The least it must have.
        min: usize,
    },
    /// It is outside a range of numbers.
    OutOfRange {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// It is none of the words allowed.
    NotAChoice,
    /// It has a character that may not be there (NUL, a control character).
    BadCharacter,
    /// It has white space at its beginning or its end.
    OuterSpace,
    /// A username may have letters, digits and `@ . + - _` only.
    BadUsername,
    /// Somebody has that username already.
    UsernameTaken,
    /// Too easy to guess: too common, only digits, or like the username.
    WeakPassword,
    /// This is not one's password.
    WrongPassword,
    /// There is no such message in this room.
    NoSuchMessage,
    /// There is no such user.
    NoSuchUser,
    /// That user is shut out of this room.
    UserBanned,
    /// Neither http(s) nor a path of this server.
    BadUrl,
    /// These two do not go together.
    Conflict,
}

/// A field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The field's name on the wire.
    pub field: String,
    /// What is wrong.
    #[serde(flatten)]
    pub problem: Problem,
}

impl FieldProblem {
    /// `field` has `problem`.
    pub fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }
}

/// A refusal as it crosses layers: the word, and the fields where it has some.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// The stable word.
    pub code: Code,
    /// Only with [`Code::Invalid`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
}

impl Failure {
    /// A refusal without fields.
    pub fn new(code: Code) -> Self {
        Self { code, fields: Vec::new() }
    }
}
