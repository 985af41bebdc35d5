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
