//! What a person's notification socket must have told by a fence.

use std::collections::BTreeMap;

use chat::{
    Chat,
    model::{
        MessageId, Notification, NotificationId, NotificationRef, Room, RoomId, User, UserId,
        limits::NOTIFICATIONS_MAX,
    },
    service::{notifications::NotificationQuery, rooms::RoomFilter},
};

use super::follower::Follower;

/// The messages that prove that everything before them has arrived: one in the room, and one in the hall for those who
/// are not in it.
#[derive(Clone, Copy, Debug)]
pub struct Fence {
    pub room: MessageId,
    pub hall: MessageId,
}

/// A room in the person's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedRoom {
    pub name: String,
    pub unread: i64,
    pub last_message: Option<(MessageId, String)>,
}

/// The state as a fresh client reads it.
#[derive(Debug)]
pub struct Followed {
    /// The fences that reach the person.
    fences: Vec<NotificationId>,
    rooms: BTreeMap<RoomId, ListedRoom>,
    /// The names of those in the hall; `None` if they do not reach every node.
    names: Option<BTreeMap<UserId, String>>,
    unread: Vec<Notification>,
}

impl Followed {
    /// Reads what is stored for the person. `room` is the history's room, `hall` has everybody.
    pub async fn read(
        chat: &Chat,
        user: &User,
        [room, hall]: [RoomId; 2],
        fence: Fence,
        tells_names: bool,
    ) -> Self {
        let rooms = rooms(chat, user).await;
        let in_room = rooms.contains_key(&room).then_some(fence.room);
        let fences = in_room.into_iter().chain([fence.hall]);
        Self {
            fences: fences.map(|id| NotificationRef::Message(id).into()).collect(),
            rooms,
            names: if tells_names { Some(names(chat, user, hall).await) } else { None },
            unread: unread(chat, user).await,
        }
    }

    /// What the follower knows equals this.
    pub fn agrees_with(&self, follower: &Follower) -> Result<(), String> {
        if let Some(fence) = self.fences.iter().find(|fence| !follower.is_notified_of(**fence)) {
            return Err(format!("the fence {fence:?} did not come"));
        }
        let rooms: BTreeMap<RoomId, &ListedRoom> =
            follower.rooms().map(|(id, room)| (id, &room.listed)).collect();
        if !self.rooms.iter().eq(rooms.iter().map(|(id, room)| (id, *room))) {
            return Err(format!("has rooms {rooms:?}, stored are {:?}", self.rooms));
        }
        if let Some(names) = &self.names
            && names != follower.names()
        {
            return Err(format!("has names {:?}, stored are {names:?}", follower.names()));
        }
        for unread in &self.unread {
            if !follower.is_told_of(unread, is_partial(&self.unread)) {
                let (id, kind) = (unread.id, unread.notification_type);
                return Err(format!("was not notified of {id:?}, which is unread: {kind:?}"));
            }
        }
        Ok(())
    }
}

impl From<Room> for ListedRoom {
    fn from(room: Room) -> Self {
        let Room { name, unread_count: unread, last_message, .. } = room;
        Self { name, unread, last_message: last_message.map(|message| (message.id, message.content)) }
    }
}

/// The person's rooms.
pub async fn rooms(chat: &Chat, user: &User) -> BTreeMap<RoomId, ListedRoom> {
    let filter = RoomFilter { mine: true, limit: 1_000, ..RoomFilter::default() };
    let rooms = chat.rooms(user, &filter).await.expect("listed").to_rooms();
    rooms.into_iter().map(|room| (room.id, room.into())).collect()
}

/// The names of a room's members.
pub async fn names(chat: &Chat, viewer: &User, room: RoomId) -> BTreeMap<UserId, String> {
    let members = chat.members(viewer, room).await.expect("listed");
    members.into_iter().map(|member| (member.user.id, member.user.first_name)).collect()
}

/// The person's unread notifications, the newest ones if there are many.
pub async fn unread(chat: &Chat, user: &User) -> Vec<Notification> {
    let query =
        NotificationQuery { unread: true, limit: Some(NOTIFICATIONS_MAX), ..NotificationQuery::default() };
    chat.notifications(user, query).await.expect("listed")
}

/// Whether the list may leave some out.
pub fn is_partial(unread: &[Notification]) -> bool {
    i64::try_from(unread.len()).unwrap_or(i64::MAX) >= NOTIFICATIONS_MAX
}
