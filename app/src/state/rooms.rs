//! The user's list of rooms, and its updates by messages, notifications and reading.

use chat::model::{LastMessage, MessageId, NotificationType, Room, RoomId, RoomMessage, UserId};
use serde::{Deserialize, Serialize};

/// Length of the stored excerpt in characters, more than a line shows.
const EXCERPT: usize = 120;

/// The user's rooms with unread counts and mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// Those with the latest activity first.
    pub list: Vec<Room>,
    /// Rooms with an unread mention of the user.
    pub mentioned: Vec<RoomId>,
    /// Unread notifications without a message: invitations and system notifications.
    pub notices: i64,
    /// The drafts of the user in this browser, without that of the open room.
    #[serde(skip)]
    pub drafts: Vec<(RoomId, String)>,
    /// The last message of the user that the server has refused, of each room.
    #[serde(skip)]
    pub refused: Vec<(RoomId, String)>,
}

impl Rooms {
    /// The order of display: by activity. A room keeps its place when it is read, so that the list does not move under
    /// the pointer.
    pub fn order(&self) -> Vec<RoomId> {
        self.list.iter().map(|room| room.id).collect()
    }

    pub fn find(&self, id: RoomId) -> Option<&Room> {
        self.list.iter().find(|room| room.id == id)
    }

    /// Whether there is an unread mention.
    pub fn is_mentioned(&self, id: RoomId) -> bool {
        self.mentioned.contains(&id)
    }

    pub fn draft(&self, id: RoomId) -> Option<&str> {
        self.drafts.iter().find(|(room, _)| *room == id).map(|(_, text)| text.as_str())
    }

    pub fn refused(&self, id: RoomId) -> Option<&str> {
        self.refused.iter().find(|(room, _)| *room == id).map(|(_, text)| text.as_str())
    }

    /// The list as it was loaded again. What was written here and not sent is this browser's.
    pub fn replace(&mut self, list: Self) {
        let (drafts, refused) = (std::mem::take(&mut self.drafts), std::mem::take(&mut self.refused));
        *self = Self { drafts, refused, ..list };
    }

    /// Unread messages of all rooms.
    pub fn unread(&self) -> i64 {
        self.list.iter().map(|room| room.unread_count).sum()
    }

    /// What the bell counts: what is meant for the user alone. Rooms with a mention or a reply count once.
    pub fn unread_notifications(&self) -> i64 {
        self.notices + i64::try_from(self.mentioned.len()).unwrap_or(i64::MAX)
    }

    /// Applies a notification. Messages of `current`, the open room, are applied through its own socket, which also
    /// knows whether they are visible.
    pub fn apply_notification(&mut self, kind: NotificationType, room: &Room, current: Option<RoomId>) {
        let id = room.id;
        match kind {
            NotificationType::RoomInvite | NotificationType::System => self.notices += 1,
            NotificationType::Mention if !self.is_mentioned(id) => self.mentioned.push(id),
            NotificationType::Mention | NotificationType::Message => {}
        }
        let index = self.list.iter().position(|known| known.id == id);
        match index {
            Some(_) if current == Some(id) => {}
            Some(index) => {
                self.list[index] = room.clone();
                self.list[..=index].rotate_right(1);
            }
            None => self.list.insert(0, room.clone()),
        }
    }

    /// `message` is the newest of the room: it was edited or deleted, or is not known here yet. New messages of
    /// `current`, the open room, are applied through its own socket.
    pub fn update_last_message(&mut self, id: RoomId, message: &LastMessage, current: Option<RoomId>) {
        let Some(index) = self.list.iter().position(|known| known.id == id) else { return };
        let known = self.list[index].last_message.as_ref().map(|last| last.id);
        let is_newer = known.is_none_or(|known| known < message.id);
        if known == Some(message.id) || (is_newer && current != Some(id)) {
            let content = beginning(&message.content);
            self.list[index].last_message = Some(LastMessage { content, ..message.clone() });
        }
        if is_newer && current != Some(id) {
            self.list[..=index].rotate_right(1);
        }
    }

