//! Mentions in the messages of a batch, and replies to messages. Rows are written only for mentioned users, up to a
//! limit, so the cost of a message does not depend on the size of the room.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    error::Result,
    event::MentionNotice,
    model::{MessageId, NotificationReason, RoomId, Timestamp, UserId, limits::MENTIONS_MAX},
    rules::mention::{self, Candidates},
    store::{
        Conn,
        messages::{
            StoredMessage,
            append::{self, MemberKey, NewMessage},
        },
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
    candidates: Candidates,
    /// The author of the message that it replies to.
    replied_to: Option<UserId>,
}

/// Whether any of these messages may mention somebody.
pub(super) fn are_in(rows: &[NewMessage<'_>]) -> bool {
    rows.iter().any(|row| row.reply_to.is_some() || mention::may_be_in(row.content))
}

/// The users newly mentioned by a batch, each with the number of the mention in their stream.
#[derive(Default)]
pub(super) struct Mentioned {
    /// By new messages.
    pub(super) by_new: HashMap<MessageId, Vec<MentionNotice>>,
    /// By edits: each user once, with the last of their numbers.
    pub(super) by_edits: Vec<(UserId, i64)>,
}

/// Stores the mentions of new messages, and replaces those of changed ones. `answered` has the room and the author of
/// the messages that new ones reply to.
pub(super) async fn store(
    tx: &mut Conn,
    rows: &[NewMessage<'_>],
    ids: &[MessageId],
    changed: &[StoredMessage],
    mut answered: HashMap<MessageId, MemberKey>,
) -> Result<Mentioned> {
    let mut known = HashMap::new();
    for StoredMessage { message, .. } in changed {
        known.extend(mentions::take(tx, message.id).await?);
    }
    let edited = || changed.iter().map(|stored| &stored.message).filter(|message| !message.is_deleted);
    let unknown = edited().filter_map(|message| message.reply_to).filter(|id| !answered.contains_key(id));
    let unknown: Vec<MessageId> = unknown.collect();
    answered.extend(append::rooms_and_authors(tx, &unknown).await?);
    let author = |reply_to: Option<MessageId>| Some(answered.get(&reply_to?)?.1);
    let new = rows.iter().zip(ids).map(|(row, id)| Text {
        message: *id,
        room: row.room,
        sender: row.sender,
        created_at: row.created_at,
        candidates: Candidates::of(row.content),
        replied_to: author(row.reply_to),
    });
    let old = edited().map(|message| Text {
        message: message.id,
        room: message.room.id,
        sender: message.sender.id,
        created_at: message.created_at,
        candidates: Candidates::of(&message.content),
        replied_to: author(message.reply_to),
    });
    let mut texts: Vec<Text> = new.chain(old).collect();
    texts.retain(|text| text.replied_to.is_some() || text.candidates.keys().next().is_some());
    if texts.is_empty() {
        return Ok(Mentioned::default());
    }
    let found = mentioned(tx, &texts).await?;
    let is_known = |mention: &Mention| known.contains_key(&(mention.message, mention.user));
    let (mut old, mut new): (Vec<Mention>, Vec<Mention>) = found.into_iter().partition(is_known);
    for mention in &mut old {
        mention.rev = known.get(&(mention.message, mention.user)).copied().unwrap_or_default();
    }
    let users: Vec<UserId> = new.iter().map(|mention| mention.user).collect();
    // After all other locks of the batch.
    let revs = streams::advance(tx, &users).await?;
    let new_messages: HashSet<MessageId> = ids.iter().copied().collect();
    let mut mentioned = Mentioned::default();
    let mut by_edits = BTreeMap::new();
    for (mention, rev) in new.iter_mut().zip(revs) {
        mention.rev = rev;
        if new_messages.contains(&mention.message) {
            let notice = MentionNotice { user: mention.user, rev, reason: mention.reason };
            mentioned.by_new.entry(mention.message).or_default().push(notice);
        } else {
            by_edits.insert(mention.user, rev);
        }
    }
    mentions::insert(tx, &[old, new].concat()).await?;
    mentioned.by_edits = by_edits.into_iter().collect();
    Ok(mentioned)
}

async fn mentioned(tx: &mut Conn, texts: &[Text]) -> Result<Vec<Mention>> {
    let keys: BTreeSet<&String> = texts.iter().flat_map(|text| text.candidates.keys()).collect();
    let keys: Vec<String> = keys.into_iter().cloned().collect();
    let people: HashMap<String, UserId> = mentions::users_by_name(tx, &keys).await?.into_iter().collect();

    let users_of = |text: &Text| {
        let named = text.candidates.keys().filter_map(|key| people.get(key)).copied();
        named.chain(text.replied_to).collect::<Vec<_>>()
    };
    let pairs: BTreeSet<MemberKey> =
        texts.iter().flat_map(|text| users_of(text).into_iter().map(|user| (text.room, user))).collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    let mut present = HashSet::new();
    for chunk in pairs.chunks(PAIRS) {
        let members = append::members(tx, chunk).await?;
        present
            .extend(members.into_iter().filter(|(_, m)| m.is_present && !m.is_banned).map(|(pair, _)| pair));
    }
    let rows = texts.iter().flat_map(|text| {
        let is_member = |user: &UserId| present.contains(&(text.room, *user));
        // The sender's own name counts too: it may be longer than another one that fits.
        let mut named = text.candidates.meant(|key| people.get(key).copied().filter(is_member));
        named.retain(|user| *user != text.sender);
        named.truncate(MENTIONS_MAX);
        let replied_to =
            text.replied_to.filter(|user| *user != text.sender && is_member(user) && !named.contains(user));
        let reply = replied_to.map(|user| (user, Some(NotificationReason::Reply)));
        named.into_iter().map(|user| (user, None)).chain(reply).map(|(user, reason)| Mention {
            user,
            room: text.room,
            message: text.message,
            created_at: text.created_at,
            rev: 0,
            reason,
        })
    });
    Ok(rows.collect())
}
