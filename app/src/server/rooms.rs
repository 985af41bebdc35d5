//! Rooms: the list, one of them opened, made, joined and left.

use chat::model::{Code, HistoryWindow, MessageId, Room, RoomId, User};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    state::{rooms::Rooms, roster::Roster},
};

/// How many rooms the list shows, those with the latest messages first.
#[cfg(feature = "ssr")]
const ROOMS_LISTED: i64 = 300;

/// A room as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedRoom {
    /// Whose page this is.
    pub me: User,
    /// The room.
    pub room: Room,
    /// Its first members.
    pub roster: Roster,
    /// A stretch of its messages, for its members.
    pub window: Option<HistoryWindow>,
    /// Who has read the message that the stretch is around, where that was asked.
    pub readers: Vec<User>,
}

/// One's own rooms, and what waits there.
#[server(prefix = "/ui", endpoint = "list_rooms", input = GetUrl)]
pub async fn list_rooms() -> Result<Rooms, AppError> {
    let user = super::identity::signed_in().await?;
    let chat = super::identity::context()?.chat;
    let filter = chat::service::rooms::RoomFilter { mine: true, limit: ROOMS_LISTED, ..Default::default() };
    let list = chat.rooms(&user, &filter).await?;
    let chat::service::notifications::UnreadAlerts { mentioned, notices } = chat.unread_alerts(&user).await?;
    Ok(Rooms { list, mentioned, notices })
}

/// A page of the public rooms.
#[cfg(feature = "ssr")]
pub struct PublicRooms {
    /// The rooms, those with the latest messages first.
    pub rooms: Vec<Room>,
    /// Which page; the first is 1.
    pub page: i64,
    /// Is there another one after it?
    pub has_more: bool,
}

/// The public rooms whose name has `search` in it.
#[cfg(feature = "ssr")]
pub async fn public_rooms(search: &str, page: i64) -> Result<PublicRooms, AppError> {
    door::public(search, page).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// One room, with its newest messages, or those before, after or around a given one. A room that one may not see is an expected answer.
#[server(prefix = "/ui", endpoint = "open_room", input = GetUrl)]
pub async fn open_room(
    /// Which.
    room: RoomId,
    /// Show the messages before this one.
    before: Option<MessageId>,
    /// Or those after this one.
    after: Option<MessageId>,
    /// Or this one and those around it.
    around: Option<MessageId>,
    /// And who has read that one?
    #[server(default)]
    asks_readers: bool,
) -> Result<Result<OpenedRoom, Code>, AppError> {
    let at = super::messages::window_at(before, after, around);
    door::expected(door::open(room, at, around.filter(|_| asks_readers)).await)
}

/// Is one in this room, and is it there?
#[server(prefix = "/ui", endpoint = "is_in", input = GetUrl)]
pub async fn is_in(
    /// Which.
    room: RoomId,
) -> Result<bool, AppError> {
    let found = door::expected(door::find(room).await)?;
    Ok(found.is_ok_and(|room| room.is_member && room.is_active))
}

/// Makes a room and goes there.
#[server(prefix = "/ui", endpoint = "create_room")]
pub async fn create_room(
    /// Its name.
    #[server(default)]
    name: String,
    /// What it is for.
    #[server(default)]
    description: String,
    /// `public`, `private` or `group`.
    #[server(default)]
    room_type: String,
) -> Result<(), AppError> {
    let result = door::create(&name, &description, &room_type).await.map(|room| room_path(room.id));
    super::forms::answer(
        result,
        super::forms::Form::NewRoom,
        "/rooms/new",
        [("name", &name), ("description", &description), ("room_type", &room_type)],
    )
}

/// Comes into a room.
#[server(prefix = "/ui", endpoint = "join_room")]
pub async fn join_room(
    /// Which.
    room: RoomId,
) -> Result<(), AppError> {
    let result = door::join(room).await.map(|()| room_path(room));
    super::forms::answer(result, super::forms::Form::Membership, &room_path(room), [])
}

/// Goes out of a room.
#[server(prefix = "/ui", endpoint = "leave_room")]
pub async fn leave_room(
    /// Which.
    room: RoomId,
) -> Result<(), AppError> {
    let result = door::leave(room).await.map(|()| "/rooms".to_owned());
    super::forms::answer(result, super::forms::Form::Membership, &room_path(room), [])
}

/// A room's page.
pub fn room_path(room: RoomId) -> String {
    format!("/rooms/{room}")
}

#[cfg(feature = "ssr")]
mod door {
    use chat::{
        model::{Code, MessageId, NewRoom, Room, RoomId, RoomType, WindowAt, limits::ROOM_MEMBERS_DEFAULT},
        service::rooms::RoomFilter,
    };

    use super::{OpenedRoom, PublicRooms};
    use crate::{
        error::AppError,
        server::{
            identity::{context, signed_in},
            members, messages, request,
        },
    };

    /// How many public rooms a page shows.
    const ROOMS_PAGE: i64 = 30;
    /// How many messages a room shows at first on a phone: more than two screens of them, and no more, because a phone takes
    /// long over each.
    const PHONE_PAGE: i64 = 25;
    /// The farthest page: nobody reads so far, and a forged number must not overflow.
    const LAST_PAGE: i64 = 100_000;

    pub(super) async fn open(
        id: RoomId,
        at: WindowAt,
        readers_of: Option<MessageId>,
    ) -> Result<OpenedRoom, AppError> {
        let me = signed_in().await?;
        let (room, roster) = members::first(&me, id).await?;
        let size = if request::is_from_phone() { PHONE_PAGE } else { messages::HISTORY_PAGE };
        let window = if room.is_member { Some(messages::door::history(id, at, size).await?) } else { None };
        let readers = match readers_of.filter(|_| window.is_some()) {
            // Of a message that is not there there is nothing to tell.
            Some(message) => messages::door::readers(message).await.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(OpenedRoom { me, room, roster, window, readers })
    }

    pub(super) async fn find(room: RoomId) -> Result<Room, AppError> {
        Ok(context()?.chat.room(&signed_in().await?, room).await?)
    }

    pub(super) async fn public(search: &str, page: i64) -> Result<PublicRooms, AppError> {
        let page = page.clamp(1, LAST_PAGE);
        let filter = RoomFilter {
            search: Some(search.trim().to_owned()).filter(|search| !search.is_empty()),
            room_type: Some(RoomType::Public),
            limit: ROOMS_PAGE,
            ..RoomFilter::default()
        };
        let found = context()?.chat.room_page(&signed_in().await?, filter, page).await?;
        Ok(PublicRooms { rooms: found.rooms, page, has_more: found.next.is_some() })
    }

    pub(super) async fn create(name: &str, description: &str, room_type: &str) -> Result<Room, AppError> {
        let me = signed_in().await?;
        let new = NewRoom {
            name: name.trim().into(),
            description: description.into(),
            room_type: room_type.into(),
            max_members: Some(ROOM_MEMBERS_DEFAULT),
        };
        Ok(context()?.chat.create_room(&me, new).await?)
    }

    pub(super) async fn join(room: RoomId) -> Result<(), AppError> {
        Ok(context()?.chat.join(&signed_in().await?, room).await?)
    }

    pub(super) async fn leave(room: RoomId) -> Result<(), AppError> {
        Ok(context()?.chat.leave(&signed_in().await?, room).await?)
    }

    /// A refusal that a page shows as such is an answer; the rest is an error.
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
