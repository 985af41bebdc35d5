//! One batch: judge each message under the rooms' locks, store the good ones in one
//! transaction, then answer and announce.

use std::collections::{BTreeSet, HashMap};

use super::{Job, Stored, Submission};
use crate::{
    error::{Error, Result},
    hub::{Audience, Hub},
    model::{Message, MessageId, Problem, RoomId, RoomMessage, RoomRef, ServerFrame, Timestamp},
    service::{Clock, access},
    store::{
        Conn, Store, StoreError,
        messages::append::{self, ClientKey, NewMessage},
        rooms::RoomState,
    },
};

/// Tries of one batch when the database calls a deadlock (MySQL: another node's
/// transaction, or a foreign-key check that met ours).
const TRIES: usize = 4;

#[derive(Clone)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) hub: Hub,
    pub(super) clock: Clock,
}

/// What the rules say to one message.
enum Ruling {
    Refused(Error),
    /// The same `client_id` had been stored before this batch.
    Repeat(Box<Message>),
    /// The same `client_id` stands earlier in this batch, at this index.
    RepeatOf(usize),
    /// It gets this place and this change number.
    Accepted {
        seq: i64,
        rev: i64,
    },
}

/// What became of one message.
enum Outcome {
    Refused(Error),
    /// It had been stored before; nothing new was.
    Repeat(Box<Message>),
    /// Stored by this batch.
    New(Box<Message>),
}

impl Outcome {
    fn message(&self) -> Option<&Message> {
        match self {
            Self::Repeat(message) | Self::New(message) => Some(message),
            Self::Refused(_) => None,
        }
    }
}

/// Stores `jobs` and answers every one of them.
pub(super) async fn run(context: Context, jobs: Vec<Job>) {
    let submissions: Vec<&Submission> = jobs.iter().map(|job| &job.submission).collect();
    let mut tries = 0;
    let result = loop {
        tries += 1;
        match store(&context, &submissions).await {
            Err(Error::Store(error)) if error.is_deadlock() && tries < TRIES => {}
            other => break other,
        }
    };
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(error) => {
            tracing::error!(%error, messages = jobs.len(), "a batch could not be stored");
            let failure = error.failure();
            for job in jobs {
                let _ = job.reply.send(Err(Error::Refused(failure.clone())));
            }
            return;
        }
    };
    announce(&context.hub, &outcomes);
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        let reply = match outcome {
            Outcome::Refused(error) => Err(error),
            Outcome::Repeat(message) => Ok(Stored { message: *message, is_new: false }),
            Outcome::New(message) => Ok(Stored { message: *message, is_new: true }),
        };
        // Whoever asked may have gone meanwhile; the message is stored all the same.
        let _ = job.reply.send(reply);
    }
}

/// Tells the rooms. The batch is committed, and no other batch of these rooms runs.
fn announce(hub: &Hub, outcomes: &[Outcome]) {
    for outcome in outcomes {
        let Outcome::New(message) = outcome else { continue };
        if hub.is_listening(message.room.id) {
            let frame = ServerFrame::ChatMessage { message: RoomMessage::from(&**message), rev: message.rev };
            hub.publish_frame(message.room.id, &frame, Some(message.rev), Audience::Everyone);
        }
    }
}

async fn store(context: &Context, submissions: &[&Submission]) -> Result<Vec<Outcome>> {
    let mut tx = context.store.write().await?;
    let rooms: BTreeSet<RoomId> = submissions.iter().map(|s| s.room).collect();
    let rooms: Vec<RoomId> = rooms.into_iter().collect();
    let mut rooms = append::lock_rooms(&mut tx, &rooms).await?;
    // Read after the locks are held: two batches then agree on what came first.
    let now = context.clock.now();
    let Judgement { rulings, own } = judge(&mut tx, submissions, &mut rooms).await?;

    let rows: Vec<NewMessage<'_>> = submissions
        .iter()
        .zip(&rulings)
        .filter_map(|(submission, ruling)| match ruling {
            Ruling::Accepted { seq, rev } => Some(row(submission, *seq, *rev)),
            Ruling::Refused(_) | Ruling::Repeat(_) | Ruling::RepeatOf(_) => None,
        })
        .collect();
    let ids = append::insert(&mut tx, &rows, now).await?;
    let changed: BTreeSet<RoomId> = rows.iter().map(|row| row.room).collect();
    for state in changed.iter().filter_map(|room| rooms.get(room)) {
        append::move_room(&mut tx, state.id, state.seq, state.rev, now).await?;
    }
    for (count, members) in by_count(&own) {
        append::add_own(&mut tx, &members, count).await?;
    }
    tx.commit().await?;
    outcomes(submissions, rulings, ids, &rooms, now)
}

