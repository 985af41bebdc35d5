//! Room lists from memory: what a room looks like to anybody, kept as long as its numbers stay the same.
//!
//! A list reads from the database, in one query over numbers, which rooms it has, in which version, and what the viewer is
//! to each. Names, texts, the newest message and its sender, and their JSON, come from a card. So a list is as fresh as the
//! database, whoever changed it, and needs no join of everything that it shows.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use crate::{
    model::{Room, RoomId, User, UserId},
    store::{
        Conn, StoreError, StoreResult,
        rooms::{self, ListedRoom, RoomVersion, Standing},
    },
};

/// Memory of all cards, in bytes.
const BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Typical size of a card, in bytes.
const CARD_BYTES: u64 = 2 * 1024;

/// A room as it is to anybody.
struct Card {
    version: RoomVersion,
    room: Room,
    /// Its JSON up to the newest message.
    head: String,
    /// The JSON of the newest message; `null` without one.
    last_message: String,
}

/// The cards of this node.
pub(super) struct RoomCards(Cache<RoomId, Arc<Card>, Bytewise>);

/// Rooms as one user sees them.
#[derive(Default)]
pub struct RoomList(Vec<ListedCard>);

struct ListedCard {
    standing: Option<Standing>,
    card: Arc<Card>,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<RoomId, Arc<Card>> for Bytewise {
    fn weight(&self, _: &RoomId, card: &Arc<Card>) -> u64 {
        // The room has the same texts as its JSON.
        u64::try_from(2 * (card.head.len() + card.last_message.len())).unwrap_or(u64::MAX)
    }
}

impl RoomCards {
    pub(super) fn new() -> Self {
        let cards = usize::try_from(BYTES_MAX / CARD_BYTES).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(cards, BYTES_MAX, Bytewise))
    }

    /// Adds the cards to a list of `viewer`, and reads those that are missing or of another version. Rooms that were deleted
    /// meanwhile are left out.
    pub(super) async fn complete(
        &self,
        conn: &mut Conn,
        viewer: UserId,
        listed: Vec<ListedRoom>,
    ) -> StoreResult<RoomList> {
        let cached =
            |room: &ListedRoom| self.0.get(&room.cursor.room).filter(|card| card.version == room.version);
        let found: Vec<_> = listed.into_iter().map(|room| (room, cached(&room))).collect();
        let missing: Vec<RoomId> =
            found.iter().filter(|(_, card)| card.is_none()).map(|(room, _)| room.cursor.room).collect();
        let mut read = HashMap::with_capacity(missing.len());
        for (version, room) in rooms::versions(conn, viewer, &missing).await? {
            // Both of one moment, which may be after that of the list.
            let standing = room.my_role.map(|role| Standing { role, unread_count: room.unread_count });
            let card = Arc::new(Card::new(version, room)?);
            self.0.insert(card.room.id, Arc::clone(&card));
            read.insert(card.room.id, (standing, card));
        }
        let complete = found.into_iter().filter_map(|(room, card)| {
            let (standing, card) = match card {
                Some(card) => (room.standing, card),
                None => read.remove(&room.cursor.room)?,
            };
            card.room.is_active.then_some(ListedCard { standing, card })
        });
        Ok(RoomList(complete.collect()))
    }
}

impl Card {
    fn new(version: RoomVersion, room: Room) -> StoreResult<Self> {
        let room = Room { is_member: false, my_role: None, unread_count: 0, members: None, ..room };
        let unwritable = |_| StoreError::Corrupt("a room that cannot be written as JSON");
        let last_message = serde_json::to_string(&room.last_message).map_err(unwritable)?;
        let mut head = serde_json::to_string(&room).map_err(unwritable)?;
        // No text contains this: a quote in a text is escaped.
        let end = head.rfind(LAST_MESSAGE).ok_or(StoreError::Corrupt("a room without its newest message"))?;
        head.truncate(end + LAST_MESSAGE.len());
        head.shrink_to_fit();
        Ok(Self { version, room, head, last_message })
    }
}

