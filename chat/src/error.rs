//! The domain's error type.
//!
//! It has no HTTP status and no text for people; handlers map its [`Failure`] to both.

use std::time::Duration;

use crate::{
    model::{Code, Failure, FieldError, Problem},
    store::{FailureClass, StoreError},
};

/// The result type of the domain.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller made a mistake: not permitted, not found or not valid.
    #[error("refused: {:?}", .0.code)]
    Refused(Failure),
    /// A bounded queue is full: retry later.
    #[error("overloaded: a queue is full")]
    Overloaded,
    /// The user exceeded a rate limit.
    #[error("throttled for {} ms", retry_after.as_millis())]
    Throttled {
        /// How long to wait before the next try.
        retry_after: Duration,
    },
    /// The process is shutting down.
    #[error("the server is stopping")]
    Stopping,
    /// The database failed.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error("password hashing: {0}")]
    Hashing(String),
}

impl Error {
    /// A validation error of one field.
    pub fn invalid(field: &str, problem: Problem) -> Self {
        Self::fields(vec![FieldError::new(field, problem)])
    }

    /// Validation errors of several fields.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self::Refused(Failure { code: Code::Invalid, fields })
    }

    /// The part of the error that clients may see.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused(failure) => failure.clone(),
            Self::Throttled { .. } => Failure::new(Code::Throttled),
            Self::Overloaded | Self::Stopping => Failure::new(Code::Unavailable),
            Self::Store(error) => Failure::new(match error.class() {
                FailureClass::Unavailable | FailureClass::Contention => Code::Unavailable,
                FailureClass::Other => Code::Internal,
            }),
            Self::Hashing(_) => Failure::new(Code::Internal),
        }
    }

    /// The code of [`Self::failure`].
    pub fn code(&self) -> Code {
        self.failure().code
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(Failure::new(code))
    }
}
