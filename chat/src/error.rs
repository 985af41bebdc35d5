//! The domain's one error type: what was refused, or what failed.
//!
//! It has no status and no sentence; the doors map a [`Failure`] to theirs.

use std::time::Duration;

use crate::{
    model::{Code, Failure, FieldError, Problem},
    store::{FailureClass, StoreError},
};

/// The domain's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not allowed, not there or not valid: the caller can know why.
    #[error("refused: {:?}", .0.code)]
    Refused(Failure),
    /// The writer's queue, or another bounded one, is full: try again.
    #[error("overloaded: a queue is full")]
    Overloaded,
    /// This user goes too fast.
    #[error("throttled for {} ms", retry_after.as_millis())]
    Throttled {
        /// When another try may succeed.
        retry_after: Duration,
    },
    /// The process is stopping and takes no more work.
    #[error("the server is stopping")]
    Stopping,
    /// The database did not do its part.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error("password hashing: {0}")]
    Hashing(String),
}

impl Error {
    /// One field is wrong.
    pub fn invalid(field: &str, problem: Problem) -> Self {
        Self::fields(vec![FieldError::new(field, problem)])
    }

    /// Several fields are wrong.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self::Refused(Failure { code: Code::Invalid, fields })
    }

    /// What the caller may be told.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused(failure) => failure.clone(),
            Self::Throttled { .. } => Failure::new(Code::Throttled),
            Self::Overloaded | Self::Stopping => Failure::new(Code::Unavailable),
            Self::Store(error) => Failure::new(match error.class() {
                FailureClass::Away | FailureClass::Contention => Code::Unavailable,
                FailureClass::Other => Code::Internal,
            }),
            Self::Hashing(_) => Failure::new(Code::Internal),
        }
    }

    /// The stable word of [`Self::failure`].
    pub fn code(&self) -> Code {
        self.failure().code
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(Failure::new(code))
    }
}
