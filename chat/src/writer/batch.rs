//! One batch: judge each change under the rooms' locks, store the good ones in one
//! transaction; then announce them.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use super::{Change, Sender, Stored, Submission};
use crate::{
    error::{Error, Result},
    figures::Figures,
    hub::{Audience, Event, Frame, Hub, NewMessageNotice},
    model::{Message, MessageId, RoomId, RoomMessage, ServerFrame, Timestamp, UserId},
    service::Clock,
    store::{
        Store, StoreError,
        messages::{
            append::{self, Counters, Growth, NewMessage, Opening, Pair},
            change,
        },
        rooms::RoomState,
        users::Account,
    },
};

mod commit;
mod judge;
mod mentions;

use commit::Evidence;
use judge::{Judgement, Ruling, judge};

#[derive(Clone)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) hub: Hub,
    pub(super) clock: Clock,
    pub(super) figures: Figures,
}

/// What became of each change of a batch, in their order.
pub(super) struct Outcomes(Vec<Outcome>);

/// What became of one change.
enum Outcome {
    Refused(Error),
    /// It had been stored before; nothing new was.
    Repeat(Box<Message>),
    /// A message that this batch stored, and what it is to those who do not look at the room.
    New(Box<Message>, NewMessageNotice),
    /// An older message that this batch edited or deleted, as it was right after.
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

/// Tells the rooms, then gives the answers. The batch is committed, and no other batch of
/// these rooms runs.
pub(super) fn announce(context: &Context, outcomes: Outcomes) -> Vec<Result<Stored>> {
    let hub = &context.hub;
    let mut new = 0;
    let answer = |outcome| match outcome {
        Outcome::Refused(error) => Err(error),
        Outcome::Repeat(message) => Ok(Stored { message: *message, is_new: false }),
        Outcome::New(message, news) => {
            new += 1;
            tell(hub, &message, Some(news));
            Ok(Stored { message: *message, is_new: true })
        }
        Outcome::Changed(message) => {
            tell(hub, &message, None);
            Ok(Stored { message: *message, is_new: true })
        }
    };
    let answers = outcomes.0.into_iter().map(answer).collect();
    context.figures.stored.increment(new);
    answers
}

fn tell(hub: &Hub, message: &Message, news: Option<NewMessageNotice>) {
    if !hub.may_have_listeners(message.room.id) {
        return;
    }
    let rev = message.rev;
    let frame = if news.is_some() {
        ServerFrame::ChatMessage { message: RoomMessage::from(message), rev }
    } else if message.is_deleted {
        ServerFrame::MessageDeleted { message_id: message.id, rev }
    } else {
        ServerFrame::MessageEdited { message: RoomMessage::from(message), rev }
    };
    if let Some(mut frame) = Frame::new(&frame, Some(rev), Audience::Everyone) {
        frame.new_message = news.map(Arc::new);
        hub.publish(message.room.id, Event::Frame(frame));
    }
}

/// Stores the changes in one transaction.
///
/// # Errors
/// Then nothing is stored, or the database is away and it cannot be found out. A change that the rules refuse is no
/// error of the batch.
pub(super) async fn store(context: &Context, changes: &[&Change]) -> Result<Outcomes> {
    let rooms: BTreeSet<RoomId> = changes.iter().map(|change| change.room()).collect();
    let rooms: Vec<RoomId> = rooms.into_iter().collect();
    let pairs: BTreeSet<Pair> = changes.iter().map(|change| (change.room(), change.actor())).collect();
    let pairs: Vec<Pair> = pairs.into_iter().collect();
    let claims = changes.iter().filter_map(|change| change.submission()?.sender.claim());
    let claimed: BTreeSet<UserId> = claims.map(|claim| claim.user).collect();
    let claimed: Vec<UserId> = claimed.into_iter().collect();
    let opening = append::open(&context.store, &rooms, &pairs, &claimed).await?;
    let Opening { mut tx, mut rooms, members, accounts } = opening;
    let before: HashMap<RoomId, Growth> =
        rooms.values().map(|room| (room.id, Growth { seq: room.seq, rev: room.rev })).collect();
    // Read after the locks are held: two batches then agree on what came first.
    let now = context.clock.now();
    let Judgement { rulings, own, changed } =
        judge(&mut tx, changes, &mut rooms, members, &accounts, now).await?;

    let rows: Vec<NewMessage<'_>> = changes
        .iter()
        .zip(&rulings)
        .filter_map(|(change, ruling)| match (change, ruling) {
            (Change::Send(submission), Ruling::Accepted { seq, rev, sender_seq }) => {
                Some(row(submission, *seq, *rev, *sender_seq))
            }
            _ => None,
        })
        .collect();
    let grown: BTreeSet<RoomId> = rows.iter().map(|row| row.room).collect();
    let growth = grown.iter().filter_map(|room| {
        let (state, was) = (rooms.get(room)?, before.get(room)?);
        Some((*room, Growth { seq: state.seq - was.seq, rev: state.rev - was.rev }))
    });
    let counters = Counters { rooms: grouped(growth), own: grouped(own) };
    let evidence = Evidence { store: &context.store, rows: &rows, changed: &changed, now };
    if changed.is_empty() && !mentions::are_in(&rows) {
        let ids = evidence.settle(append::store_and_commit(tx, &rows, &counters, now).await).await?;
        return Ok(outcomes(changes, rulings, ids, HashMap::new(), &rooms, &accounts, now));
    }
    let ids = append::store(&mut tx, &rows, &counters, now).await?;
    for message in &changed {
        change::update(&mut tx, message).await?;
    }
    let revised: BTreeSet<RoomId> = changed.iter().map(|message| message.room.id).collect();
    for state in revised.difference(&grown).filter_map(|room| rooms.get(room)) {
        change::move_rev(&mut tx, state.id, state.rev).await?;
    }
    let mentioned = mentions::store(&mut tx, &rows, &ids, &changed, now).await?;
    let ids = evidence.settle(tx.commit().await.map(|()| ids)).await?;
    Ok(outcomes(changes, rulings, ids, mentioned, &rooms, &accounts, now))
}

/// Puts the ids and the rulings together, in the order of the changes. The batch is committed: no error may fail it
/// as a whole any more.
fn outcomes(
    changes: &[&Change],
    rulings: Vec<Ruling>,
    ids: Vec<MessageId>,
    mut mentioned: HashMap<MessageId, Vec<UserId>>,
    rooms: &HashMap<RoomId, RoomState>,
    accounts: &HashMap<UserId, Account>,
    now: Timestamp,
) -> Outcomes {
    let mut ids = ids.into_iter();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(rulings.len());
    for (change, ruling) in changes.iter().zip(rulings) {
        let outcome = match (ruling, change) {
            (Ruling::Refused(error), _) => Ok(Outcome::Refused(error)),
            (Ruling::Repeat(message), _) => Ok(Outcome::Repeat(message)),
            (Ruling::RepeatOf(first), _) => outcomes
                .get(first)
                .and_then(Outcome::message)
                .map(|message| Outcome::Repeat(Box::new(message.clone())))
                .ok_or(StoreError::Corrupt("a repeat of nothing")),
            (Ruling::Changed(message), _) => Ok(Outcome::Changed(message)),
            (Ruling::Accepted { seq, rev, .. }, Change::Send(submission)) => {
                new_message(submission, ids.next(), rev, rooms, accounts, now).map(|message| {
                    let news = NewMessageNotice {
                        seq,
                        mentioned: mentioned.remove(&message.id).unwrap_or_default(),
                    };
                    Outcome::New(Box::new(message), news)
                })
            }
            (Ruling::Accepted { .. }, Change::Edit { .. } | Change::Delete { .. }) => {
                Err(StoreError::Corrupt("a place for what is no message"))
            }
        };
        outcomes.push(outcome.unwrap_or_else(|error| Outcome::Refused(error.into())));
    }
    Outcomes(outcomes)
}

fn row(submission: &Submission, seq: i64, rev: i64, sender_seq: i64) -> NewMessage<'_> {
    NewMessage {
        room: submission.room,
        seq,
        rev,
        sender: submission.sender.id(),
        sender_seq,
        message_type: submission.message_type,
        content: &submission.content,
        file_url: submission.file_url.as_deref(),
        file_name: submission.file_name.as_deref(),
        file_size: submission.file_size,
        reply_to: submission.reply_to,
        client_id: submission.client_id.as_deref(),
    }
}

/// Rows that change by the same, together, so that one statement serves each group: those of
/// whoever wrote one message, those of whoever wrote two, and so on.
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
    accounts: &HashMap<UserId, Account>,
    now: Timestamp,
) -> Result<Message, StoreError> {
    let room = rooms.get(&submission.room).ok_or(StoreError::Corrupt("a message without a room"))?;
    let sender = match &submission.sender {
        Sender::Known(user) => user,
        Sender::Claimed(claim) => {
            &accounts.get(&claim.user).ok_or(StoreError::Corrupt("a message of nobody"))?.user
        }
    };
    Ok(Message {
        id: id.ok_or(StoreError::Corrupt("fewer ids than messages"))?,
        room: room.to_ref(),
        sender: sender.clone(),
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
    })
}