/// Puts the ids and the rulings together, in the order of the submissions.
fn outcomes(
    submissions: &[&Submission],
    rulings: Vec<Ruling>,
    ids: Vec<MessageId>,
    rooms: &HashMap<RoomId, RoomState>,
    now: Timestamp,
) -> Result<Vec<Outcome>> {
    let mut ids = ids.into_iter();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(rulings.len());
    for (submission, ruling) in submissions.iter().zip(rulings) {
        outcomes.push(match ruling {
            Ruling::Refused(error) => Outcome::Refused(error),
            Ruling::Repeat(message) => Outcome::Repeat(message),
            Ruling::RepeatOf(first) => {
                let message = outcomes[first].message().ok_or(StoreError::Corrupt("a repeat of nothing"))?;
                Outcome::Repeat(Box::new(message.clone()))
            }
            Ruling::Accepted { rev, .. } => {
                let id = ids.next().ok_or(StoreError::Corrupt("fewer ids than messages"))?;
                let room =
                    rooms.get(&submission.room).ok_or(StoreError::Corrupt("a message without a room"))?;
                Outcome::New(Box::new(message(submission, room.to_ref(), id, rev, now)))
            }
        });
    }
    Ok(outcomes)
}

struct Judgement {
    /// One for each submission.
    rulings: Vec<Ruling>,
    /// How many messages each membership wrote.
    own: HashMap<i64, i64>,
}

/// Decides on each message in turn, and gives the good ones their places.
async fn judge(
    tx: &mut Conn,
    submissions: &[&Submission],
    rooms: &mut HashMap<RoomId, RoomState>,
) -> Result<Judgement> {
    let pairs: BTreeSet<_> = submissions.iter().map(|s| (s.room, s.sender.id)).collect();
    let members = append::members(tx, &pairs.into_iter().collect::<Vec<_>>()).await?;
    let keys: Vec<ClientKey> = submissions.iter().filter_map(|s| client_key(s)).collect();
    let tags = rooms.iter().map(|(id, state)| (*id, state.to_ref())).collect();
    let repeats = append::by_client_id(tx, &keys, &tags).await?;
    let answered: Vec<MessageId> = submissions.iter().filter_map(|s| s.reply_to).collect();
    let answered = append::rooms_of(tx, &answered).await?;

    let mut rulings = Vec::with_capacity(submissions.len());
    let mut own: HashMap<i64, i64> = HashMap::new();
    let mut first_of: HashMap<ClientKey, usize> = HashMap::new();
    for (index, submission) in submissions.iter().enumerate() {
        let member = members.get(&(submission.room, submission.sender.id));
        let (room, member) = match access::may_send(rooms.get_mut(&submission.room), member) {
            Ok(allowed) => allowed,
            Err(error) => {
                rulings.push(Ruling::Refused(error));
                continue;
            }
        };
        if let Some(key) = client_key(submission) {
            if let Some(stored) = repeats.get(&key) {
                rulings.push(Ruling::Repeat(Box::new(stored.message.clone())));
                continue;
            }
            if let Some(first) = first_of.get(&key) {
                rulings.push(Ruling::RepeatOf(*first));
                continue;
            }
        }
        if submission.reply_to.is_some_and(|id| answered.get(&id) != Some(&submission.room)) {
            rulings.push(Ruling::Refused(Error::invalid("reply_to", Problem::NoSuchMessage)));
            continue;
        }
        if let Some(key) = client_key(submission) {
            first_of.insert(key, index);
        }
        room.seq += 1;
        room.rev += 1;
        *own.entry(member.id).or_default() += 1;
        rulings.push(Ruling::Accepted { seq: room.seq, rev: room.rev });
    }
    Ok(Judgement { rulings, own })
}

fn client_key(submission: &Submission) -> Option<ClientKey> {
    submission.client_id.clone().map(|client_id| (submission.room, submission.sender.id, client_id))
}

fn row(submission: &Submission, seq: i64, rev: i64) -> NewMessage<'_> {
    NewMessage {
        room: submission.room,
        seq,
        rev,
        sender: submission.sender.id,
        message_type: submission.message_type,
        content: &submission.content,
        file_url: submission.file_url.as_deref(),
        file_name: submission.file_name.as_deref(),
        file_size: submission.file_size,
        reply_to: submission.reply_to,
        client_id: submission.client_id.as_deref(),
    }
}

/// The memberships that wrote one message, those that wrote two, and so on: one
/// statement serves each group.
fn by_count(own: &HashMap<i64, i64>) -> HashMap<i64, Vec<i64>> {
    let mut groups: HashMap<i64, Vec<i64>> = HashMap::new();
    for (member, count) in own {
        groups.entry(*count).or_default().push(*member);
    }
    groups
}

fn message(submission: &Submission, room: RoomRef, id: MessageId, rev: i64, now: Timestamp) -> Message {
    Message {
        id,
        room,
        sender: submission.sender.clone(),
        message_type: submission.message_type,
        content: submission.content.clone(),
        file_url: submission.file_url.clone(),
        file_name: submission.file_name.clone(),
        file_size: submission.file_size,
        is_edited: false,
        is_deleted: false,
        reply_to: submission.reply_to,
        created_at: now,
        updated_at: now,
        client_id: submission.client_id.clone(),
        rev,
    }
}
