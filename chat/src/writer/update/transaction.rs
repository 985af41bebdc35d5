//! The transaction of a batch of room updates, as an update sees it.

use std::sync::Arc;

use crate::{
    change::{MemberState, RoomChange},
    error::{Error, Result},
    event::{StoredChange, UserChange},
    model::{Code, MemberChange, RoomId, RoomInfo, Timestamp, UserId},
    store::{
        Conn, StoreError,
        members::{self, Membership},
        rooms::{self, RoomAccess, RoomState, RoomUpdate},
    },
};

/// The transaction, with the state of the room that the current update changes.
pub(crate) struct RoomTransaction {
    conn: Conn,
    now: Timestamp,
    required_group: Option<Arc<str>>,
    /// The room, locked. An update changes its `member_count` with the members.
    room: Option<RoomState>,
    /// Who makes the current update.
    actor: UserId,
    /// Where the current update began, to undo it.
    mark: (usize, usize),
    changes: Vec<(RoomId, Recorded)>,
    users: Vec<UserRecord>,
}

/// A change to announce.
pub(super) enum Recorded {
    Member { membership: Box<Membership>, change: MemberChange, member_count: i64, rev: i64 },
    Room { room: Box<RoomInfo>, rev: i64 },
}

impl Recorded {
    pub(super) fn to_stored(&self) -> Option<StoredChange> {
        match self {
            Self::Member { membership, change, member_count, rev } => RoomChange::Member(MemberState {
                change: *change,
                member_count: *member_count,
                rev: *rev,
                ..membership.state()
            })
            .to_stored(),
            Self::Room { room, rev } => RoomChange::Room { room, rev: *rev }.to_stored(),
        }
    }
}

/// A change that concerns one user.
pub(super) struct UserRecord {
    pub(super) user: UserId,
    pub(super) change: UserChange,
    pub(super) stamp: Stamp,
}

/// The row that gets the change's number in the user's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// None: the stream does not number this change.
    None,
    /// The user's membership of this room.
    Membership(RoomId),
    /// The notification with this row id.
    Notification(i64),
}

impl RoomTransaction {
    pub(super) fn new(conn: Conn, now: Timestamp, required_group: Option<Arc<str>>) -> Self {
        let (changes, users) = (Vec::new(), Vec::new());
        // The room and the actor are set by `begin`.
        Self { conn, now, required_group, room: None, actor: UserId(0), mark: (0, 0), changes, users }
    }

    /// Begins an update of this room by this user.
    pub(super) async fn begin(&mut self, room: RoomId, actor: UserId) -> Result<()> {
        self.conn.savepoint().await?;
        self.mark = (self.changes.len(), self.users.len());
        self.actor = actor;
        self.room = rooms::state(&mut self.conn, room).await?;
        Ok(())
    }

    /// Ends an update that was applied.
    pub(super) async fn keep(&mut self) -> Result<()> {
        if self.changes.len() > self.mark.0
            && let Some(room) = &self.room
        {
            rooms::set_counters(&mut self.conn, room.id, room.member_count, room.rev).await?;
        }
        Ok(self.conn.release_savepoint().await?)
    }

    /// Ends an update that was refused, and undoes what it wrote.
    pub(super) async fn undo(&mut self) -> Result<()> {
        self.changes.truncate(self.mark.0);
        self.users.truncate(self.mark.1);
        Ok(self.conn.rollback_to_savepoint().await?)
    }

    pub(super) fn into_parts(self) -> (Conn, Vec<(RoomId, Recorded)>, Vec<UserRecord>) {
        (self.conn, self.changes, self.users)
    }

    /// The connection, for what the rules need to read, and for rows that have no number of the room.
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// The group whose members alone may chat, if there is one.
    pub(crate) fn required_group(&self) -> Option<Arc<str>> {
        self.required_group.clone()
    }

    /// The time of the change.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The room.
    ///
    /// # Errors
    /// `not_found`.
    pub(crate) fn room(&mut self) -> Result<&mut RoomState> {
        self.room.as_mut().ok_or(Error::from(Code::NotFound))
    }

    /// The user who makes the current update.
    pub(crate) fn actor(&self) -> UserId {
        self.actor
    }

    /// The actor's access to the room; `None` if there is no such room.
    pub(crate) async fn actor_access(&mut self) -> Result<Option<RoomAccess>> {
        let Some(room) = &self.room else { return Ok(None) };
        Ok(rooms::access(&mut self.conn, room.id, self.actor).await?)
    }

    /// Takes the room's next number.
    ///
    /// # Errors
    /// `not_found`.
    pub(crate) fn next_rev(&mut self) -> Result<i64> {
        let room = self.room()?;
        room.rev += 1;
        Ok(room.rev)
    }

    /// Records a change of the membership of `user`, whose row has number `rev` now. Returns the membership.
    pub(crate) async fn record_member(
        &mut self,
        user: UserId,
        change: MemberChange,
        rev: i64,
    ) -> Result<Membership> {
        let room = self.room()?;
        let (id, tag, member_count) = (room.id, room.to_ref(), room.member_count);
        let found = members::find(&mut self.conn, tag, user).await?;
        let membership = found.ok_or(StoreError::Corrupt("a changed membership is not there"))?;
        let recorded =
            Recorded::Member { membership: Box::new(membership.clone()), change, member_count, rev };
        self.changes.push((id, recorded));
        Ok(membership)
    }

    /// Updates the room's own fields under its next number, and records the change.
    pub(crate) async fn update_room(&mut self, change: &RoomUpdate<'_>) -> Result<()> {
        let (id, rev) = (self.room()?.id, self.next_rev()?);
        rooms::update(&mut self.conn, id, change, rev, self.now).await?;
        let (room, _) = rooms::info(&mut self.conn, id).await?.ok_or(Code::NotFound)?;
        self.changes.push((id, Recorded::Room { room: Box::new(room), rev }));
        Ok(())
    }

    /// `user` became a member, or is none any more.
    pub(crate) fn notify_membership(&mut self, user: UserId) -> Result<()> {
        let room = self.room()?.id;
        self.notify(user, UserChange::Room(room), Stamp::Membership(room));
        Ok(())
    }

    /// Something else changed about the membership of `user`.
    pub(crate) fn notify_role(&mut self, user: UserId) -> Result<()> {
        let room = self.room()?.id;
        self.notify(user, UserChange::Room(room), Stamp::None);
        Ok(())
    }

    /// The notification of `user` with this row id was stored or changed.
    pub(crate) fn notify_notification(&mut self, user: UserId, row: i64) {
        self.notify(user, UserChange::Notification, Stamp::Notification(row));
    }

    fn notify(&mut self, user: UserId, change: UserChange, stamp: Stamp) {
        self.users.push(UserRecord { user, change, stamp });
    }
}
