//! One sender's bad message never fails another's.
//!
//! What a batch's failure means is the store's to say ([`FailureClass`]). Where the database is away, or contention does
//! not end, all are told to try again. Where the same would fail again, whatever the cause is, a panic too, the batch is
//! halved, and the halves are stored one after the other, in order, until what fails is alone: it is refused, and its
//! sender is a suspect from then on. The first half is announced before the second is stored, since the events of a room
//! are published in the order of their commits.

use std::{future::Future, panic::AssertUnwindSafe, time::Instant};

use futures::FutureExt as _;

use super::{Change, Job, batch};
use crate::{
    error::{Error, Result},
    metrics::as_f64,
    model::{Code, Failure, UserId},
    store::{FailureClass, Retry},
};

/// Stores `jobs` and answers every one of them; gives the senders whose messages failed by themselves.
pub(super) async fn run(context: batch::Context, jobs: Vec<Job>) -> Vec<UserId> {
    let start = Instant::now();
    let guilty = isolated(&context, jobs).await;
    context.metrics.commit_seconds.record(start.elapsed());
    guilty
}

/// Work that is done together, and can be done in parts.
trait Attempt: Sync {
    type Job: Send + Sync;
    type Outcome: Send;

    /// Does all of it or, on an error, nothing.
    fn attempt(&self, jobs: &[Self::Job]) -> impl Future<Output = Result<Self::Outcome>> + Send;

    /// Tells what was done.
    fn announce(&self, jobs: Vec<Self::Job>, outcome: Self::Outcome);

    /// Tells that it was not.
    fn refuse(&self, job: Self::Job, failure: Failure);

    /// Whose job it is.
    fn sender(job: &Self::Job) -> UserId;
}

impl Attempt for batch::Context {
    type Job = Job;
    type Outcome = batch::Outcomes;

    async fn attempt(&self, jobs: &[Job]) -> Result<batch::Outcomes> {
        let changes: Vec<&Change> = jobs.iter().map(|job| &job.change).collect();
        batch::store(self, &changes).await
    }

    fn announce(&self, jobs: Vec<Job>, outcomes: batch::Outcomes) {
        self.metrics.commit_changes.record(as_f64(jobs.len()));
        let answers = batch::announce(self, outcomes);
        for (job, answer) in jobs.into_iter().zip(answers) {
            // Whoever asked may have gone meanwhile; the change is stored all the same.
            let _ = job.reply.send(answer);
        }
    }

    fn refuse(&self, job: Job, failure: Failure) {
        let _ = job.reply.send(Err(Error::Refused(failure)));
    }

    fn sender(job: &Job) -> UserId {
        job.change.actor()
    }
}

/// Why a part of a batch was not stored.
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

/// Does all that can be done, and gives the senders of what cannot.
async fn isolated<A: Attempt>(work: &A, jobs: Vec<A::Job>) -> Vec<UserId> {
    let mut guilty = Vec::new();
    let mut retry = Retry::new();
    // The part that comes first is the last.
    let mut parts = vec![jobs];
    while let Some(mut part) = parts.pop() {
        let cause = match tried(work, &part, &mut retry).await {
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
                    guilty.push(A::sender(&job));
                    work.refuse(job, cause.failure());
                }
            }
            // The rest would fare no better, and keep everybody waiting for it.
            FailureClass::Unavailable | FailureClass::Contention => {
                parts.push(part);
                for job in parts.drain(..).rev().flatten() {
                    work.refuse(job, cause.failure());
                }
            }
        }
    }
    guilty
}

/// Does it, and once more where it met contention.
async fn tried<A: Attempt>(work: &A, jobs: &[A::Job], retry: &mut Retry) -> Result<A::Outcome, Cause> {
    loop {
        // What a panic leaves is dropped with the future: the transaction, which is rolled back.
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
