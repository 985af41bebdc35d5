//! Rooms: list, open, create, join, leave.

use chat::model::{Code, HistoryWindow, MessageId, Room, RoomId, User};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    state::{rooms::Rooms, roster::Roster},
};

/// Maximum number of rooms in the list, those with the latest messages first.
#[cfg(feature = "ssr")]
const ROOMS_LISTED: i64 = 300;

/// The data of a room's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedRoom {
    pub me: User,
    pub room: Room,
    pub roster: Roster,
    /// A page of its history; `None` for non-members.
    pub window: Option<HistoryWindow>,
    /// Readers of the message in the address, if requested.
    pub readers: Vec<User>,
    /// Whether the page knows the room from another visit, with its history.
    #[serde(skip)]
    pub is_stored: bool,
}

/// The user's rooms with their unread counts.
#[server(prefix = "/ui", endpoint = "list_rooms", input = GetUrl)]
pub async fn list_rooms() -> Result<Rooms, AppError> {
    let user = super::identity::require_user().await?;
    let chat = super::identity::context()?.chat;
    let filter = chat::service::rooms::RoomFilter { mine: true, limit: ROOMS_LISTED, ..Default::default() };
    let list = chat.rooms(&user, &filter).await?.to_rooms();
    let chat::service::notifications::UnreadAlerts { mentioned, notices } = chat.unread_alerts(&user).await?;
    Ok(Rooms { list, mentioned, notices, ..Rooms::default() })
}

#[cfg(feature = "ssr")]
pub struct PublicRooms {
    /// The rooms, those with the latest messages first.
    pub rooms: Vec<Room>,
    /// Page number, from 1.
    pub page: i64,
    /// Is there another one after it?
    pub has_more: bool,
}

/// The public rooms whose name contains `search`.
#[cfg(feature = "ssr")]
pub async fn public_rooms(search: &str, page: i64) -> Result<PublicRooms, AppError> {
    handler::public(search, page).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// A room with its newest messages, or those before, after or around a message. That the user may not see a room is
/// an expected error.
#[server(prefix = "/ui", endpoint = "open_room", input = GetUrl)]
pub async fn open_room(
    room: RoomId,
    /// Load the messages before this one.
    before: Option<MessageId>,
    after: Option<MessageId>,
    /// Or this one and those around it.
    around: Option<MessageId>,
    /// Load the readers of that message too.
    #[server(default)]
    asks_readers: bool,
) -> Result<Result<OpenedRoom, Code>, AppError> {
    let at = super::messages::window_at(before, after, around);
    handler::expected(handler::open(room, at, around.filter(|_| asks_readers)).await)
}

/// Creates a room and goes to it.
#[server(prefix = "/ui", endpoint = "create_room")]
pub async fn create_room(
    #[server(default)] name: String,
    #[server(default)] description: String,
    /// `public`, `private` or `group`.
    #[server(default)]
    room_type: String,
) -> Result<(), AppError> {
    let result = handler::create(&name, &description, &room_type).await.map(|room| room_path(room.id));
    super::forms::answer(
        result,
        super::forms::Form::NewRoom,
        "/rooms/new",
        [("name", &name), ("description", &description), ("room_type", &room_type)],
    )
}

#[server(prefix = "/ui", endpoint = "join_room")]
pub async fn join_room(room: RoomId) -> Result<(), AppError> {
    let result = handler::join(room).await.map(|()| room_path(room));
    super::forms::answer(result, super::forms::Form::Membership, &room_path(room), [])
}

#[server(prefix = "/ui", endpoint = "leave_room")]
pub async fn leave_room(room: RoomId) -> Result<(), AppError> {
    let result = handler::leave(room).await.map(|()| "/rooms".to_owned());
    super::forms::answer(result, super::forms::Form::Membership, &room_path(room), [])
}

pub fn room_path(room: RoomId) -> String {
    format!("/rooms/{room}")
}

#[cfg(feature = "ssr")]
mod handler {
    use chat::{
        model::{Code, MessageId, NewRoom, Room, RoomId, RoomType, WindowAt, limits::ROOM_MEMBERS_MAX},
        service::rooms::RoomFilter,
    };

    use super::{OpenedRoom, PublicRooms};
    use crate::{
        error::AppError,
        server::{
            identity::{context, require_user},
            members, messages, request,
        },
    };

    /// Number of public rooms on a page.
    const ROOMS_PAGE: i64 = 30;
    /// Number of messages in the first page of history on a phone: more than two screens, but few, since rendering
    /// them is slow there.
    const PHONE_PAGE: i64 = 25;
    /// Maximum page number, so that a forged one cannot overflow.
    const LAST_PAGE: i64 = 100_000;

    pub(super) async fn open(
        id: RoomId,
        at: WindowAt,
        readers_of: Option<MessageId>,
    ) -> Result<OpenedRoom, AppError> {
        let me = require_user().await?;
        let (room, roster) = members::first(&me, id).await?;
        let size = if request::is_from_phone() { PHONE_PAGE } else { messages::HISTORY_PAGE };
        let window =
            if room.is_member { Some(messages::handler::history(id, at, size).await?) } else { None };
        let readers = match readers_of.filter(|_| window.is_some()) {
            // A message that does not exist has no readers.
            Some(message) => messages::handler::readers(message).await.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(OpenedRoom { me, room, roster, window, readers, is_stored: false })
    }

    pub(super) async fn public(search: &str, page: i64) -> Result<PublicRooms, AppError> {
        let page = page.clamp(1, LAST_PAGE);
        let filter = RoomFilter {
            search: Some(search.trim().to_owned()).filter(|search| !search.is_empty()),
            room_type: Some(RoomType::Public),
            limit: ROOMS_PAGE,
            ..RoomFilter::default()
        };
        let found = context()?.chat.room_page(&require_user().await?, filter, page).await?;
        Ok(PublicRooms { rooms: found.rooms.to_rooms(), page, has_more: found.next.is_some() })
    }

    pub(super) async fn create(name: &str, description: &str, room_type: &str) -> Result<Room, AppError> {
        let me = require_user().await?;
        let new = NewRoom {
            name: name.trim().into(),
            description: description.into(),
            room_type: room_type.into(),
            // The API's default would be too few for a public room, and the form does not ask.
            max_members: Some(ROOM_MEMBERS_MAX),
        };
        Ok(context()?.chat.create_room(&me, new).await?)
    }

    pub(super) async fn join(room: RoomId) -> Result<(), AppError> {
        Ok(context()?.chat.join(&require_user().await?, room).await?)
    }

    pub(super) async fn leave(room: RoomId) -> Result<(), AppError> {
        Ok(context()?.chat.leave(&require_user().await?, room).await?)
    }

    /// Turns errors that the page shows by itself into data.
    pub(super) fn expected<T>(result: Result<T, AppError>) -> Result<Result<T, Code>, AppError> {
        match result {
            Ok(answer) => Ok(Ok(answer)),
            Err(AppError(failure)) => match failure.code {
                Code::NotFound | Code::NotAMember | Code::Banned | Code::Invalid => Ok(Err(failure.code)),
                code => {
                    request::set_status(code);
                    Err(AppError(failure))
                }
            },
        }
    }
}
