//! Mentions in the messages of a batch. Rows are written only for mentioned users, up to a limit, so the cost of a
//! message does not depend on the size of the room.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    error::Result,
    model::{Message, MessageId, RoomId, Timestamp, UserId, limits::MENTIONS_MAX},
    rules::mention,
    store::{
        Conn,
        messages::append::{self, NewMessage},
        notifications::mentions::{self, Mention},
        streams,
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

/// The users newly mentioned by a batch, each with the number of the mention in their stream.
#[derive(Default)]
pub(super) struct Mentioned {
    /// By new messages.
    pub(super) by_new: HashMap<MessageId, Vec<(UserId, i64)>>,
    /// By edits, each user once.
    pub(super) by_edits: Vec<(UserId, i64)>,
}

/// Stores the mentions of new messages, and replaces those of changed ones.
pub(super) async fn store(
    tx: &mut Conn,
    rows: &[NewMessage<'_>],
    ids: &[MessageId],
    changed: &[Message],
    now: Timestamp,
) -> Result<Mentioned> {
    let mut known = HashMap::new();
    for message in changed {
        known.extend(mentions::take(tx, message.id).await?);
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
        return Ok(Mentioned::default());
    }
    let mut found = mentioned(tx, &texts).await?;
    let is_known = |mention: &Mention| known.contains_key(&(mention.message, mention.user));
    let users: BTreeSet<UserId> =
        found.iter().filter(|mention| !is_known(mention)).map(|mention| mention.user).collect();
    // After all other locks of the batch.
    let revs = streams::advance(tx, &users).await?;
    let new_messages: HashSet<MessageId> = ids.iter().copied().collect();
    let mut mentioned = Mentioned::default();
    let mut by_edits = BTreeMap::new();
    for mention in &mut found {
        let (message, user) = (mention.message, mention.user);
        if let Some(rev) = known.get(&(message, user)) {
            mention.rev = *rev;
            continue;
        }
        mention.rev = revs.get(&user).copied().unwrap_or_default();
        if new_messages.contains(&message) {
            mentioned.by_new.entry(message).or_default().push((user, mention.rev));
        } else {
            by_edits.insert(user, mention.rev);
        }
    }
    mentions::insert(tx, &found).await?;
    mentioned.by_edits = by_edits.into_iter().collect();
    Ok(mentioned)
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
            rev: 0,
        })
    });
    Ok(rows.collect())
}
