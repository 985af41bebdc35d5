//! What the rules say to each change of a batch, one after another, under the rooms' locks.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use super::super::{Change, Submission};
use crate::{
    error::{Error, Result},
    model::{Code, Message, MessageId, Problem, RoomId, Timestamp, UserId, message::DELETED_CONTENT},
    service::{
        access::{self, Action},
        accounts::user_for_credential,
    },
    store::{
        Conn,
        messages::{
            StoredMessage,
            append::{self, ClientKey, Pair},
            change,
        },
        rooms::{MemberState, RoomState},
        users::Account,
    },
};

/// What the rules say to one change.
pub(super) enum Ruling {
    Refused(Error),
    /// The same had been stored before this batch.
    Repeat(Box<Message>),
    /// The same `client_id` stands earlier in this batch, at this index.
    RepeatOf(usize),
    /// It gets this place and this change number.
    Accepted {
        seq: i64,
        rev: i64,
        sender_seq: i64,
    },
    /// An older message, as it is after the change.
    Changed(Box<Message>),
}

pub(super) struct Judgement {
    /// One for each change.
    pub(super) rulings: Vec<Ruling>,
    /// How many messages each membership wrote.
    pub(super) own: HashMap<i64, i64>,
    /// Older messages in their last state, each once.
    pub(super) changed: Vec<Message>,
}

/// What was stored before this batch and its changes refer to.
struct Known {
    members: HashMap<Pair, MemberState>,
    /// Messages by the names their senders gave them.
    named: HashMap<ClientKey, StoredMessage>,
    /// Where the answered ones are.
    answered: HashMap<MessageId, RoomId>,
    /// Those to be edited or deleted, kept as they become.
    targets: HashMap<MessageId, StoredMessage>,
}

/// Decides on each change in turn, and gives the good ones their places.
pub(super) async fn judge(
    tx: &mut Conn,
    changes: &[&Change],
    rooms: &mut HashMap<RoomId, RoomState>,
    members: HashMap<Pair, MemberState>,
    accounts: &HashMap<UserId, Account>,
    now: Timestamp,
) -> Result<Judgement> {
    let mut known = read(tx, changes, rooms, members).await?;
    let mut rulings = Vec::with_capacity(changes.len());
    let mut own: HashMap<i64, i64> = HashMap::new();
    let mut first_of: HashMap<ClientKey, usize> = HashMap::new();
    let mut revised = BTreeSet::new();
    for (index, change) in changes.iter().enumerate() {
        let ruling = match change {
            Change::Send(submission) => who(submission, accounts)
                .and_then(|()| place(submission, index, rooms, &known, &mut first_of, &mut own)),
            Change::Edit { message, .. } | Change::Delete { message, .. } => {
                revise(change, *message, rooms, &mut known, now)
            }
        };
        let ruling = ruling.unwrap_or_else(Ruling::Refused);
        if let Ruling::Changed(message) = &ruling {
            revised.insert(message.id);
        }
        rulings.push(ruling);
    }
    let revised = revised.iter().filter_map(|id| known.targets.remove(id)).map(|stored| stored.message);
    Ok(Judgement { rulings, own, changed: revised.collect() })
}

async fn read(
    tx: &mut Conn,
    changes: &[&Change],
    rooms: &HashMap<RoomId, RoomState>,
    members: HashMap<Pair, MemberState>,
) -> Result<Known> {
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
    Ok(Known {
        members,
        named: append::by_client_id(tx, &keys, rooms).await?,
        answered: append::rooms_of(tx, &answered).await?,
        targets: change::by_ids(tx, &targets, rooms).await?,
    })
}

/// May the sender chat at all? Of one who is known the door made sure.
fn who(submission: &Submission, accounts: &HashMap<UserId, Account>) -> Result<()> {
    match submission.sender.claim() {
        None => Ok(()),
        Some(claim) => user_for_credential(accounts.get(&claim.user).cloned(), &claim.credential).map(drop),
    }
}

/// Gives a new message its place.
fn place(
    submission: &Submission,
    index: usize,
    rooms: &mut HashMap<RoomId, RoomState>,
    known: &Known,
    first_of: &mut HashMap<ClientKey, usize>,
    own: &mut HashMap<i64, i64>,
) -> Result<Ruling> {
    let member = known.members.get(&(submission.room, submission.sender.id()));
    let (room, member) = access::may_send(rooms.get_mut(&submission.room), member)?;
    let key = client_key(submission);
    if let Some(stored) = key.as_ref().and_then(|key| known.named.get(key)) {
        return Ok(Ruling::Repeat(Box::new(stored.message.clone())));
    }
    let first = match key.map(|key| first_of.entry(key)) {
        Some(Entry::Occupied(first)) => return Ok(Ruling::RepeatOf(*first.get())),
        Some(Entry::Vacant(first)) => Some(first),
        None => None,
    };
    if submission.reply_to.is_some_and(|id| known.answered.get(&id) != Some(&submission.room)) {
        return Err(Error::invalid("reply_to", Problem::NoSuchMessage));
    }
    if let Some(first) = first {
        first.insert(index);
    }
    room.seq += 1;
    room.rev += 1;
    let own = own.entry(member.id).or_default();
    *own += 1;
    Ok(Ruling::Accepted { seq: room.seq, rev: room.rev, sender_seq: member.sent + *own })
}

/// Changes an older message, and gives the change its number.
fn revise(
    change: &Change,
    target: MessageId,
    rooms: &mut HashMap<RoomId, RoomState>,
    known: &mut Known,
    now: Timestamp,
) -> Result<Ruling> {
    let message = &mut known.targets.get_mut(&target).ok_or(Code::NotFound)?.message;
    let is_own = message.sender.id == change.actor();
    let member = known.members.get(&(message.room.id, change.actor()));
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
        return Ok(Ruling::Repeat(Box::new(message.clone())));
    }
    room.rev += 1;
    message.rev = room.rev;
    message.updated_at = now;
    Ok(Ruling::Changed(Box::new(message.clone())))
}

/// Gives the message other words; false when it was edited to these before. One that was
/// deleted has no words to change: to its sender too it is gone.
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

/// Takes away what the message said; false when it was before.
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
    submission.client_id.clone().map(|client_id| (submission.room, submission.sender.id(), client_id))
}
