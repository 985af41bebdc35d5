//! Runs the background jobs: those that are due, and at once those that follow from a change of this process.

use std::{sync::Weak, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Chat, Inner,
    jobs::{Job, LEASE, Leased, Part, new_lease, plus},
    succession, trim,
};
use crate::{
    error::Result,
    model::Timestamp,
    store::{
        jobs::{self as rows, Progress},
        reads,
    },
};

/// How long after its start a node looks for jobs that are due, and how often after that.
const FIRST_TICK: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_secs(10);
/// The pause between two parts of a job.
const PAUSE: Duration = Duration::from_millis(50);
/// Pause after the first failure; it doubles with each further one.
const RETRY: Duration = Duration::from_secs(10);
/// Longest pause after a failure.
const RETRY_MAX: Duration = Duration::from_hours(1);
/// Maximum number of jobs that are run in turn.
const AT_ONCE: i64 = 16;

/// What happens to the lease after a part that is not the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Hold,
    Release,
}

/// Runs jobs until `stopping`, or until `chat` is gone.
pub(super) async fn run(chat: Weak<Inner>, stopping: CancellationToken) {
    let mut pause = FIRST_TICK;
    let mut has_recurring = false;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = sleep(pause) => {}
        }
        let Some(inner) = chat.upgrade() else { return };
        let chat = Chat { inner };
        pause = TICK;
        match chat.run_due_jobs(&mut has_recurring).await {
            Ok(true) => pause = PAUSE,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the background jobs could not be run"),
        }
    }
}

impl Chat {
    /// Runs a job that was added with [`jobs::add`](super::jobs::add) to its end. Another process that finds it due because this one was too slow
    /// continues in its place.
    pub(super) async fn finish_job(&self, mut leased: Leased) -> Result<()> {
        while let Some(position) = self.run_part(&leased, Then::Hold).await? {
            leased.position = position;
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Runs one part of each job that is due: on SQLite, messages wait for it. Returns whether there is more to do at
    /// once.
    async fn run_due_jobs(&self, has_recurring: &mut bool) -> Result<bool> {
        if !*has_recurring {
            let mut tx = self.store().write().await?;
            for job in Job::RECURRING {
                let first = plus(self.clock().now(), job.interval().unwrap_or_default());
                rows::ensure(&mut tx, &job.name(), first).await?;
            }
            tx.commit().await?;
            *has_recurring = true;
        }
        let due = rows::due(&mut self.store().read().await?, self.clock().now(), AT_ONCE).await?;
        let mut has_more = false;
        for job in due.iter().filter_map(|name| Job::parse(name)) {
            let Some(leased) = self.lease(job).await? else { continue };
            match self.run_part(&leased, Then::Release).await {
                Ok(next) => has_more |= next.is_some(),
                Err(error) => tracing::warn!(%error, job = job.name(), "a job failed; it is tried again"),
            }
        }
        Ok(has_more)
    }

    async fn lease(&self, job: Job) -> Result<Option<Leased>> {
        let now = self.clock().now();
        let lease = new_lease(now);
        let mut tx = self.store().write().await?;
        let leased = rows::lease(&mut tx, &job.name(), lease, now, plus(now, LEASE)).await?;
        tx.commit().await?;
        Ok(leased.map(|found| Leased { job, lease, position: found.position, failures: found.failures }))
    }

    /// Runs the next part of a leased job. Returns where the one after it begins; `None` if there is none, or if
    /// another node has the job now.
    async fn run_part(&self, leased: &Leased, then: Then) -> Result<Option<i64>> {
        let outcome = self.try_part(leased, then).await;
        if outcome.is_err() {
            let failed = after_failure(leased, self.clock().now());
            let mut tx = self.store().write().await?;
            rows::release(&mut tx, &leased.job.name(), leased.lease, failed).await?;
            tx.commit().await?;
        }
        outcome
    }

    async fn try_part(&self, leased: &Leased, then: Then) -> Result<Option<i64>> {
        let Leased { job, lease, .. } = *leased;
        let Part { mut tx, next, events } = do_part(self, job, leased.position).await?;
        let (name, now) = (job.name(), self.clock().now());
        let is_held = match (next, job.interval()) {
            (None, None) => rows::remove(&mut tx, &name, lease).await?,
            (Some(position), _) if then == Then::Hold => {
                rows::hold(&mut tx, &name, lease, position, plus(now, LEASE)).await?
            }
            (next, interval) => {
                let pause = interval.filter(|_| next.is_none()).unwrap_or_default();
                let position = next.unwrap_or_default();
                let progress = Progress { position, failures: 0, due_at: plus(now, pause) };
                rows::release(&mut tx, &name, lease, progress).await?
            }
        };
        if !is_held {
            return Ok(None);
        }
        tx.commit().await?;
        for (user, event) in events {
            self.hub().publish_user(user, event);
        }
        Ok(next)
    }
}

/// Does the part of `job` that begins at `position`.
async fn do_part(chat: &Chat, job: Job, position: i64) -> Result<Part> {
    let next = match job {
        Job::PruneReadMarks => {
            let mut tx = chat.store().write().await?;
            let before = minus(chat.clock().now(), reads::RECEIPTS_KEPT);
            let next = reads::prune(&mut tx, position, before).await?;
            return Ok(Part { next, ..Part::last(tx) });
        }
        Job::TrimRoom(room) => return trim::run_part(chat, room).await,
        Job::Succession(user) => succession::run_part(chat, user, position).await?,
    };
    Ok(Part { next, ..Part::last(chat.store().write().await?) })
}

fn after_failure(leased: &Leased, now: Timestamp) -> Progress {
    let doublings = u32::try_from(leased.failures.clamp(0, 16)).unwrap_or_default();
    let pause = RETRY.saturating_mul(1 << doublings).min(RETRY_MAX);
    Progress {
        position: leased.position,
        failures: leased.failures.saturating_add(1),
        due_at: plus(now, pause),
    }
}

fn minus(time: Timestamp, duration: Duration) -> Timestamp {
    time.plus_micros(-i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_after_failures_double_up_to_an_hour() {
        let now = Timestamp(0);
        let pauses = [0, 1, 2, 8, 9, 1_000].map(|failures| {
            let leased = Leased { job: Job::PruneReadMarks, lease: 1, position: 7, failures };
            let failed = after_failure(&leased, now);
            assert_eq!((failed.position, failed.failures), (7, failures + 1));
            failed.due_at.0 / 1_000_000
        });
        assert_eq!(pauses, [10, 20, 40, 2_560, 3_600, 3_600]);
    }
}
