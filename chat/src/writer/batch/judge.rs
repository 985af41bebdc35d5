//! Applies the rules to each change of a batch, in order, under the rooms' locks.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use super::super::{Change, Submission};
use crate::{
    error::{Error, Result},
    model::{Code, Message, MessageId, Problem, RoomId, Timestamp, message::DELETED_CONTENT},
    rules::access::{self, Action},
    store::{
        Conn,
        messages::{
            StoredMessage,
            append::{self, ClientKey, MemberKey},
            change,
        },
        rooms::{MemberState, RoomState},
    },
};

/// The decision on one change.
pub(super) enum Verdict {
    Refused(Error),
    /// It was stored before this batch.
    Repeat(Box<Message>),
    /// An earlier change of this batch, at this index, has the same `client_id`.
    RepeatOf(usize),
    /// A new message, with its numbers assigned.
    Accepted {
        seq: i64,
        rev: i64,
        sender_seq: i64,
    },
    /// An older message, in its state after the change.
    Changed(Box<Message>),
}

pub(super) struct Verdicts {
    /// One for each change.
    pub(super) list: Vec<Verdict>,
    /// Room and number of new messages by membership.
    pub(super) own: HashMap<i64, (RoomId, i64)>,
    /// Older messages in their last state, each once.
    pub(super) changed: Vec<StoredMessage>,
    /// Room and author of the messages that new ones reply to.
    pub(super) answered: HashMap<MessageId, MemberKey>,
}

/// Stored data that the changes refer to.
struct Existing {
    members: HashMap<MemberKey, MemberState>,
    /// Messages by client key.
    named: HashMap<ClientKey, StoredMessage>,
    /// Room and author of the messages that are replied to.
    answered: HashMap<MessageId, MemberKey>,
    /// Messages to edit or delete, updated by each change.
    targets: HashMap<MessageId, StoredMessage>,
}

/// Decides on each change in order, and assigns numbers to accepted ones.
pub(super) async fn judge(
    tx: &mut Conn,
    changes: &[&Change],
    rooms: &mut HashMap<RoomId, RoomState>,
    members: HashMap<MemberKey, MemberState>,
    now: Timestamp,
) -> Result<Verdicts> {
    let mut existing = read(tx, changes, rooms, members).await?;
    let mut verdicts = Vec::with_capacity(changes.len());
    let mut own = HashMap::new();
    let mut first_of: HashMap<ClientKey, usize> = HashMap::new();
    let mut changed_ids = BTreeSet::new();
    for (index, change) in changes.iter().enumerate() {
        let verdict = match change {
            Change::Send(submission) => {
                accept_message(submission, index, rooms, &existing, &mut first_of, &mut own)
            }
            Change::Edit { message, .. } | Change::Delete { message, .. } => {
                apply_change(change, *message, rooms, &mut existing, now)
            }
        };
        let verdict = verdict.unwrap_or_else(Verdict::Refused);
        if let Verdict::Changed(message) = &verdict {
            changed_ids.insert(message.id);
        }
        verdicts.push(verdict);
    }
    let updated = changed_ids.iter().filter_map(|id| existing.targets.remove(id)).collect();
    Ok(Verdicts { list: verdicts, own, changed: updated, answered: existing.answered })
}

async fn read(
    tx: &mut Conn,
    changes: &[&Change],
    rooms: &HashMap<RoomId, RoomState>,
    members: HashMap<MemberKey, MemberState>,
) -> Result<Existing> {
    let submissions = || changes.iter().filter_map(|change| change.submission());
    let keys: Vec<ClientKey> = submissions().filter_map(client_key).collect();
    let answered: Vec<MessageId> = submissions().filter_map(|submission| submission.reply_to).collect();
    let targets: BTreeSet<MessageId> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Send(_) => None,
            Change::Edit { message, .. } | Change::Delete { message, .. } => Some(*message),
        })
        .collect();
    let targets: Vec<MessageId> = targets.into_iter().collect();
    Ok(Existing {
        members,
        named: append::by_client_id(tx, &keys, rooms).await?,
        answered: append::rooms_and_authors(tx, &answered).await?,
        targets: change::by_ids(tx, &targets, rooms).await?,
    })
}

