//! The list of one's rooms, and what happens to it: a message here, a notification from elsewhere, reading.

use chat::model::{
    LastMessage, MessageId, Notification, NotificationType, Room, RoomId, RoomMessage, UserId,
};
use serde::{Deserialize, Serialize};

/// How much of a message the list keeps, in characters: more than a line has room for.
const EXCERPT: usize = 120;

/// One's rooms, and what waits there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// The rooms, those with the latest activity first.
    pub list: Vec<Room>,
    /// Those in which somebody wrote one's name, and one has not read it.
    pub mentioned: Vec<RoomId>,
    /// Unread notifications that are no message's: invitations and the server's words.
    pub notices: i64,
}

impl Rooms {
    /// In the order in which they are shown: where one is mentioned, then those with something unread, then the rest;
    /// each by activity.
    pub fn order(&self) -> Vec<RoomId> {
        let mut order: Vec<&Room> = self.list.iter().collect();
        // Stable, so that activity decides among equals.
        order.sort_by_key(|room| match () {
            () if self.is_mentioned(room.id) => 0,
            () if room.unread_count > 0 => 1,
            () => 2,
        });
        order.into_iter().map(|room| room.id).collect()
    }

    /// The room of this id.
    pub fn find(&self, id: RoomId) -> Option<&Room> {
        self.list.iter().find(|room| room.id == id)
    }

    /// Did somebody write one's name there, unread?
    pub fn is_mentioned(&self, id: RoomId) -> bool {
        self.mentioned.contains(&id)
    }

    /// Unread messages in all rooms together.
    pub fn unread(&self) -> i64 {
        self.list.iter().map(|room| room.unread_count).sum()
    }

    /// Unread notifications: the messages and the rest.
    pub fn unread_notifications(&self) -> i64 {
        self.unread() + self.notices
    }

    /// A notification came. Of `current`, the room that is open, its own socket tells the messages, and knows whether
    /// they are looked at.
    pub fn apply_notification(&mut self, notification: &Notification, current: Option<RoomId>) {
        let id = notification.room.id;
        match notification.notification_type {
            NotificationType::RoomInvite | NotificationType::System => self.notices += 1,
            NotificationType::Mention if !self.is_mentioned(id) => self.mentioned.push(id),
            NotificationType::Mention | NotificationType::Message => {}
        }
        let place = self.list.iter().position(|known| known.id == id);
        match place {
            Some(_) if current == Some(id) => {}
            Some(place) => {
                self.list[place] = notification.room.clone();
                self.list[..=place].rotate_right(1);
            }
            None => self.list.insert(0, notification.room.clone()),
        }
    }

    /// The newest message of this room is `message` now: it was edited or deleted, or is one that this list has not heard
    /// of. Of `current`, the room that is open, its own socket tells the new ones.
    pub fn update_last_message(&mut self, id: RoomId, message: &LastMessage, current: Option<RoomId>) {
        let Some(place) = self.list.iter().position(|known| known.id == id) else { return };
        let known = self.list[place].last_message.as_ref().map(|last| last.id);
        let is_newer = known.is_none_or(|known| known < message.id);
        if known == Some(message.id) || (is_newer && current != Some(id)) {
            let content = beginning(&message.content);
            self.list[place].last_message = Some(LastMessage { content, ..message.clone() });
        }
        if is_newer && current != Some(id) {
            self.list[..=place].rotate_right(1);
        }
    }

    /// A message of this room says something else now, or nothing any more. True if the list shows it.
    pub fn update_message(&mut self, id: RoomId, message: MessageId, content: &str) -> bool {
        let room = self.list.iter_mut().find(|known| known.id == id);
        let last = room.and_then(|room| room.last_message.as_mut()).filter(|last| last.id == message);
        if let Some(last) = last {
            last.content = beginning(content);
            return true;
        }
        false
    }

    /// So many messages of this room are unread now, as the server counts.
    pub fn set_unread(&mut self, id: RoomId, unread: i64) {
        if let Some(known) = self.list.iter_mut().find(|known| known.id == id) {
            known.unread_count = unread;
        }
        if unread == 0 {
            self.mentioned.retain(|mentioned| *mentioned != id);
        }
    }

    /// One is not in this room any more.
    pub fn remove(&mut self, id: RoomId) {
        self.list.retain(|room| room.id != id);
        self.mentioned.retain(|mentioned| *mentioned != id);
    }
}

/// As much of `content` as the list keeps.
fn beginning(content: &str) -> String {
    content.chars().take(EXCERPT).collect()
}

