//! The events of a history, and how they are run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use chat::{
    Chat,
    model::{Code, Message, MessageDraft, MessageId, RoomId, User},
    service::history::HistoryQuery,
};
use proptest::{collection::vec, prelude::*};

use super::client::{Client, Return};
use crate::support::{World, cast::banned, draft};

/// Users of a history; the first created the room and stays in it.
pub const PEOPLE: usize = 4;
/// The user of each client: one has two devices.
pub const CLIENTS: [usize; 5] = [0, 1, 1, 2, 3];
/// Messages of a flood: a client that missed it gets `resync`.
const FLOOD: usize = 1_005;

/// One event. Numbers select users, messages and clients.
#[derive(Clone, Debug)]
pub enum Move {
    Send { who: usize, client_id: Option<u8> },
    Edit { who: usize, which: usize },
    Delete { who: usize, which: usize },
    Read { who: usize, which: usize },
    Join(usize),
    Leave(usize),
    Remove(usize),
    Ban(usize),
    Unban(usize),
    Flood,
    Connect { client: usize, how: Return },
    Disconnect(usize),
    Receive { client: usize, frames: usize },
}

/// Steps that run one after another; the events of one step run concurrently.
pub type History = Vec<Vec<Move>>;

pub fn history() -> impl Strategy<Value = History> {
    vec(vec(one(), 1..5), 1..25)
}

fn one() -> impl Strategy<Value = Move> {
    let (who, other, which, client) = (0..PEOPLE, 1..PEOPLE, 0..1_000_usize, 0..CLIENTS.len());
    let client_id = prop::option::weighted(0.3, 0..4_u8);
    prop_oneof![
        12 => (who.clone(), client_id).prop_map(|(who, client_id)| Move::Send { who, client_id }),
        5 => (who.clone(), which.clone()).prop_map(|(who, which)| Move::Edit { who, which }),
        3 => (who.clone(), which.clone()).prop_map(|(who, which)| Move::Delete { who, which }),
        3 => (who.clone(), which).prop_map(|(who, which)| Move::Read { who, which }),
        4 => other.clone().prop_map(Move::Join),
        1 => other.clone().prop_map(Move::Leave),
        1 => other.clone().prop_map(Move::Remove),
        1 => other.clone().prop_map(Move::Ban),
        2 => other.prop_map(Move::Unban),
        7 => (client.clone(), any_return()).prop_map(|(client, how)| Move::Connect { client, how }),
        3 => client.clone().prop_map(Move::Disconnect),
        5 => (client, 0..8_usize).prop_map(|(client, frames)| Move::Receive { client, frames }),
        // Slow, so rare.
        1 => Just(Move::Flood).prop_flat_map(|flood| prop_oneof![1 => Just(flood), 8 => Just(Move::Join(1))]),
    ]
}

fn any_return() -> impl Strategy<Value = Return> {
    prop_oneof![1 => Just(Return::Fresh), 3 => Just(Return::AfterRev), 2 => Just(Return::AfterId)]
}

/// The room, and what was acknowledged in it.
pub struct Stage<'w> {
    world: &'w World,
    people: &'w [User],
    pub room: RoomId,
    /// Messages acknowledged as stored.
    pub acknowledged: BTreeMap<MessageId, String>,
}

impl<'w> Stage<'w> {
    /// A new room with its creator and one more member.
    pub async fn open(world: &'w World, people: &'w [User]) -> Self {
        let room = world.room(&people[0]).await.id;
        world.chat.join(&people[1], room).await.expect("joined");
        Self { world, people, room, acknowledged: BTreeMap::new() }
    }

