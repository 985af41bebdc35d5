//! Reading a room's history: by page, by cursor, and what changed since.

use super::{
    Chat,
    access::{Action, allow},
    backfill::is_too_much,
};
use crate::{
    error::{Error, Result},
    model::{
        Message, MessageId, MessagePage, Problem, RoomId, RoomRef, User,
        id::MAX_ID,
        limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, RESUME_MAX},
    },
    store::{
        Conn,
        messages::{self, StoredMessage},
        rooms::{self, RoomAccess},
    },
};

/// Which part of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// From 1, the newest.
    pub page: Option<i64>,
    /// 20 when nothing is said; more than 100 counts as 100.
    pub page_size: Option<i64>,
    /// Only messages with a smaller id, newest first.
    pub before_id: Option<i64>,
    /// Only messages with a larger id, oldest first; 0 is from the start.
    pub after_id: Option<i64>,
}

impl Chat {
    /// A part of the room's history. Whatever the depth, it is one range of the index
    /// on (room, seq): `seq` is a message's place and the room's `seq` how many there are.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`, `invalid`.
    pub async fn history(&self, viewer: &User, room: RoomId, query: HistoryQuery) -> Result<MessagePage> {
        let window = Window::of(query)?;
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, room, viewer.id).await?;
        window.read(&mut conn, access.as_ref()).await
    }
}

/// What a [`HistoryQuery`] asks for, checked.
pub(super) struct Window {
    query: HistoryQuery,
    page: i64,
    size: i64,
}

impl Window {
    pub(super) fn of(query: HistoryQuery) -> Result<Self> {
        let size = query.page_size.unwrap_or(PAGE_SIZE_DEFAULT);
        let page = query.page.unwrap_or(1);
        if size < 1 {
            return Err(Error::invalid("page_size", Problem::OutOfRange { min: 1, max: PAGE_SIZE_MAX }));
        }
        if page < 1 {
            return Err(Error::invalid("page", Problem::OutOfRange { min: 1, max: i64::MAX }));
        }
        if query.before_id.is_some() && query.after_id.is_some() {
            return Err(Error::invalid("after_id", Problem::Conflict));
        }
        Ok(Self { query, page, size: size.min(PAGE_SIZE_MAX) })
    }

    /// How many of the newest to leave out and how many to take then; `None` where that is not known before a
    /// cursor was looked up.
    pub(super) fn below_the_newest(&self) -> Option<(i64, i64)> {
        let by_cursor = self.query.before_id.is_some() || self.query.after_id.is_some();
        (!by_cursor).then_some((self.skipped(), self.size))
    }

    fn skipped(&self) -> i64 {
        (self.page - 1).saturating_mul(self.size)
    }

    /// Reads it for somebody with this access.
    pub(super) async fn read(&self, conn: &mut Conn, access: Option<&RoomAccess>) -> Result<MessagePage> {
        let state = &allow(access, Action::Read)?.room;
        let (room, total) = (state.id, state.seq);
        let is_forward = self.query.after_id.is_some();
        let (after, upto) = if let Some(id) = self.query.after_id {
            let after = place(conn, room, Side::After, id, total).await?;
            (after, after.saturating_add(self.size).min(total))
        } else {
            let newest = match self.query.before_id {
                Some(id) => place(conn, room, Side::Before, id, total).await?,
                None => total,
            };
            let upto = newest.saturating_sub(self.skipped());
            (upto.saturating_sub(self.size).max(0), upto.max(0))
        };
        let mut stored: Vec<Message> = if upto > after {
            let found = messages::range(conn, &state.to_ref(), after, upto).await?;
            found.into_iter().map(|stored| stored.message).collect()
        } else {
            Vec::new()
        };
        if !is_forward {
            stored.reverse();
        }
        let has_more = if is_forward { upto < total } else { after > 0 };
        Ok(MessagePage { messages: stored, page: self.page, page_size: self.size, total, has_more })
    }

    /// The page of what was found [`Self::below_the_newest`], for somebody with this access.
    pub(super) fn filled(&self, access: &RoomAccess, found: Vec<StoredMessage>) -> Result<MessagePage> {
        let total = allow(Some(access), Action::Read)?.room.seq;
        let has_more = total.saturating_sub(self.skipped()) > self.size;
        let messages = found.into_iter().rev().map(|stored| stored.message).collect();
        Ok(MessagePage { messages, page: self.page, page_size: self.size, total, has_more })
    }
}

/// Which messages a cursor asks for.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Side {
    fn field(self) -> &'static str {
        match self {
            Self::Before => "before_id",
            Self::After => "after_id",
        }
    }

    /// The smallest cursor that has a meaning: after nothing is from the start, before nothing is no message.
    fn least(self) -> i64 {
        match self {
            Self::Before => 1,
            Self::After => 0,
        }
    }
}

/// The newest place before the message that a cursor names, or its own, which what comes after it comes after. It
/// names one of the room nearly always; any other id has its place among the ids.
async fn place(conn: &mut Conn, room: RoomId, side: Side, id: i64, total: i64) -> Result<i64> {
    let least = side.least();
    if !(least..=MAX_ID).contains(&id) {
        return Err(Error::invalid(side.field(), Problem::OutOfRange { min: least, max: MAX_ID }));
    }
    if id == 0 {
        return Ok(0);
    }
    match messages::seq_of(conn, room, MessageId(id)).await? {
        Some(seq) => Ok(match side {
            Side::Before => seq - 1,
            Side::After => seq,
        }),
        None => Ok(messages::seq_among(conn, room, MessageId(id), total).await?),
    }
}

/// Bytes of text of a hole in a room's changes that are fetched for all its sockets at once. They are in memory
/// together, since of a message that changes meanwhile its newest state must be the one that is told.
const HOLE_BYTES_MAX: i64 = 16 * 1024 * 1024;

/// What sockets that were told everything up to change `rev` have missed, in order; `None`
/// when that is more than [`RESUME_MAX`], or too large.
pub(super) async fn missed(
    conn: &mut Conn,
    room: &RoomRef,
    rev: i64,
) -> Result<Option<Vec<messages::StoredMessage>>> {
    let extents = messages::extents_since(conn, room.id, rev, RESUME_MAX + 1).await?;
    if is_too_much(extents.iter(), HOLE_BYTES_MAX) {
        return Ok(None);
    }
    Ok(Some(messages::changed_since(conn, room, rev, RESUME_MAX).await?))
}
