//! Backfill: reads what a client or a node missed of a room's stream, in pages, so that it takes little memory.
//!
//! It is the same for a client that resumes and for a gap between nodes. First only positions and sizes are read, up to
//! the room's number at that moment (the head), and cut into pages. Missed changes are of four kinds: new messages,
//! ordered by the `rev` of their creation; changes of messages that the client has, memberships, and the room itself,
//! each by the `rev` of the latest change. A row may change again before its page is read. A new message is sent in its
//! current state at the place of its creation; any other row is then left out. The later change has a `rev` above the
//! head and arrives live.

use std::collections::VecDeque;

use crate::{
    change::{MemberState, RoomChange},
    error::Result,
    event::{ChangeKind, StoredChange},
    model::{
        MessageId, RoomRef, ServerFrame, UserId,
        limits::{RESUME_BYTES_MAX, RESUME_MAX, RESUME_MEMBERS_MAX},
    },
    owned_task::OwnedTask,
    rules::access::{Action, allow},
    store::{
        Conn, Store, members,
        messages::{self, Extent},
        rooms::{self, RoomState},
    },
};

mod pages;

use pages::{Page, Position, Span, pages};

/// Limit of the text of a gap between nodes, in bytes. It is higher than for a client that resumes, which can read the
/// history by REST at its own pace.
const GAP_BYTES_MAX: i64 = 16 * 1024 * 1024;

/// Where the backfill begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// After the message with this id. Only new messages are sent.
    AfterId(i64),
    /// After this change.
    AfterRev(i64),
}

/// For whom the backfill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiver {
    /// A client that resumes.
    Client(UserId),
    /// All sockets of this node.
    Node,
}

/// What is left to send.
pub(super) struct Backfill {
    store: Store,
    room: RoomRef,
    receiver: Receiver,
    /// The room's number when the backfill was planned; it is complete up to here.
    head: i64,
    member_count: i64,
    changes: usize,
    pages: VecDeque<Page>,
    /// The read in progress. Kept here, so that it continues after a cancelled [`Self::next`].
    reading: Option<OwnedTask<Result<Vec<StoredChange>>>>,
}

impl Backfill {
    /// Plans the backfill up to the current state of `room`. If more messages were missed than are sent, it has a
    /// `resync` in their place, after everything else.
    pub(super) async fn plan(
        conn: &mut Conn,
        store: &Store,
        room: &RoomState,
        receiver: Receiver,
        resume: Resume,
    ) -> Result<Self> {
        let head = room.rev;
        let (after, known) = match resume {
            Resume::AfterId(id) => (messages::seq_upto(conn, room, MessageId(id.max(0))).await?, head),
            Resume::AfterRev(rev) => {
                let known = rev.clamp(0, head);
                (messages::seq_at_rev(conn, room, known).await?, known)
            }
        };
        let mut positions = Vec::new();
        let is_too_much = match missed_messages(conn, room, after, known, receiver).await? {
            Some(found) => {
                positions.extend(found);
                false
            }
            None => true,
        };
        let info_rev = rooms::info(conn, room.id).await?.map_or(0, |(_, info_rev)| info_rev);
        if (known + 1..=head).contains(&info_rev) {
            positions.push(Position::Room { rev: info_rev });
        }
        positions.extend(missed_members(conn, room, known, receiver).await?);
        positions.sort_by_key(Position::number);
        if is_too_much {
            positions.push(Position::Resync { rev: head });
        }
        Ok(Self {
            store: store.clone(),
            room: room.to_ref(),
            receiver,
            head,
            member_count: room.member_count,
            changes: positions.len(),
            pages: pages(&positions),
            reading: None,
        })
    }

    /// The number of changes to send.
    pub(super) fn changes(&self) -> usize {
        self.changes
    }

    /// Whether more messages were missed than are sent.
    pub(super) fn is_resync(&self) -> bool {
        self.pages.back().is_some_and(|page| page.resync.is_some())
    }

    /// The backfill is complete up to this number.
    pub(super) fn head(&self) -> i64 {
        self.head
    }

    /// The changes of the next page, ordered by `rev`; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// Why the client may not read the room any more; a failing database.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<StoredChange>>> {
        if self.reading.is_none() {
            let Some(page) = self.pages.pop_front() else { return Ok(None) };
            let read = Read {
                store: self.store.clone(),
                room: self.room.clone(),
                receiver: self.receiver,
                head: self.head,
                member_count: self.member_count,
                page,
            };
            self.reading = Some(OwnedTask::spawn(read.run()));
        }
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let changes = reading.await;
        self.reading = None;
        changes.map(Some)
    }
}

