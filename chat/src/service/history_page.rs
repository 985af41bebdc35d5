//! A page of history for the web UI: with quoted messages, the user's read position and permissions. As in
//! [`super::history`], any page at any depth is one range of an index.

use std::collections::BTreeSet;

use super::Chat;
use crate::{
    error::Result,
    model::{HistoryWindow, MessageId, RoomId, RoomMessage, User, WindowAt, limits::PAGE_SIZE_MAX},
    rules::{
        access::{Action, allow, message_permissions},
        mention::Candidates,
    },
    store::{
        Conn, members, messages,
        rooms::{self, RoomState},
    },
};

/// Length of a quoted message, in characters.
const QUOTED: usize = 160;

/// Maximum number of names looked up for the mentions of a page.
const CANDIDATES: usize = 512;

impl Chat {
    /// `size` messages of the room, at most [`PAGE_SIZE_MAX`].
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`.
    pub async fn history_window(
        &self,
        viewer: &User,
        room: RoomId,
        at: WindowAt,
        size: i64,
    ) -> Result<HistoryWindow> {
        let size = size.clamp(1, PAGE_SIZE_MAX);
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, room, viewer.id).await?;
        let access = allow(access.as_ref(), Action::Read)?;
        // Read before the messages, so that a change between the two is received twice rather than missed.
        let state = &access.room;
        let (newest, tag) = (state.seq, state.to_ref());

        let (after, upto) = range(&mut conn, state, at, size).await?;
        let messages =
            if upto > after { messages::range(&mut conn, &tag, after, upto).await? } else { Vec::new() };
        let messages: Vec<RoomMessage> = messages.iter().map(|stored| (&stored.message).into()).collect();

        let answered = messages.iter().filter_map(|message| message.reply_to);
        let mut away: Vec<MessageId> =
            answered.filter(|id| messages.binary_search_by_key(id, |message| message.id).is_err()).collect();
        away.sort_unstable();
        away.dedup();
        let quoted = messages::by_ids(&mut conn, &tag, &away).await?;

        let mentioned = members::named(&mut conn, room, &candidates(&messages)).await?;

        let read = access.member.as_ref().map_or(newest, |member| member.last_read_seq);
        let last_read = if read >= newest {
            None
        } else if (1..=state.floor()).contains(&read) {
            Some(MessageId(0))
        } else {
            messages::id_at(&mut conn, room, read).await?
        };
        Ok(HistoryWindow {
            messages,
            has_earlier: after > state.floor(),
            has_later: upto < newest,
            quoted: quoted.iter().map(|stored| beginning(&stored.message)).collect(),
            last_read,
            rev: state.rev,
            rights: message_permissions(access),
            mentioned,
        })
    }

    /// The beginning of a message of the room, for a quote; `None` if the room has no such message.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`.
    pub async fn quoted(&self, viewer: &User, room: RoomId, id: MessageId) -> Result<Option<RoomMessage>> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, room, viewer.id).await?;
        let tag = allow(access.as_ref(), Action::Read)?.room.to_ref();
        let found = messages::by_ids(&mut conn, &tag, &[id]).await?;
        Ok(found.first().map(|stored| beginning(&stored.message)))
    }
}

/// The page's range of `seq`: `after < seq <= upto`.
async fn range(conn: &mut Conn, room: &RoomState, at: WindowAt, size: i64) -> Result<(i64, i64)> {
    let upto = match at {
        WindowAt::Newest => room.seq,
        WindowAt::Before(id) => messages::seq_upto(conn, room, MessageId(id.0.saturating_sub(1))).await?,
        WindowAt::After(id) => {
            let after = messages::seq_upto(conn, room, id).await?;
            return Ok((after, (after + size).min(room.seq)));
        }
        WindowAt::Around(id) => match messages::seq_of(conn, room.id, id).await? {
            Some(seq) => (seq + size / 2).min(room.seq),
            None => room.seq,
        },
    };
    Ok(((upto - size).max(room.floor()), upto))
}

/// The username keys that the messages may mention; most are nobody's.
fn candidates(messages: &[RoomMessage]) -> Vec<String> {
    let mut keys = BTreeSet::new();
    for message in messages {
        keys.extend(Candidates::of(&message.content).keys().cloned());
        if keys.len() > CANDIDATES {
            break;
        }
    }
    keys.into_iter().take(CANDIDATES).collect()
}

fn beginning(message: &crate::model::Message) -> RoomMessage {
    let content = message.content.chars().take(QUOTED).collect();
    RoomMessage { content, ..RoomMessage::from(message) }
}
