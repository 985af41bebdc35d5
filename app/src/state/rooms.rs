//! The list of rooms, and what a message that comes in does to it.

use chat::model::{LastMessage, Room, RoomId, RoomMessage, UserId};

/// How much of a message the list keeps, in characters: more than a line has room for.
const EXCERPT: usize = 120;

/// One's own rooms: those with something unread first, else the server's order, which is by activity.
pub fn mine(rooms: &[Room]) -> Vec<RoomId> {
    let unread = rooms.iter().filter(|room| room.is_member && room.unread_count > 0);
    let read = rooms.iter().filter(|room| room.is_member && room.unread_count <= 0);
    unread.chain(read).map(|room| room.id).collect()
}

/// The rooms that one may join.
pub fn open_to_join(rooms: &[Room]) -> Vec<RoomId> {
    rooms.iter().filter(|room| !room.is_member && room.is_active).map(|room| room.id).collect()
}

/// `message` came into `room`: it moves up, and counts as unread unless it is one's own or being looked at.
pub fn hear(rooms: &mut [Room], room: RoomId, message: &RoomMessage, me: UserId, looking: bool) {
    let Some(place) = rooms.iter().position(|known| known.id == room) else { return };
    let known = &mut rooms[place];
    if known.last_message.as_ref().is_some_and(|last| last.id >= message.id) {
        return;
    }
    known.last_message = Some(LastMessage {
        id: message.id,
        content: message.content.chars().take(EXCERPT).collect(),
        sender: message.sender.username.clone(),
        created_at: message.created_at,
    });
    if message.sender.id != me && !looking {
        known.unread_count += 1;
    }
    rooms[..=place].rotate_right(1);
}

/// All of `room` has been read.
pub fn read(rooms: &mut [Room], room: RoomId) {
    if let Some(known) = rooms.iter_mut().find(|known| known.id == room) {
        known.unread_count = 0;
    }
}

#[cfg(test)]
mod tests {
    use chat::model::{MessageId, MessageType, RoomType, Timestamp, User};

    use super::*;

    const ME: UserId = UserId(1);

    fn user(id: i64) -> User {
        User {
            id: UserId(id),
            username: format!("u{id}"),
            first_name: String::new(),
            last_name: String::new(),
        }
    }

    fn room(id: i64, unread: i64, is_member: bool) -> Room {
        Room {
            id: RoomId(id),
            name: format!("room {id}"),
            description: String::new(),
            room_type: RoomType::Public,
            created_by: user(1),
            member_count: 2,
            is_active: true,
            max_members: 50,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            last_message: None,
            is_member,
            my_role: None,
            unread_count: unread,
            members: None,
        }
    }

    fn message(id: i64, sender: i64) -> RoomMessage {
        RoomMessage {
            id: MessageId(id),
            content: "字".repeat(500),
            message_type: MessageType::Text,
            timestamp: Timestamp(id),
            created_at: Timestamp(id),
            sender: user(sender),
            reply_to: None,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: None,
        }
    }

    fn ids(rooms: &[RoomId]) -> Vec<i64> {
        rooms.iter().map(|room| room.0).collect()
    }

    #[test]
    fn unread_rooms_come_first_and_rooms_to_join_apart() {
        let rooms = [room(1, 0, true), room(2, 3, true), room(3, 0, false), room(4, 1, true)];
        assert_eq!(ids(&mine(&rooms)), [2, 4, 1]);
        assert_eq!(ids(&open_to_join(&rooms)), [3]);
    }

    #[test]
    fn a_message_moves_its_room_up_and_counts_unless_seen_or_ones_own() {
        let mut rooms = [room(1, 0, true), room(2, 0, true)];
        hear(&mut rooms, RoomId(2), &message(5, 2), ME, false);
        assert_eq!((rooms[0].id, rooms[0].unread_count), (RoomId(2), 1));
        assert_eq!(rooms[0].last_message.as_ref().expect("kept").content.chars().count(), EXCERPT);
        hear(&mut rooms, RoomId(2), &message(6, 2), ME, true);
        hear(&mut rooms, RoomId(2), &message(7, 1), ME, false);
        assert_eq!(rooms[0].unread_count, 1);
        read(&mut rooms, RoomId(2));
        assert_eq!(rooms[0].unread_count, 0);
    }

    #[test]
    fn a_message_heard_again_counts_once() {
        let mut rooms = [room(1, 0, true)];
        hear(&mut rooms, RoomId(1), &message(5, 2), ME, false);
        hear(&mut rooms, RoomId(1), &message(5, 2), ME, false);
        hear(&mut rooms, RoomId(9), &message(6, 2), ME, false);
        assert_eq!(rooms[0].unread_count, 1);
    }
}
