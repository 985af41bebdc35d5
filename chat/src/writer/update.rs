//! Changes of a room and its members: each is applied in the writer's transaction, under the room's lock, and takes
//! the room's next number. So they are in one order with the room's messages.
//!
//! The writer knows only the trait [`RoomUpdate`]; each feature of the service implements it for its own changes.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Mutex, PoisonError},
};

use futures::{FutureExt as _, future::BoxFuture};
use tokio::sync::oneshot;

use super::{batch::Context, isolation::Attempt};
use crate::{
    error::{Error, Result},
    event::{UserChange, UserEvent},
    hub::Hub,
    metrics::as_f64,
    model::{Code, Failure, RoomId, UserId},
    store::{members, notifications::stored, rooms, streams},
};

mod transaction;

pub(crate) use transaction::RoomTransaction;
use transaction::{Recorded, Stamp, UserRecord};

/// A change of a room or its members.
pub(crate) trait RoomUpdate: Send + Sync + 'static {
    /// What the caller gets.
    type Output: Send + 'static;

    /// Checks the rules and applies the change. May run again if the batch has to be repeated. What it wrote before an
    /// error is undone.
    ///
    /// # Errors
    /// Why the change is refused; a failing database.
    fn apply(&self, tx: &mut RoomTransaction) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// A queued [`RoomUpdate`], whatever its output.
pub(super) trait QueuedUpdate: Send + Sync {
    fn room(&self) -> RoomId;

    fn actor(&self) -> UserId;

    /// Applies the change and keeps its output. An error is a failure of the database; a refusal is kept as output.
    fn apply<'a>(&'a self, tx: &'a mut RoomTransaction) -> BoxFuture<'a, Result<Applied>>;

    /// Sends the kept output to the caller.
    fn answer(self: Box<Self>);

    /// Sends the failure to the caller.
    fn refuse(self: Box<Self>, failure: Failure);
}

/// Whether a change was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Yes,
    Refused,
}

pub(super) struct Queued<U: RoomUpdate> {
    room: RoomId,
    actor: UserId,
    update: U,
    output: Mutex<Option<Result<U::Output>>>,
    reply: oneshot::Sender<Result<U::Output>>,
}

impl<U: RoomUpdate> Queued<U> {
    pub(super) fn new(
        room: RoomId,
        actor: UserId,
        update: U,
    ) -> (Box<Self>, oneshot::Receiver<Result<U::Output>>) {
        let (reply, receiver) = oneshot::channel();
        (Box::new(Self { room, actor, update, output: Mutex::default(), reply }), receiver)
    }
}

impl<U: RoomUpdate> QueuedUpdate for Queued<U> {
    fn room(&self) -> RoomId {
        self.room
    }

    fn actor(&self) -> UserId {
        self.actor
    }

    fn apply<'a>(&'a self, tx: &'a mut RoomTransaction) -> BoxFuture<'a, Result<Applied>> {
        async {
            let output = match self.update.apply(tx).await {
                Err(Error::Store(error)) => return Err(error.into()),
                output => output,
            };
            let applied = if output.is_ok() { Applied::Yes } else { Applied::Refused };
            *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
            Ok(applied)
        }
        .boxed()
    }

    fn answer(self: Box<Self>) {
        let output = self.output.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The receiver may be gone; the change is stored all the same.
        let _ = self.reply.send(output.unwrap_or(Err(Code::Internal.into())));
    }

    fn refuse(self: Box<Self>, failure: Failure) {
        let _ = self.reply.send(Err(Error::Refused(failure)));
    }
}

/// What to announce after the commit.
pub(super) struct Announcements {
    changes: Vec<(RoomId, Recorded)>,
    /// Those of a user in the order of their numbers.
    users: Vec<(UserId, UserEvent)>,
    /// Changes that the users' streams do not number.
    unnumbered: Vec<(UserId, UserChange)>,
}

/// Applies room updates in batches.
pub(super) struct Updates(pub(super) Context);

impl Attempt for Updates {
    type Job = Box<dyn QueuedUpdate>;
    type Outcome = Announcements;

    async fn attempt(&self, jobs: &[Self::Job]) -> Result<Announcements> {
        let ids: BTreeSet<RoomId> = jobs.iter().map(|job| job.room()).collect();
        let mut conn = self.0.store.write().await?;
        for room in &ids {
            rooms::lock(&mut conn, *room).await?;
        }
        // Read under the locks, so that times increase with commits in each room.
        let mut tx = RoomTransaction::new(conn, self.0.clock.now(), self.0.required_group.clone());
        for job in jobs {
            tx.begin(job.room(), job.actor()).await?;
            match job.apply(&mut tx).await? {
                Applied::Yes => tx.keep().await?,
                Applied::Refused => tx.undo().await?,
            }
        }
        let (mut conn, changes, user_changes) = tx.into_parts();
        let (numbered, unnumbered): (Vec<_>, Vec<_>) =
            user_changes.into_iter().partition(|change| change.stamp != Stamp::None);
        let unnumbered = unnumbered.into_iter().map(|change| (change.user, change.change)).collect();
        let users: Vec<UserId> = numbered.iter().map(|change| change.user).collect();
        // Each change of a user has a number of its own: a client that got one and not the next resumes between them.
        let revs = streams::advance(&mut conn, &users).await?;
        for (UserRecord { user, stamp, .. }, rev) in numbered.iter().zip(&revs) {
            match *stamp {
                Stamp::Membership(room) => members::set_user_rev(&mut conn, room, *user, *rev).await?,
                Stamp::Notification(row) => stored::set_rev(&mut conn, row, *rev).await?,
                Stamp::None => {}
            }
        }
        conn.commit().await?;
        let event = |(record, rev): (UserRecord, i64)| {
            (record.user, UserEvent { rev: Some(rev), change: record.change })
        };
        let users = numbered.into_iter().zip(revs).map(event).collect();
        Ok(Announcements { changes, users, unnumbered })
    }

    fn announce(&self, jobs: Vec<Self::Job>, announcements: Announcements) {
        announcements.publish(&self.0.hub);
        self.0.metrics.commit_changes.record(as_f64(jobs.len()));
        for job in jobs {
            job.answer();
        }
    }

    fn refuse(&self, job: Self::Job, failure: Failure) {
        job.refuse(failure);
    }

    fn sender(job: &Self::Job) -> UserId {
        job.actor()
    }
}

impl Announcements {
    fn publish(self, hub: &Hub) {
        for (room, change) in self.changes {
            if hub.may_have_listeners(room)
                && let Some(change) = change.to_stored()
            {
                hub.publish(room, change);
            }
        }
        for (user, event) in self.users {
            hub.publish_user(user, event);
        }
        for (user, change) in self.unnumbered {
            hub.publish_user(user, UserEvent { rev: None, change });
        }
    }
}
