//! One batch: check each change under the rooms' locks, store the accepted ones in one transaction, then announce
//! them.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use super::{Change, MessageJob, Stored, Submission, isolation::Attempt};
use crate::{
    change::RoomChange,
    clock::Clock,
    error::{Error, Result},
    event::{NewMessageNotice, UserChange, UserEvent},
    hub::Hub,
    metrics::{Metrics, as_f64},
    model::{Failure, Message, MessageId, RoomId, Timestamp, UserId},
    store::{
        Store, StoreError,
        messages::{
            append::{self, Counters, Growth, LoadedBatch, MemberKey, NewMessage, OwnGrowth},
            change,
        },
        rooms::RoomState,
    },
};

mod commit;
mod judge;
mod mentions;

use commit::BatchRows;
use judge::{Verdict, Verdicts, judge};
use mentions::Mentioned;

#[derive(Clone)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) hub: Hub,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    /// The group whose members alone may chat, if there is one.
    pub(super) required_group: Option<Arc<str>>,
}

/// The outcome of each change of a batch, in order, and the users whom an edit mentions now.
pub(super) struct Outcomes {
    list: Vec<Outcome>,
    mentioned_by_edits: Vec<(UserId, i64)>,
}

enum Outcome {
    Refused(Error),
    /// It was stored before; nothing was stored now.
    Repeat(Box<Message>),
    /// A new message, and its notification for users who do not have the room open.
    New(Box<Message>, NewMessageNotice),
    /// An older message that this batch edited or deleted, in its state right after that change.
    Changed(Box<Message>),
}

impl Outcome {
    fn message(&self) -> Option<&Message> {
        match self {
            Self::Repeat(message) | Self::New(message, _) | Self::Changed(message) => Some(message),
            Self::Refused(_) => None,
        }
    }
}

impl Attempt for Context {
    type Job = MessageJob;
    type Outcome = Outcomes;

    async fn attempt(&self, jobs: &[MessageJob]) -> Result<Outcomes> {
        let changes: Vec<&Change> = jobs.iter().map(|job| &job.change).collect();
        store(self, &changes).await
    }

    fn announce(&self, jobs: Vec<MessageJob>, outcomes: Outcomes) {
        self.metrics.commit_changes.record(as_f64(jobs.len()));
        let answers = announce(self, outcomes);
        for (job, answer) in jobs.into_iter().zip(answers) {
            // The receiver may be gone; the change is stored all the same.
            let _ = job.reply.send(answer);
        }
    }

    fn refuse(&self, job: MessageJob, failure: Failure) {
        let _ = job.reply.send(Err(Error::Refused(failure)));
    }

    fn sender(job: &MessageJob) -> UserId {
        job.change.actor()
    }
}

/// Publishes the events, then returns the results. The batch is committed, and no other batch of these rooms runs.
fn announce(context: &Context, outcomes: Outcomes) -> Vec<Result<Stored>> {
    let hub = &context.hub;
    let mut new = 0;
    let answer = |outcome| match outcome {
        Outcome::Refused(error) => Err(error),
        Outcome::Repeat(message) => Ok(Stored { message: *message, is_new: false }),
        Outcome::New(message, news) => {
            new += 1;
            publish(hub, &message, Some(news));
            Ok(Stored { message: *message, is_new: true })
        }
        Outcome::Changed(message) => {
            publish(hub, &message, None);
            Ok(Stored { message: *message, is_new: true })
        }
    };
    let answers = outcomes.list.into_iter().map(answer).collect();
    for (user, rev) in outcomes.mentioned_by_edits {
        hub.publish_user(user, UserEvent { rev: Some(rev), change: UserChange::Notification });
    }
    context.metrics.stored.increment(new);
    answers
}

fn publish(hub: &Hub, message: &Message, news: Option<NewMessageNotice>) {
    if !hub.may_have_listeners(message.room.id) {
        return;
    }
    let rev = message.rev;
    let change = match news {
        Some(NewMessageNotice { seq, mentioned }) => RoomChange::NewMessage { message, rev, seq, mentioned },
        None => RoomChange::MessageChanged(message),
    };
    if let Some(change) = change.to_stored() {
        hub.publish(message.room.id, change);
    }
}

