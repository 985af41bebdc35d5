//! Isolation of failing changes, so that one sender's bad message never fails another's.
//!
//! The store classifies a failed batch ([`FailureClass`]). If the database is unavailable, or contention persists, all
//! changes are refused with a retryable error. For any other failure, including a panic, the batch is halved, and the
//! halves are stored in order, until the failing change is alone: it is refused, and its sender becomes a suspect.
//! The first half is announced before the second is stored, since the events of a room are published in commit order.

use std::{future::Future, panic::AssertUnwindSafe};

use futures::FutureExt as _;

use crate::{
    error::{Error, Result},
    model::{Code, Failure, UserId},
    store::{FailureClass, Retry},
};

/// A batch operation that can be split.
pub(super) trait Attempt: Sync {
    type Job: Send + Sync;
    type Outcome: Send;

    /// Runs all jobs or, on an error, none.
    fn attempt(&self, jobs: &[Self::Job]) -> impl Future<Output = Result<Self::Outcome>> + Send;

    /// Reports success.
    fn announce(&self, jobs: Vec<Self::Job>, outcome: Self::Outcome);

    /// Reports the failure of a job.
    fn refuse(&self, job: Self::Job, failure: Failure);

    /// The sender of a job.
    fn sender(job: &Self::Job) -> UserId;
}

/// Why a part of a batch failed.
enum Cause {
    Failed(Error),
    Panicked,
}

impl Cause {
    fn class(&self) -> FailureClass {
        match self {
            Self::Failed(Error::Store(error)) => error.class(),
            Self::Failed(_) | Self::Panicked => FailureClass::Other,
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Failed(error) => error.failure(),
            Self::Panicked => Failure::new(Code::Internal),
        }
    }

    fn log(&self, jobs: usize) {
        match self {
            Self::Failed(error) => tracing::error!(%error, changes = jobs, "a batch could not be stored"),
            Self::Panicked => tracing::error!(changes = jobs, "a batch panicked"),
        }
    }
}

/// Runs all jobs that can succeed; returns the senders of the others.
pub(super) async fn run<A: Attempt>(work: &A, jobs: Vec<A::Job>) -> Vec<UserId> {
    let mut offenders = Vec::new();
    let mut retry = Retry::new();
    // A stack: the next part is the last element.
    let mut parts = vec![jobs];
    while let Some(mut part) = parts.pop() {
        let cause = match attempt_with_retry(work, &part, &mut retry).await {
            Ok(outcome) => {
                work.announce(part, outcome);
                continue;
            }
            Err(cause) => cause,
        };
        cause.log(part.len());
        match cause.class() {
            FailureClass::Other if part.len() > 1 => {
                let second = part.split_off(part.len() / 2);
                parts.extend([second, part]);
            }
            FailureClass::Other => {
                for job in part {
                    offenders.push(A::sender(&job));
                    work.refuse(job, cause.failure());
                }
            }
            // The other parts would fail too, and keep their senders waiting.
            FailureClass::Unavailable | FailureClass::Contention => {
                parts.push(part);
                for job in parts.drain(..).rev().flatten() {
                    work.refuse(job, cause.failure());
                }
            }
        }
    }
    offenders
}

/// Runs the jobs, with retries on contention.
async fn attempt_with_retry<A: Attempt>(
    work: &A,
    jobs: &[A::Job],
    retry: &mut Retry,
) -> Result<A::Outcome, Cause> {
    loop {
        // A panic drops the future, and so rolls back the transaction.
        let cause = match AssertUnwindSafe(work.attempt(jobs)).catch_unwind().await {
            Ok(Ok(outcome)) => return Ok(outcome),
            Ok(Err(error)) => Cause::Failed(error),
            Err(_) => Cause::Panicked,
        };
        match cause {
            Cause::Failed(Error::Store(error)) => {
                if !retry.backoff(&error).await {
                    return Err(Cause::Failed(error.into()));
                }
            }
            other => return Err(other),
        }
    }
}

#[cfg(test)]
mod tests;