/// The positions of the messages that were missed: new ones after `after` (their `seq`), changed ones after `known`.
/// `None` if they are too many, or too long.
async fn missed_messages(
    conn: &mut Conn,
    room: &RoomState,
    after: i64,
    known: i64,
    receiver: Receiver,
) -> Result<Option<Vec<Position>>> {
    if room.seq - after > RESUME_MAX {
        return Ok(None);
    }
    let bytes_max = match receiver {
        Receiver::Client(_) => RESUME_BYTES_MAX,
        Receiver::Node => GAP_BYTES_MAX,
    };
    let changed = messages::extents_changed(conn, room.id, known, room.rev, RESUME_MAX + 1).await?;
    let new = messages::extents(conn, room.id, after, room.seq).await?;
    let bytes: i64 = new.iter().chain(&changed).map(|extent| extent.bytes).sum();
    if i64::try_from(new.len() + changed.len()).unwrap_or(i64::MAX) > RESUME_MAX || bytes > bytes_max {
        return Ok(None);
    }
    let new = new.into_iter().map(|Extent { seq, created_rev, bytes, .. }| Position::New {
        rev: created_rev,
        seq,
        bytes,
    });
    let changed = changed.into_iter().map(|Extent { rev, bytes, .. }| Position::Changed { rev, bytes });
    Ok(Some(new.chain(changed).collect()))
}

/// The positions of the memberships that changed after `known`. For a client, more than a few hundred are summed up,
/// except its own.
async fn missed_members(
    conn: &mut Conn,
    room: &RoomState,
    known: i64,
    receiver: Receiver,
) -> Result<Vec<Position>> {
    let Receiver::Client(user) = receiver else {
        let revs = members::revs_between(conn, room.id, known, room.rev, i64::MAX).await?;
        return Ok(revs.into_iter().map(|rev| Position::Member { rev }).collect());
    };
    let revs = members::revs_between(conn, room.id, known, room.rev, RESUME_MEMBERS_MAX + 1).await?;
    if i64::try_from(revs.len()).unwrap_or(i64::MAX) <= RESUME_MEMBERS_MAX {
        return Ok(revs.into_iter().map(|rev| Position::Member { rev }).collect());
    }
    let own = members::find(conn, room.to_ref(), user).await?.map(|own| own.rev);
    let own = own.filter(|rev| (known + 1..=room.rev).contains(rev));
    // Each number once.
    let sum = Position::Members { rev: room.rev - i64::from(own == Some(room.rev)) };
    Ok(own.map(|rev| Position::Member { rev }).into_iter().chain([sum]).collect())
}

/// The read of one page.
struct Read {
    store: Store,
    room: RoomRef,
    receiver: Receiver,
    head: i64,
    member_count: i64,
    page: Page,
}

impl Read {
    async fn run(self) -> Result<Vec<StoredChange>> {
        let Self { room, page, .. } = &self;
        let mut conn = self.store.read().await?;
        if let Receiver::Client(user) = self.receiver {
            let access = rooms::access(&mut conn, room.id, user).await?;
            allow(access.as_ref(), Action::Listen)?;
        }
        let mut changes = Vec::new();
        if let Some(Span { after, upto }) = page.new.range() {
            let found = messages::range(&mut conn, room, after, upto).await?;
            changes.extend(found.iter().map(|stored| {
                let (message, rev, seq) = (&stored.message, stored.created_rev, stored.seq);
                // Watchers read missed messages themselves.
                RoomChange::NewMessage { message, rev, seq, mentioned: Vec::new() }.to_stored()
            }));
        }
        if let Some(Span { after, upto }) = page.changed.range() {
            let found = messages::changed_between(&mut conn, room, after, upto).await?;
            changes
                .extend(found.iter().map(|stored| RoomChange::MessageChanged(&stored.message).to_stored()));
        }
        if let Some(Span { after, upto }) = page.members.range() {
            let found = members::changed_between(&mut conn, room, after, upto, i64::MAX).await?;
            changes.extend(found.iter().map(|found| {
                let member = MemberState { member_count: self.member_count, ..found.state() };
                RoomChange::Member(member).to_stored()
            }));
        }
        if let Some(rev) = page.member_sum {
            let frame =
                ServerFrame::MembersChanged { room_id: room.id, member_count: self.member_count, rev };
            changes.push(StoredChange::new(&frame, rev, ChangeKind::MessageChanged));
        }
        if page.has_room
            && let Some((info, rev)) = rooms::info(&mut conn, room.id).await?
            && rev <= self.head
        {
            changes.push(RoomChange::Room { room: &info, rev }.to_stored());
        }
        drop(conn);
        if let Some(rev) = page.resync {
            changes.push(StoredChange::new(
                &ServerFrame::Resync { room_id: room.id, rev },
                rev,
                ChangeKind::Resync,
            ));
        }
        let mut changes: Vec<StoredChange> = changes.into_iter().flatten().collect();
        // Stable: a resync has the number of the last change, and comes after it.
        changes.sort_by_key(|change| change.rev);
        Ok(changes)
    }
}
