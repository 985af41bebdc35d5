//! Message history: pagination by page and by cursor.

use super::Chat;
use crate::{
    error::{Error, Result},
    model::{
        Code, Message, MessageId, MessagePage, Problem, RoomId, User,
        id::MAX_ID,
        limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX},
    },
    rules::access::{Action, allow},
    store::{
        Conn,
        messages::{self, StoredMessage},
        rooms::{self, RoomAccess, RoomState},
    },
};

/// A page of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Page number from 1, the newest; default 1.
    pub page: Option<i64>,
    /// Default 20; at most 100, larger values count as 100.
    pub page_size: Option<i64>,
    /// Only messages with a smaller id, newest first.
    pub before_id: Option<i64>,
    /// Only messages with a larger id, oldest first; 0 starts at the oldest.
    pub after_id: Option<i64>,
}

impl Chat {
    /// A page of the room's history. At any depth it is one range of the index on (room, seq), and the
    /// room's counters have the total.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`, `invalid`.
    pub async fn history(&self, viewer: &User, room: RoomId, query: HistoryQuery) -> Result<MessagePage> {
        let query = CheckedQuery::of(query)?;
        let mut conn = self.store().read().await?;
        let Some((skipped, count)) = query.newest_range() else {
            let access = rooms::access(&mut conn, room, viewer.id).await?;
            return query.read(&mut conn, access.as_ref()).await;
        };
        let found = rooms::access_and_newest(&mut conn, room, viewer.id, skipped, count).await?;
        let (access, messages) = found.ok_or(Code::NotFound)?;
        query.page_of(&access, messages)
    }
}

/// A validated [`HistoryQuery`].
struct CheckedQuery {
    query: HistoryQuery,
    page: i64,
    size: i64,
}

impl CheckedQuery {
    fn of(query: HistoryQuery) -> Result<Self> {
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

    /// How many of the newest messages to skip and how many to return; `None` if a cursor has to be looked up first.
    fn newest_range(&self) -> Option<(i64, i64)> {
        let by_cursor = self.query.before_id.is_some() || self.query.after_id.is_some();
        (!by_cursor).then_some((self.skipped(), self.size))
    }

    fn skipped(&self) -> i64 {
        (self.page - 1).saturating_mul(self.size)
    }

    /// Reads the page at a cursor for a user with this access.
    async fn read(&self, conn: &mut Conn, access: Option<&RoomAccess>) -> Result<MessagePage> {
        let state = &allow(access, Action::Read)?.room;
        let (after, upto, is_forward) = if let Some(id) = self.query.after_id {
            let after = seq_at_cursor(conn, state, CursorSide::After, id).await?;
            (after, after.saturating_add(self.size).min(state.seq), true)
        } else {
            let id = self.query.before_id.unwrap_or(MAX_ID);
            let newest = seq_at_cursor(conn, state, CursorSide::Before, id).await?;
            let upto = newest.saturating_sub(self.skipped()).max(state.floor());
            (upto.saturating_sub(self.size).max(state.floor()), upto, false)
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
        let has_more = if is_forward { upto < state.seq } else { after > state.floor() };
        let total = state.total();
        Ok(MessagePage { messages: stored, page: self.page, page_size: self.size, total, has_more })
    }

    /// The page made of the messages read by [`Self::newest_range`], for a user with this access.
    fn page_of(&self, access: &RoomAccess, found: Vec<StoredMessage>) -> Result<MessagePage> {
        let total = allow(Some(access), Action::Read)?.room.total();
        let has_more = total.saturating_sub(self.skipped()) > self.size;
        let messages = found.into_iter().rev().map(|stored| stored.message).collect();
        Ok(MessagePage { messages, page: self.page, page_size: self.size, total, has_more })
    }
}

/// The direction of a cursor.
#[derive(Clone, Copy)]
enum CursorSide {
    Before,
    After,
}

impl CursorSide {
    fn field(self) -> &'static str {
        match self {
            Self::Before => "before_id",
            Self::After => "after_id",
        }
    }

    /// The smallest valid cursor: `after_id=0` starts at the oldest message, `before_id=0` would match nothing.
    fn least(self) -> i64 {
        match self {
            Self::Before => 1,
            Self::After => 0,
        }
    }
}

/// The `seq` up to which a cursor reaches: of the message itself for `after_id`, of the one before it for
/// `before_id`. Any id works, also of a message in another room, or of one that was removed.
async fn seq_at_cursor(conn: &mut Conn, room: &RoomState, side: CursorSide, id: i64) -> Result<i64> {
    let least = side.least();
    if !(least..=MAX_ID).contains(&id) {
        return Err(Error::invalid(side.field(), Problem::OutOfRange { min: least, max: MAX_ID }));
    }
    if id == 0 {
        return Ok(room.floor());
    }
    match messages::seq_of(conn, room.id, MessageId(id)).await? {
        Some(seq) => Ok(match side {
            CursorSide::Before => seq - 1,
            CursorSide::After => seq,
        }),
        None => Ok(messages::seq_among(conn, room, MessageId(id)).await?),
    }
}
