//! Background jobs. One node at a time works on each, in parts: it leases the job, runs a part in a transaction that
//! also records how far it came, and releases it. If the node dies, the lease expires and another node goes on from
//! the last part.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    error::Result,
    model::Timestamp,
    store::{
        Conn, Store,
        jobs::{self, Lease, Progress},
        reads,
    },
};

/// How long after its start a node looks for jobs that are due for the first time, and how often after that.
const FIRST_TICK: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_secs(30);
/// How long a node may work on one part before another one takes the job.
const LEASE: Duration = Duration::from_mins(1);
/// Pause after the first failure; it doubles with each further one.
const RETRY: Duration = Duration::from_secs(10);
/// Longest pause after a failure.
const RETRY_MAX: Duration = Duration::from_hours(1);

/// A job that has no end: it begins again when it is through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    /// Deletes the receipts of old read marks.
    PruneReadMarks,
}

/// What a part of a job did.
struct Part {
    /// Where the next part begins.
    position: i64,
    /// Whether the job is through and begins again later.
    is_through: bool,
}

impl Job {
    const ALL: [Self; 1] = [Self::PruneReadMarks];

    fn name(self) -> &'static str {
        match self {
            Self::PruneReadMarks => "prune_read_marks",
        }
    }

    /// The pause after the job is through.
    fn interval(self) -> Duration {
        match self {
            Self::PruneReadMarks => Duration::from_hours(1),
        }
    }

    async fn run(self, tx: &mut Conn, position: i64, now: Timestamp) -> Result<Part> {
        match self {
            Self::PruneReadMarks => {
                let before = minus(now, reads::RECEIPTS_KEPT);
                let next = reads::prune(tx, position, before).await?;
                Ok(Part { position: next.unwrap_or_default(), is_through: next.is_none() })
            }
        }
    }
}

/// Runs jobs until `stopping`.
pub(super) async fn run(store: Store, clock: Clock, stopping: CancellationToken) {
    let mut ticks = interval_at(Instant::now() + FIRST_TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // One part of each: on SQLite, messages wait for it.
        for job in Job::ALL {
            if let Err(error) = run_part(&store, &clock, job).await {
                tracing::warn!(%error, job = job.name(), "a job could not be run");
            }
        }
    }
}

/// Runs the next part if it is due.
async fn run_part(store: &Store, clock: &Clock, job: Job) -> Result<()> {
    let now = clock.now();
    // Without randomness the process would not have started; the time is unique enough here.
    let lease = i64::try_from(getrandom::u64().unwrap_or_default() >> 2).unwrap_or(now.0).max(1);
    let mut tx = store.write().await?;
    jobs::ensure(&mut tx, job.name()).await?;
    let leased = jobs::lease(&mut tx, job.name(), lease, now, plus(now, LEASE)).await?;
    tx.commit().await?;
    let Some(leased) = leased else { return Ok(()) };
    let mut tx = store.write().await?;
    match job.run(&mut tx, leased.position, now).await {
        Ok(part) => {
            let pause = if part.is_through { job.interval() } else { Duration::ZERO };
            let progress =
                Progress { position: part.position, failures: 0, due_at: plus(clock.now(), pause) };
            if jobs::release(&mut tx, job.name(), lease, progress).await? {
                tx.commit().await?;
            }
            Ok(())
        }
        Err(error) => {
            drop(tx);
            let failed = after_failure(&leased, clock.now());
            let mut tx = store.write().await?;
            jobs::release(&mut tx, job.name(), lease, failed).await?;
            tx.commit().await?;
            Err(error)
        }
    }
}

fn after_failure(leased: &Lease, now: Timestamp) -> Progress {
    let doublings = u32::try_from(leased.failures.clamp(0, 16)).unwrap_or_default();
    let pause = RETRY.saturating_mul(1 << doublings).min(RETRY_MAX);
    Progress {
        position: leased.position,
        failures: leased.failures.saturating_add(1),
        due_at: plus(now, pause),
    }
}

fn plus(time: Timestamp, duration: Duration) -> Timestamp {
    time.plus_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
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
            let failed = after_failure(&Lease { position: 7, failures }, now);
            assert_eq!((failed.position, failed.failures), (7, failures + 1));
            failed.due_at.0 / 1_000_000
        });
        assert_eq!(pauses, [10, 20, 40, 2_560, 3_600, 3_600]);
    }

    #[tokio::test]
    async fn a_part_is_run_by_one_node_and_continued_by_another() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("liao.db").display())).await;
        let store = store.expect("opened");
        let name = Job::PruneReadMarks.name();
        let (now, until) = (Timestamp(10), Timestamp(20));
        let mut tx = store.write().await.expect("a transaction");
        jobs::ensure(&mut tx, name).await.expect("made");
        let first = jobs::lease(&mut tx, name, 1, now, until).await.expect("asked").expect("it is due");
        assert_eq!((first.position, first.failures), (0, 0));
        assert!(jobs::lease(&mut tx, name, 2, now, until).await.expect("asked").is_none(), "it is leased");
        // The first node is gone.
        let later = Timestamp(20);
        assert!(jobs::lease(&mut tx, name, 2, later, Timestamp(30)).await.expect("asked").is_some());
        let progress = Progress { position: 5, failures: 0, due_at: Timestamp(40) };
        assert!(!jobs::release(&mut tx, name, 1, progress).await.expect("asked"), "too late");
        assert!(jobs::release(&mut tx, name, 2, progress).await.expect("released"));
        assert!(
            jobs::lease(&mut tx, name, 3, later, Timestamp(60)).await.expect("asked").is_none(),
            "not due"
        );
        let next = jobs::lease(&mut tx, name, 3, Timestamp(40), Timestamp(60)).await.expect("asked");
        assert_eq!(next.expect("it is due").position, 5);
    }
}
