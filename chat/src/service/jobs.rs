//! Background jobs: what follows from a change and must not be lost, and what recurs. One node at a time works on each,
//! in parts: it leases the job, runs a part, records in a transaction how far it came, and releases it. If the node
//! dies, the lease expires and another node goes on from the last part.
//!
//! A job that follows from a change is a row written in the change's own transaction, leased to the process that makes
//! the change. So it is done at once, or if that process dies, by another one.

use std::{sync::Weak, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Chat, Inner, succession, trim};
use crate::{
    error::Result,
    event::UserEvent,
    model::{RoomId, Timestamp, UserId},
    store::{
        Conn, StoreResult,
        jobs::{self as rows, Progress},
        reads,
    },
};

/// How long after its start a node looks for jobs that are due, and how often after that.
const FIRST_TICK: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_secs(10);
/// The pause between two parts of a job.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a node may work on one part before another one takes the job.
const LEASE: Duration = Duration::from_mins(1);
/// Pause after the first failure; it doubles with each further one.
const RETRY: Duration = Duration::from_secs(10);
/// Longest pause after a failure.
const RETRY_MAX: Duration = Duration::from_hours(1);
/// Maximum number of jobs that are run in turn.
const AT_ONCE: i64 = 16;

/// A kind of job, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Deletes the receipts of old read marks, again and again.
    PruneReadMarks,
    /// Does what follows from a moved floor of this room.
    TrimRoom(RoomId),
    /// Makes sure that the rooms of this user have an admin, after a change of the account.
    Succession(UserId),
}

/// A job that this process has leased.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leased {
    job: Job,
    /// A random number that only this process has.
    lease: i64,
    position: i64,
    failures: i64,
}

/// What a part of a job did.
pub(super) struct Part {
    /// The transaction in which the part ends.
    pub(super) tx: Conn,
    /// Where the next part begins; `None` if the job is through.
    pub(super) next: Option<i64>,
    /// What to publish after the commit.
    pub(super) events: Vec<(UserId, UserEvent)>,
}

impl Part {
    /// The last part.
    pub(super) fn last(tx: Conn) -> Self {
        Self { tx, next: None, events: Vec::new() }
    }

    /// A part after which the job goes on at `position`.
    pub(super) fn until(tx: Conn, position: i64) -> Self {
        Self { next: Some(position), ..Self::last(tx) }
    }
}

/// What happens to the lease after a part that is not the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Hold,
    Release,
}

impl Job {
    /// The jobs that recur.
    const RECURRING: [Self; 1] = [Self::PruneReadMarks];

    fn name(self) -> String {
        match self {
            Self::PruneReadMarks => "prune_read_marks".to_owned(),
            Self::TrimRoom(room) => format!("trim_room:{room}"),
            Self::Succession(user) => format!("succession:{user}"),
        }
    }

    /// Parses a stored name; `None` for a job of another version.
    fn parse(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("trim_room", room)) => room.parse().ok().map(Self::TrimRoom),
            Some(("succession", user)) => user.parse().ok().map(Self::Succession),
            Some(_) => None,
            None => Self::RECURRING.into_iter().find(|job| job.name() == name),
        }
    }

    /// The pause after the job is through; `None` if it has an end.
    fn interval(self) -> Option<Duration> {
        match self {
            Self::PruneReadMarks => Some(Duration::from_hours(1)),
            Self::TrimRoom(_) | Self::Succession(_) => None,
        }
    }

    async fn run(self, chat: &Chat, position: i64) -> Result<Part> {
        let next = match self {
            Self::PruneReadMarks => {
                let mut tx = chat.store().write().await?;
                let before = minus(chat.clock().now(), reads::RECEIPTS_KEPT);
                let next = reads::prune(&mut tx, position, before).await?;
                return Ok(Part { next, ..Part::last(tx) });
            }
            Self::TrimRoom(room) => return trim::run_part(chat, room).await,
            Self::Succession(user) => succession::run_part(chat, user, position).await?,
        };
        Ok(Part { next, ..Part::last(chat.store().write().await?) })
    }
}