/// Stores the changes in one transaction.
///
/// # Errors
/// Nothing is stored, or the database is unavailable and the outcome is unknown. A change refused by the rules is no error
/// of the batch.
async fn store(context: &Context, changes: &[&Change]) -> Result<Outcomes> {
    let rooms: BTreeSet<RoomId> = changes.iter().map(|change| change.room()).collect();
    let rooms: Vec<RoomId> = rooms.into_iter().collect();
    let pairs: BTreeSet<MemberKey> = changes.iter().map(|change| (change.room(), change.actor())).collect();
    let pairs: Vec<MemberKey> = pairs.into_iter().collect();
    let loaded = append::begin(&context.store, &rooms, &pairs).await?;
    let LoadedBatch { mut tx, mut rooms, members } = loaded;
    let before: HashMap<RoomId, Growth> =
        rooms.values().map(|room| (room.id, Growth { seq: room.seq, rev: room.rev })).collect();
    // Read under the locks, so that times increase with commits in each room.
    let now = context.clock.now();
    let Verdicts { list: verdicts, own, changed, answered } =
        judge(&mut tx, changes, &mut rooms, members, now).await?;

    let rows: Vec<NewMessage<'_>> = changes
        .iter()
        .zip(&verdicts)
        .filter_map(|(change, verdict)| match (change, verdict) {
            (Change::Send(submission), Verdict::Accepted { seq, rev, sender_seq }) => {
                let created_at = rooms.get(&submission.room)?.time(now);
                Some(row(submission, *seq, *rev, *sender_seq, created_at))
            }
            _ => None,
        })
        .collect();
    let grown: BTreeSet<RoomId> = rows.iter().map(|row| row.room).collect();
    let growth = grown.iter().filter_map(|room| {
        let (state, was) = (rooms.get(room)?, before.get(room)?);
        Some((*room, Growth { seq: state.seq - was.seq, rev: state.rev - was.rev }))
    });
    let own = own.into_iter().filter_map(|(member, (room, messages))| {
        Some((member, OwnGrowth { messages, upto: rooms.get(&room)?.seq }))
    });
    let counters = Counters { rooms: grouped(growth), own: grouped(own) };
    let batch_rows = BatchRows { store: &context.store, rows: &rows, changed: &changed };
    if changed.is_empty() && !mentions::are_in(&rows) {
        let ids =
            batch_rows.resolve_commit(append::store_and_commit(tx, &rows, &counters, now).await).await?;
        return Ok(outcomes(changes, verdicts, ids, Mentioned::default(), &rooms, now));
    }
    let ids = append::store(&mut tx, &rows, &counters, now).await?;
    for stored in &changed {
        change::update(&mut tx, stored).await?;
    }
    let changed_rooms: BTreeSet<RoomId> = changed.iter().map(|stored| stored.message.room.id).collect();
    for state in changed_rooms.difference(&grown).filter_map(|room| rooms.get(room)) {
        change::move_rev(&mut tx, state.id, state.rev).await?;
    }
    let mentioned = mentions::store(&mut tx, &rows, &ids, &changed, answered).await?;
    let ids = batch_rows.resolve_commit(tx.commit().await.map(|()| ids)).await?;
    Ok(outcomes(changes, verdicts, ids, mentioned, &rooms, now))
}

/// Combines ids and verdicts in the order of the changes. The batch is committed, so no error may fail it as a whole
/// any more.
fn outcomes(
    changes: &[&Change],
    verdicts: Vec<Verdict>,
    ids: Vec<MessageId>,
    mut mentioned: Mentioned,
    rooms: &HashMap<RoomId, RoomState>,
    now: Timestamp,
) -> Outcomes {
    let mut ids = ids.into_iter();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(verdicts.len());
    for (change, verdict) in changes.iter().zip(verdicts) {
        let outcome = match (verdict, change) {
            (Verdict::Refused(error), _) => Ok(Outcome::Refused(error)),
            (Verdict::Repeat(message), _) => Ok(Outcome::Repeat(message)),
            (Verdict::RepeatOf(first), _) => outcomes
                .get(first)
                .and_then(Outcome::message)
                .map(|message| Outcome::Repeat(Box::new(message.clone())))
                .ok_or(StoreError::Corrupt("a repeat without an original")),
            (Verdict::Changed(message), _) => Ok(Outcome::Changed(message)),
            (Verdict::Accepted { seq, rev, .. }, Change::Send(submission)) => {
                new_message(submission, ids.next(), rev, rooms, now).map(|message| {
                    let news = NewMessageNotice {
                        seq,
                        mentioned: mentioned.by_new.remove(&message.id).unwrap_or_default(),
                    };
                    Outcome::New(Box::new(message), news)
                })
            }
            (Verdict::Accepted { .. }, Change::Edit { .. } | Change::Delete { .. }) => {
                Err(StoreError::Corrupt("a seq for a change of an older message"))
            }
        };
        outcomes.push(outcome.unwrap_or_else(|error| Outcome::Refused(error.into())));
    }
    Outcomes { list: outcomes, mentioned_by_edits: mentioned.by_edits }
}

fn row(
    submission: &Submission,
    seq: i64,
    rev: i64,
    sender_seq: i64,
    created_at: Timestamp,
) -> NewMessage<'_> {
    NewMessage {
        room: submission.room,
        seq,
        rev,
        sender: submission.sender.id,
        sender_seq,
        message_type: submission.message_type,
        content: &submission.content,
        file_url: submission.file_url.as_deref(),
        file_name: submission.file_name.as_deref(),
        file_size: submission.file_size,
        reply_to: submission.reply_to,
        client_id: submission.client_id.as_deref(),
        created_at,
    }
}

/// Groups rows that change by the same increment, so that one statement serves each group.
fn grouped<Row, By: Hash + Eq>(changes: impl IntoIterator<Item = (Row, By)>) -> HashMap<By, Vec<Row>> {
    let mut groups: HashMap<By, Vec<Row>> = HashMap::new();
    for (row, by) in changes {
        groups.entry(by).or_default().push(row);
    }
    groups
}

fn new_message(
    submission: &Submission,
    id: Option<MessageId>,
    rev: i64,
    rooms: &HashMap<RoomId, RoomState>,
    now: Timestamp,
) -> Result<Message, StoreError> {
    let room = rooms.get(&submission.room).ok_or(StoreError::Corrupt("a message without a room"))?;
    Ok(Message {
        id: id.ok_or(StoreError::Corrupt("fewer ids than messages"))?,
        room: room.to_ref(),
        sender: submission.sender.clone(),
        message_type: submission.message_type,
        content: submission.content.clone(),
        file_url: submission.file_url.clone(),
        file_name: submission.file_name.clone(),
        file_size: submission.file_size,
        is_edited: false,
        is_deleted: false,
        reply_to: submission.reply_to,
        created_at: room.time(now),
        updated_at: room.time(now),
        client_id: submission.client_id.clone(),
        rev,
    })
}