    /// A message was edited or deleted; true if the list shows it.
    pub fn update_message(&mut self, id: RoomId, message: MessageId, content: &str) -> bool {
        let room = self.list.iter_mut().find(|known| known.id == id);
        let last = room.and_then(|room| room.last_message.as_mut()).filter(|last| last.id == message);
        if let Some(last) = last {
            last.content = beginning(content);
            return true;
        }
        false
    }

    /// Sets the room's unread count.
    pub fn set_unread(&mut self, id: RoomId, unread: i64) {
        if let Some(known) = self.list.iter_mut().find(|known| known.id == id) {
            known.unread_count = unread;
        }
        if unread == 0 {
            self.mentioned.retain(|mentioned| *mentioned != id);
        }
    }

    /// Sets the words of a room.
    pub fn set_words(&mut self, id: RoomId, name: &str, description: &str) {
        if let Some(known) = self.list.iter_mut().find(|known| known.id == id) {
            name.clone_into(&mut known.name);
            description.clone_into(&mut known.description);
        }
    }

    /// The user is no longer a member.
    pub fn remove(&mut self, id: RoomId) {
        self.list.retain(|room| room.id != id);
        self.mentioned.retain(|mentioned| *mentioned != id);
    }
}

/// The excerpt that the list stores.
fn beginning(content: &str) -> String {
    content.chars().take(EXCERPT).collect()
}

/// A new message of the open room: moves the room up, and counts as unread unless it is the user's own or visible.
pub fn receive_message(rooms: &mut Rooms, room: RoomId, message: &RoomMessage, me: UserId, is_seen: bool) {
    let rooms = &mut rooms.list;
    let Some(index) = rooms.iter().position(|known| known.id == room) else { return };
    let known = &mut rooms[index];
    if known.last_message.as_ref().is_some_and(|last| last.id >= message.id) {
        return;
    }
    known.last_message = Some(LastMessage {
        id: message.id,
        content: beginning(&message.content),
        sender: message.sender.username.clone(),
        created_at: message.created_at,
    });
    if message.sender.id != me && !is_seen {
        known.unread_count += 1;
    }
    rooms[..=index].rotate_right(1);
}

/// All messages of `room` have been read.
pub fn mark_read(rooms: &mut Rooms, room: RoomId) {
    rooms.set_unread(room, 0);
}

#[cfg(test)]
mod tests {
    use chat::model::{MessageType, RoomType, Timestamp, User};

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

    fn room(id: i64, unread: i64) -> Room {
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
            is_member: true,
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

    fn rooms<const N: usize>(list: [Room; N]) -> Rooms {
        Rooms { list: list.into(), ..Rooms::default() }
    }

    fn ids(rooms: &[RoomId]) -> Vec<i64> {
        rooms.iter().map(|room| room.0).collect()
    }

    #[test]
    fn reading_moves_no_room() {
        let mut rooms = rooms([room(1, 0), room(2, 3), room(4, 1)]);
        rooms.mentioned = vec![RoomId(4)];
        assert_eq!(ids(&rooms.order()), [1, 2, 4]);
        rooms.set_unread(RoomId(2), 0);
        assert_eq!(ids(&rooms.order()), [1, 2, 4]);
    }

    #[test]
    fn message_moves_its_room_up_and_counts_unless_visible_or_own() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        receive_message(&mut rooms, RoomId(2), &message(5, 2), ME, false);
        assert_eq!((rooms.list[0].id, rooms.list[0].unread_count), (RoomId(2), 1));
        assert_eq!(rooms.list[0].last_message.as_ref().expect("kept").content.chars().count(), EXCERPT);
        receive_message(&mut rooms, RoomId(2), &message(6, 2), ME, true);
        receive_message(&mut rooms, RoomId(2), &message(7, 1), ME, false);
        assert_eq!(rooms.unread(), 1);
        mark_read(&mut rooms, RoomId(2));
        assert_eq!(rooms.unread(), 0);
    }