/// The name of the field after which the JSON of a room differs between viewers.
const LAST_MESSAGE: &str = ",\"last_message\":";

impl ListedCard {
    /// The room as the viewer sees it. The newest message is for members only.
    fn room(&self) -> Room {
        let room = &self.card.room;
        Room {
            id: room.id,
            name: room.name.clone(),
            description: room.description.clone(),
            room_type: room.room_type,
            created_by: User::clone(&room.created_by),
            last_message: self.standing.and(room.last_message.as_ref()).cloned(),
            is_member: self.standing.is_some(),
            my_role: self.standing.map(|standing| standing.role),
            unread_count: self.standing.map_or(0, |standing| standing.unread_count),
            members: None,
            ..*room
        }
    }

    /// Appends the JSON of [`Self::room`].
    fn put_json(&self, json: &mut Vec<u8>) {
        json.extend_from_slice(self.card.head.as_bytes());
        let (last_message, rest) = match self.standing {
            None => ("null", r#","is_member":false,"my_role":null,"unread_count":0}"#.to_owned()),
            Some(Standing { role, unread_count }) => (
                self.card.last_message.as_str(),
                format!(r#","is_member":true,"my_role":"{}","unread_count":{unread_count}}}"#, role.as_str()),
            ),
        };
        json.extend_from_slice(last_message.as_bytes());
        json.extend_from_slice(rest.as_bytes());
    }
}

impl RoomList {
    /// The rooms.
    pub fn to_rooms(&self) -> Vec<Room> {
        self.0.iter().map(ListedCard::room).collect()
    }

    /// The rooms as a JSON array.
    pub fn json(&self) -> Bytes {
        let cards = self.0.iter().map(|listed| listed.card.head.len() + listed.card.last_message.len());
        // The rest of each is at most 80 bytes.
        let mut json = Vec::with_capacity(cards.sum::<usize>() + 80 * self.0.len() + 2);
        json.push(b'[');
        for (index, room) in self.0.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            room.put_json(&mut json);
        }
        json.push(b']');
        json.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LastMessage, MessageId, Role, RoomType, Timestamp};

    const VERSION: RoomVersion = RoomVersion { rev: 7, names_rev: 0 };

    fn room(name: &str, last_message: Option<LastMessage>) -> Room {
        let created_by = User {
            id: UserId(3),
            username: "amy".into(),
            first_name: "\"Ä\\".into(),
            last_name: String::new(),
        };
        Room {
            id: RoomId(5),
            name: name.into(),
            description: ",\"last_message\":null}".into(),
            room_type: RoomType::Public,
            created_by,
            member_count: 2,
            is_active: true,
            max_members: 500,
            created_at: Timestamp(1),
            updated_at: Timestamp(2),
            last_message,
            is_member: true,
            my_role: Some(Role::Member),
            unread_count: 4,
            members: None,
        }
    }

    #[test]
    fn the_json_of_a_list_is_that_of_its_rooms() {
        let said = LastMessage {
            id: MessageId(9),
            content: "\u{202e}</script>\"\n茶,\"last_message\":".into(),
            sender: "bob".into(),
            created_at: Timestamp(8),
        };
        let standings = [Role::Member, Role::Moderator, Role::Admin]
            .map(|role| Some(Standing { role, unread_count: 1_234_567 }))
            .into_iter()
            .chain([None]);
        let mut listed = Vec::new();
        for standing in standings {
            for room in [room("Tea 茶", Some(said.clone())), room("\"\u{0}\\", None)] {
                let card = Arc::new(Card::new(VERSION, room).expect("a card"));
                listed.push(ListedCard { standing, card });
            }
        }
        let list = RoomList(listed);
        let rooms = list.to_rooms();
        assert_eq!(list.json(), serde_json::to_string(&rooms).expect("JSON"));
        assert!(rooms.iter().all(|room| room.is_member || room.last_message.is_none()));
        assert_eq!(RoomList::default().json(), "[]");
    }
}