/// Adds a job in the transaction of the change that it follows from, leased to this process, which then calls
/// [`Chat::finish_job`]. A job that is there already begins again.
pub(super) async fn add(tx: &mut Conn, job: Job, now: Timestamp) -> StoreResult<Leased> {
    let lease = new_lease(now);
    rows::add(tx, &job.name(), lease, plus(now, LEASE)).await?;
    Ok(Leased { job, lease, position: 0, failures: 0 })
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
    /// Runs a job that was [`add`]ed to its end. Another process that finds it due because this one was too slow
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
        let Part { mut tx, next, events } = job.run(self, leased.position).await?;
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

fn new_lease(now: Timestamp) -> i64 {
    // Without randomness the process would not have started; the time is unique enough here.
    i64::try_from(getrandom::u64().unwrap_or_default() >> 2).unwrap_or(now.0).max(1)
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

fn plus(time: Timestamp, duration: Duration) -> Timestamp {
    time.plus_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

fn minus(time: Timestamp, duration: Duration) -> Timestamp {
    time.plus_micros(-i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn names_are_parsed_again() {
        for job in [Job::PruneReadMarks, Job::TrimRoom(RoomId(7)), Job::Succession(UserId(8))] {
            assert_eq!(Job::parse(&job.name()), Some(job));
            assert!(job.name().len() <= 64, "as long as the column");
        }
        for name in ["", "trim_room", "trim_room:x", "later:1"] {
            assert_eq!(Job::parse(name), None, "{name}");
        }
    }

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

    #[tokio::test]
    async fn a_part_is_run_by_one_node_and_continued_by_another() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("liao.db").display())).await;
        let store = store.expect("opened");
        let name = &Job::PruneReadMarks.name();
        let (now, until) = (Timestamp(10), Timestamp(20));
        let mut tx = store.write().await.expect("a transaction");
        rows::ensure(&mut tx, name, now).await.expect("made");
        let first = rows::lease(&mut tx, name, 1, now, until).await.expect("asked").expect("it is due");
        assert_eq!((first.position, first.failures), (0, 0));
        assert!(rows::lease(&mut tx, name, 2, now, until).await.expect("asked").is_none(), "it is leased");
        // The first node is gone.
        let later = Timestamp(20);
        assert!(rows::lease(&mut tx, name, 2, later, Timestamp(30)).await.expect("asked").is_some());
        let progress = Progress { position: 5, failures: 0, due_at: Timestamp(40) };
        assert!(!rows::release(&mut tx, name, 1, progress).await.expect("asked"), "too late");
        assert!(rows::release(&mut tx, name, 2, progress).await.expect("released"));
        assert!(
            rows::lease(&mut tx, name, 3, later, Timestamp(60)).await.expect("asked").is_none(),
            "not due"
        );
        let next = rows::lease(&mut tx, name, 3, Timestamp(40), Timestamp(60)).await.expect("asked");
        assert_eq!(next.expect("it is due").position, 5);
    }
    #[tokio::test]
    async fn a_job_that_is_added_again_while_it_runs_runs_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("liao.db").display())).await;
        let store = store.expect("opened");
        let job = Job::TrimRoom(RoomId(1));
        let mut tx = store.write().await.expect("a transaction");
        let first = add(&mut tx, job, Timestamp(0)).await.expect("added");
        let (now, name) = (Timestamp(1), &job.name());
        assert_eq!(
            rows::due(&mut tx, now, 9).await.expect("read"),
            [""; 0],
            "leased to the one who added it"
        );
        let second = add(&mut tx, job, now).await.expect("added");
        assert!(!rows::remove(&mut tx, name, first.lease).await.expect("asked"), "there is more to do");
        assert!(!rows::hold(&mut tx, name, first.lease, 5, now).await.expect("asked"));
        assert!(rows::hold(&mut tx, name, second.lease, 5, Timestamp(9)).await.expect("held"));
        assert_eq!(rows::due(&mut tx, Timestamp(9), 9).await.expect("read"), [name.as_str()]);
        assert!(rows::remove(&mut tx, name, second.lease).await.expect("removed"));
        assert_eq!(rows::due(&mut tx, Timestamp(99), 9).await.expect("read"), [""; 0]);
    }
}