/// `message` came into `room`: it moves up, and counts as unread unless it is one's own or being looked at.
pub fn receive_message(rooms: &mut Rooms, room: RoomId, message: &RoomMessage, me: UserId, is_seen: bool) {
    let rooms = &mut rooms.list;
    let Some(place) = rooms.iter().position(|known| known.id == room) else { return };
    let known = &mut rooms[place];
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
    rooms[..=place].rotate_right(1);
}

/// All of `room` has been read.
pub fn mark_read(rooms: &mut Rooms, room: RoomId) {
    rooms.set_unread(room, 0);
}

#[cfg(test)]
mod tests {
    use chat::model::{MessageType, NotificationId, RoomType, Timestamp, User};

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

    fn notification(kind: NotificationType, room: Room) -> Notification {
        Notification {
            id: NotificationId(2),
            notification_type: kind,
            title: "新消息来自 u2".into(),
            content: "在吗".into(),
            room,
            message: None,
            is_read: false,
            created_at: Timestamp(9),
        }
    }

    fn ids(rooms: &[RoomId]) -> Vec<i64> {
        rooms.iter().map(|room| room.0).collect()
    }

    #[test]
    fn where_one_is_mentioned_comes_first_then_what_is_unread() {
        let mut rooms = rooms([room(1, 0), room(2, 3), room(4, 1)]);
        assert_eq!(ids(&rooms.order()), [2, 4, 1]);
        rooms.mentioned = vec![RoomId(4)];
        assert_eq!(ids(&rooms.order()), [4, 2, 1]);
    }

    #[test]
    fn a_message_moves_its_room_up_and_counts_unless_seen_or_ones_own() {
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
    fn a_message_heard_again_counts_once() {
        let mut rooms = rooms([room(1, 0)]);
        receive_message(&mut rooms, RoomId(1), &message(5, 2), ME, false);
        receive_message(&mut rooms, RoomId(1), &message(5, 2), ME, false);
        receive_message(&mut rooms, RoomId(9), &message(6, 2), ME, false);
        assert_eq!(rooms.unread(), 1);
    }

    #[test]
    fn a_notification_brings_its_room_up_as_the_server_sees_it() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.apply_notification(&notification(NotificationType::Message, room(2, 7)), Some(RoomId(1)));
        assert_eq!((rooms.list[0].id, rooms.unread()), (RoomId(2), 7));
        rooms.apply_notification(&notification(NotificationType::Mention, room(1, 1)), None);
        assert_eq!((ids(&rooms.order()), rooms.unread()), (vec![1, 2], 8));
        rooms.set_unread(RoomId(1), 0);
        assert_eq!((ids(&rooms.order()), rooms.is_mentioned(RoomId(1))), (vec![2, 1], false));
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
    fn words_that_were_taken_back_leave_the_list() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        for (place, id) in [(0, 5), (1, 6)] {
            rooms.list[place].last_message = Some(last(id, "salaries"));
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
    fn a_newest_message_that_was_not_heard_of_is_taken_over_but_for_the_open_room() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.update_last_message(RoomId(2), &last(6, "mine, from another tab"), Some(RoomId(1)));
        assert_eq!(shown(&rooms), [(2, "mine, from another tab"), (1, "")]);
        rooms.update_last_message(RoomId(1), &last(7, "on its way"), Some(RoomId(1)));
        assert_eq!(shown(&rooms), [(2, "mine, from another tab"), (1, "")]);
    }

    #[test]
    fn a_room_that_one_is_out_of_is_not_waited_for() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.apply_notification(&notification(NotificationType::Mention, room(2, 7)), None);
        rooms.remove(RoomId(2));
        assert_eq!((ids(&rooms.order()), rooms.unread(), rooms.is_mentioned(RoomId(2))), (vec![1], 0, false));
    }

    #[test]
    fn messages_of_the_open_room_are_left_to_its_own_socket() {
        let mut rooms = rooms([room(1, 0), room(2, 0)]);
        rooms.apply_notification(&notification(NotificationType::Message, room(2, 7)), Some(RoomId(2)));
        assert_eq!((rooms.list[0].id, rooms.unread()), (RoomId(1), 0));
    }

    #[test]
    fn an_invitation_brings_a_room_that_was_not_known() {
        let mut rooms = rooms([room(1, 0)]);
        rooms.apply_notification(&notification(NotificationType::RoomInvite, room(8, 0)), None);
        assert_eq!(ids(&rooms.order()), [8, 1]);
        assert_eq!((rooms.unread(), rooms.unread_notifications()), (0, 1));
    }
}