    #[test]
    fn duplicate_message_counts_once() {
        let mut rooms = rooms([room(1, 0)]);
        receive_message(&mut rooms, RoomId(1), &message(5, 2), ME, false);
        receive_message(&mut rooms, RoomId(1), &message(5, 2), ME, false);
        receive_message(&mut rooms, RoomId(9), &message(6, 2), ME, false);
        assert_eq!(rooms.unread(), 1);
    }

    #[test]
    fn notification_replaces_its_room_and_moves_it_up() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.apply_notification(NotificationType::Message, &room(2, 7), Some(RoomId(1)));
        assert_eq!((rooms.list[0].id, rooms.unread()), (RoomId(2), 7));
        rooms.apply_notification(NotificationType::Mention, &room(1, 1), None);
        assert_eq!((ids(&rooms.order()), rooms.unread()), (vec![1, 2], 8));
        rooms.set_unread(RoomId(1), 0);
        assert_eq!((ids(&rooms.order()), rooms.is_mentioned(RoomId(1))), (vec![1, 2], false));
    }

    fn last(id: i64, content: &str) -> LastMessage {
        LastMessage {
            id: MessageId(id),
            content: content.into(),
            sender: "u2".into(),
            created_at: Timestamp(id),
        }
    }

    fn shown(rooms: &Rooms) -> Vec<(i64, &str)> {
        let shown = rooms
            .list
            .iter()
            .map(|room| (room.id.0, room.last_message.as_ref().map_or("", |last| last.content.as_str())));
        shown.collect()
    }

    #[test]
    fn deleted_content_leaves_the_list() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        for (index, id) in [(0, 5), (1, 6)] {
            rooms.list[index].last_message = Some(last(id, "salaries"));
        }
        rooms.update_last_message(RoomId(2), &last(6, "gone"), None);
        rooms.update_last_message(RoomId(1), &last(5, "gone"), Some(RoomId(1)));
        assert_eq!(shown(&rooms), [(1, "gone"), (2, "gone")], "in their places");
        rooms.update_last_message(RoomId(2), &last(4, "older than what is known"), None);
        rooms.update_last_message(RoomId(9), &last(7, "of no room here"), None);
        assert!(!rooms.update_message(RoomId(1), MessageId(4), "an older one"));
        assert!(rooms.update_message(RoomId(1), MessageId(5), &"字".repeat(500)));
        assert!(!rooms.update_message(RoomId(9), MessageId(5), "of no room here"));
        let long = "字".repeat(EXCERPT);
        assert_eq!(shown(&rooms), [(1, long.as_str()), (2, "gone")]);
    }

    #[test]
    fn unknown_newest_message_is_applied_except_in_the_open_room() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.update_last_message(RoomId(2), &last(6, "mine, from another tab"), Some(RoomId(1)));
        assert_eq!(shown(&rooms), [(2, "mine, from another tab"), (1, "")]);
        rooms.update_last_message(RoomId(1), &last(7, "on its way"), Some(RoomId(1)));
        assert_eq!(shown(&rooms), [(2, "mine, from another tab"), (1, "")]);
    }

    #[test]
    fn removed_room_leaves_the_list() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.apply_notification(NotificationType::Mention, &room(2, 7), None);
        rooms.remove(RoomId(2));
        assert_eq!((ids(&rooms.order()), rooms.unread(), rooms.is_mentioned(RoomId(2))), (vec![1], 0, false));
    }

    #[test]
    fn messages_of_the_open_room_are_ignored() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.apply_notification(NotificationType::Message, &room(2, 7), Some(RoomId(2)));
        assert_eq!((rooms.list[0].id, rooms.unread()), (RoomId(1), 0));
    }

    #[test]
    fn invitation_adds_its_room() {
        let mut rooms = rooms([room(1, 0)]);
        rooms.apply_notification(NotificationType::RoomInvite, &room(8, 0), None);
        assert_eq!(ids(&rooms.order()), [8, 1]);
        assert_eq!((rooms.unread(), rooms.unread_notifications()), (0, 1));
    }
}
