//! Background jobs: what follows from a change and must not be lost, and what recurs. One node at a time works on each,
//! in parts: it leases the job, runs a part, records in a transaction how far it came, and releases it. If the node
//! dies, the lease expires and another node goes on from the last part.
//!
//! A job that follows from a change is a row written in the change's own transaction, leased to the process that makes
//! the change. So it is done at once, or if that process dies, by another one.

use std::time::Duration;

use crate::{
    event::UserEvent,
    model::{RoomId, Timestamp, UserId},
    store::{Conn, StoreResult, jobs as rows},
};

/// How long a node may work on one part before another one takes the job.
pub(super) const LEASE: Duration = Duration::from_mins(1);

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
    pub(super) job: Job,
    /// A random number that only this process has.
    pub(super) lease: i64,
    pub(super) position: i64,
    pub(super) failures: i64,
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

impl Job {
    /// The jobs that recur.
    pub(super) const RECURRING: [Self; 1] = [Self::PruneReadMarks];

    pub(super) fn name(self) -> String {
        match self {
            Self::PruneReadMarks => "prune_read_marks".to_owned(),
            Self::TrimRoom(room) => format!("trim_room:{room}"),
            Self::Succession(user) => format!("succession:{user}"),
        }
    }

    /// Parses a stored name; `None` for a job of another version.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("trim_room", room)) => room.parse().ok().map(Self::TrimRoom),
            Some(("succession", user)) => user.parse().ok().map(Self::Succession),
            Some(_) => None,
            None => Self::RECURRING.into_iter().find(|job| job.name() == name),
        }
    }

    /// The pause after the job is through; `None` if it has an end.
    pub(super) fn interval(self) -> Option<Duration> {
        match self {
            Self::PruneReadMarks => Some(Duration::from_hours(1)),
            Self::TrimRoom(_) | Self::Succession(_) => None,
        }
    }
}

/// Adds a job in the transaction of the change that it follows from, leased to this process, which then calls
/// [`finish_job`](super::Chat::finish_job). A job that is there already begins again.
pub(super) async fn add(tx: &mut Conn, job: Job, now: Timestamp) -> StoreResult<Leased> {
    let lease = new_lease(now);
    rows::add(tx, &job.name(), lease, plus(now, LEASE)).await?;
    Ok(Leased { job, lease, position: 0, failures: 0 })
}

pub(super) fn new_lease(now: Timestamp) -> i64 {
    // Without randomness the process would not have started; the time is unique enough here.
    i64::try_from(getrandom::u64().unwrap_or_default() >> 2).unwrap_or(now.0).max(1)
}

pub(super) fn plus(time: Timestamp, duration: Duration) -> Timestamp {
    time.plus_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, jobs::Progress};

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
