//! Mentions in the messages of a batch. Rows are written only for mentioned users, up to a limit, so the cost of a
//! message does not depend on the size of the room.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    error::Result,
    model::{Message, MessageId, RoomId, Timestamp, UserId, limits::MENTIONS_MAX},
    rules::mention,
    store::{
        Conn,
        messages::append::{self, NewMessage},
        notifications::mentions::{self, Mention},
    },
};

/// Maximum number of memberships in one query, with two placeholders each.
const PAIRS: usize = 4_096;

/// A message that may mention users.
struct Text {
    message: MessageId,
    room: RoomId,
    sender: UserId,
    created_at: Timestamp,
    names: Vec<String>,
}

/// Whether any of these messages may contain a mention.
pub(super) fn are_in(rows: &[NewMessage<'_>]) -> bool {
    rows.iter().any(|row| row.content.contains('@'))
}

/// Stores the mentions of new messages, and replaces those of changed ones. Returns the mentioned users by message.
pub(super) async fn store(
    tx: &mut Conn,
    rows: &[NewMessage<'_>],
    ids: &[MessageId],
    changed: &[Message],
    now: Timestamp,
) -> Result<HashMap<MessageId, Vec<UserId>>> {
    for message in changed {
        mentions::delete(tx, message.id).await?;
    }
    let new = rows.iter().zip(ids).map(|(row, id)| Text {
        message: *id,
        room: row.room,
        sender: row.sender,
        created_at: now,
        names: mention::names(row.content),
    });
    let old = changed.iter().filter(|message| !message.is_deleted).map(|message| Text {
        message: message.id,
        room: message.room.id,
        sender: message.sender.id,
        created_at: message.created_at,
        names: mention::names(&message.content),
    });
    let texts: Vec<Text> = new.chain(old).filter(|text| !text.names.is_empty()).collect();
    if texts.is_empty() {
        return Ok(HashMap::new());
    }
    let found = mentioned(tx, &texts).await?;
    mentions::insert(tx, &found).await?;
    let mut by_message: HashMap<MessageId, Vec<UserId>> = HashMap::new();
    for mention in found {
        by_message.entry(mention.message).or_default().push(mention.user);
    }
    Ok(by_message)
}

async fn mentioned(tx: &mut Conn, texts: &[Text]) -> Result<Vec<Mention>> {
    let names: BTreeSet<&String> = texts.iter().flat_map(|text| &text.names).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let people: HashMap<String, UserId> = mentions::users_by_name(tx, &names).await?.into_iter().collect();

    let users_of = |text: &Text| {
        let users: BTreeSet<UserId> =
            text.names.iter().filter_map(|name| people.get(name)).copied().collect();
        users.into_iter().filter(|user| *user != text.sender).collect::<Vec<_>>()
    };
    let pairs: BTreeSet<(RoomId, UserId)> =
        texts.iter().flat_map(|text| users_of(text).into_iter().map(|user| (text.room, user))).collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    let mut present = HashSet::new();
    for chunk in pairs.chunks(PAIRS) {
        let members = append::members(tx, chunk).await?;
        present
            .extend(members.into_iter().filter(|(_, m)| m.is_present && !m.is_banned).map(|(pair, _)| pair));
    }
    let rows = texts.iter().flat_map(|text| {
        let users = users_of(text).into_iter().filter(|user| present.contains(&(text.room, *user)));
        users.take(MENTIONS_MAX).map(|user| Mention {
            user,
            room: text.room,
            message: text.message,
            created_at: text.created_at,
        })
    });
    Ok(rows.collect())
}