    /// Runs the events of a step concurrently, those of clients and those in the room.
    pub async fn play(&mut self, step: Vec<Move>, clients: &mut [Client]) -> Result<(), String> {
        let known: Vec<MessageId> = self.acknowledged.keys().copied().collect();
        let (chat, room, people) = (&self.world.chat, self.room, self.people);
        let acknowledged = Mutex::new(Vec::new());
        let (of_clients, in_room): (Vec<Move>, Vec<Move>) = step.into_iter().partition(|made| {
            matches!(made, Move::Connect { .. } | Move::Disconnect(_) | Move::Receive { .. })
        });
        let room_moves = in_room.iter().map(|made| async {
            for message in make(chat, room, people, &known, made).await? {
                acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            }
            Ok::<_, String>(())
        });
        let client_moves = async {
            for made in of_clients {
                match made {
                    Move::Connect { client, how } => clients[client].connect(how).await?,
                    Move::Disconnect(client) => clients[client].disconnect(),
                    Move::Receive { client, frames } => clients[client].receive(frames).await?,
                    _ => {}
                }
            }
            Ok::<_, String>(())
        };
        let (in_room, by_clients) = tokio::join!(futures::future::try_join_all(room_moves), client_moves);
        by_clients?;
        in_room?;
        for message in acknowledged.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.acknowledged.insert(message.id, message.content);
        }
        Ok(())
    }

    /// The last message of the history.
    pub async fn end(&mut self) -> MessageId {
        let message = self.world.say(&self.people[0], self.room, "the end").await;
        self.acknowledged.insert(message.id, message.content.clone());
        message.id
    }

    /// All messages, as a fresh client reads them.
    pub async fn read(&self) -> BTreeMap<MessageId, Message> {
        read(&self.world.chat, &self.people[0], self.room).await.expect("readable")
    }

    /// The members of the room.
    pub async fn members(&self) -> BTreeSet<String> {
        names(&self.world.chat, &self.people[0], self.room).await.expect("listed")
    }

    /// Whether this user is a member.
    pub async fn is_in(&self, user: &User) -> bool {
        self.members().await.contains(&user.username)
    }
}

/// All messages of a room, page by page.
pub async fn read(chat: &Chat, viewer: &User, room: RoomId) -> chat::Result<BTreeMap<MessageId, Message>> {
    let mut all = BTreeMap::new();
    loop {
        let after = all.keys().last().map_or(0, |id: &MessageId| id.0);
        let query = HistoryQuery { after_id: Some(after), page_size: Some(100), ..HistoryQuery::default() };
        let page = chat.history(viewer, room, query).await?;
        if page.messages.is_empty() {
            return Ok(all);
        }
        all.extend(page.messages.into_iter().map(|message| (message.id, message)));
    }
}

/// The usernames of a room's members.
pub async fn names(chat: &Chat, viewer: &User, room: RoomId) -> chat::Result<BTreeSet<String>> {
    let members = chat.members(viewer, room).await?;
    Ok(members.into_iter().filter(|member| !member.is_banned).map(|member| member.user.username).collect())
}

/// Runs one event, and returns the acknowledged messages. Errors by the rules are fine: the history does not check
/// permissions first.
async fn make(
    chat: &Chat,
    room: RoomId,
    people: &[User],
    known: &[MessageId],
    made: &Move,
) -> Result<Vec<Message>, String> {
    let pick = |which: usize| known.get(which % known.len().max(1)).copied();
    let done: chat::Result<Vec<Message>> = match made {
        Move::Send { who, client_id } => {
            let text = MessageDraft { client_id: client_id.map(|id| format!("c-{id}")), ..draft("hello") };
            chat.send(&people[*who], room, text).await.map(|stored| vec![stored.message])
        }
        Move::Flood => {
            let receipts: chat::Result<Vec<_>> =
                (0..FLOOD).map(|n| chat.submit(&people[0], room, draft(&n.to_string()))).collect();
            let stored = futures::future::try_join_all(receipts.map_err(|error| error.to_string())?).await;
            stored.map(|stored| stored.into_iter().map(|stored| stored.message).collect())
        }
        Move::Edit { who, which } => match pick(*which) {
            Some(id) => chat.edit(&people[*who], id, format!("edited {which}")).await.map(|_| Vec::new()),
            None => Ok(Vec::new()),
        },
        Move::Delete { who, which } => match pick(*which) {
            Some(id) => chat.delete(&people[*who], id).await.map(|_| Vec::new()),
            None => Ok(Vec::new()),
        },
        Move::Read { who, which } => match pick(*which) {
            Some(id) => chat.mark_read(&people[*who], id).await.map(|()| Vec::new()),
            None => Ok(Vec::new()),
        },
        Move::Join(who) => chat.join(&people[*who], room).await.map(|()| Vec::new()),
        Move::Leave(who) => chat.leave(&people[*who], room).await.map(|()| Vec::new()),
        Move::Remove(who) => chat.remove_member(&people[0], room, people[*who].id).await.map(|()| Vec::new()),
        Move::Ban(who) | Move::Unban(who) => {
            let patch = banned(matches!(made, Move::Ban(_)));
            chat.change_member(&people[0], room, people[*who].id, patch).await.map(|_| Vec::new())
        }
        Move::Connect { .. } | Move::Disconnect(_) | Move::Receive { .. } => Ok(Vec::new()),
    };
    done.or_else(|error| match error.code() {
        Code::NotAMember | Code::Banned | Code::NotFound | Code::PermissionDenied => Ok(Vec::new()),
        other => Err(format!("{made:?} was refused: {other:?} ({error})")),
    })
}