/// Checks a new message and assigns its numbers.
fn accept_message(
    submission: &Submission,
    index: usize,
    rooms: &mut HashMap<RoomId, RoomState>,
    existing: &Existing,
    first_of: &mut HashMap<ClientKey, usize>,
    own: &mut HashMap<i64, (RoomId, i64)>,
) -> Result<Verdict> {
    let member = existing.members.get(&(submission.room, submission.sender.id));
    let (room, member) = access::may_send(rooms.get_mut(&submission.room), member)?;
    let key = client_key(submission);
    if let Some(stored) = key.as_ref().and_then(|key| existing.named.get(key)) {
        return Ok(Verdict::Repeat(Box::new(stored.message.clone())));
    }
    let first = match key.map(|key| first_of.entry(key)) {
        Some(Entry::Occupied(first)) => return Ok(Verdict::RepeatOf(*first.get())),
        Some(Entry::Vacant(first)) => Some(first),
        None => None,
    };
    let answered_room = |id| existing.answered.get(&id).map(|(room, _)| *room);
    if submission.reply_to.is_some_and(|id| answered_room(id) != Some(submission.room)) {
        return Err(Error::invalid("reply_to", Problem::NoSuchMessage));
    }
    if let Some(first) = first {
        first.insert(index);
    }
    room.seq += 1;
    room.rev += 1;
    let (_, own) = own.entry(member.id).or_insert((room.id, 0));
    *own += 1;
    Ok(Verdict::Accepted { seq: room.seq, rev: room.rev, sender_seq: member.sent + *own })
}

/// Applies an edit or a deletion and assigns its change number.
fn apply_change(
    change: &Change,
    target: MessageId,
    rooms: &mut HashMap<RoomId, RoomState>,
    existing: &mut Existing,
    now: Timestamp,
) -> Result<Verdict> {
    let message = &mut existing.targets.get_mut(&target).ok_or(Code::NotFound)?.message;
    let is_own = message.sender.id == change.actor();
    let member = existing.members.get(&(message.room.id, change.actor()));
    let action = match change {
        Change::Delete { .. } => Action::Delete { is_own },
        Change::Edit { .. } | Change::Send(_) => Action::Edit { is_own },
    };
    let room = access::may_change(rooms.get_mut(&message.room.id), member, action)?;
    let has_changed = match change {
        Change::Edit { content, .. } => edit(message, content)?,
        Change::Delete { .. } => delete(message),
        Change::Send(_) => false,
    };
    if !has_changed {
        return Ok(Verdict::Repeat(Box::new(message.clone())));
    }
    room.rev += 1;
    message.rev = room.rev;
    message.updated_at = room.time(now);
    Ok(Verdict::Changed(Box::new(message.clone())))
}

/// Edits the message; false if it already has this text. A deleted message cannot be edited: it is not found, also
/// for its author.
fn edit(message: &mut Message, content: &str) -> Result<bool> {
    if message.is_deleted {
        return Err(Code::NotFound.into());
    }
    if message.is_edited && message.content == content {
        return Ok(false);
    }
    content.clone_into(&mut message.content);
    message.is_edited = true;
    Ok(true)
}

/// Deletes the message's content; false if it was deleted before.
fn delete(message: &mut Message) -> bool {
    if message.is_deleted {
        return false;
    }
    message.is_deleted = true;
    DELETED_CONTENT.clone_into(&mut message.content);
    message.file_url = None;
    message.file_name = None;
    message.file_size = None;
    true
}

fn client_key(submission: &Submission) -> Option<ClientKey> {
    submission.client_id.clone().map(|client_id| (submission.room, submission.sender.id, client_id))
}
