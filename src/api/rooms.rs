//! `/api/chat/rooms/`: list, create, get, change, delete, join and leave rooms.

use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use chat::{
    Chat,
    model::{NewRoom, Problem, Room, RoomId, RoomPatch, RoomType, Timestamp, limits::PAGE_SIZE_MAX},
    service::rooms::{RoomCursor, RoomFilter},
};

use super::{
    PathId, TAG_ROOMS,
    fields::Fields,
    query::Params,
    response::{Acknowledgement, JsonText},
};
use crate::{auth::ChatUser, error::ApiError};

/// The page size if only `page` was given.
const PAGE_SIZE: i64 = 20;

/// A list of rooms, with the `Link` header of its neighbouring pages.
type RoomListResponse = Result<(HeaderMap, JsonText), ApiError>;

/// List rooms
///
/// Public rooms and the caller's own, most recent activity first. When paginated, the `Link` header has the next and
/// the previous page.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/",
    operation_id = "list_rooms",
    tag = TAG_ROOMS,
    params(
        ("search" = Option<String>, Query, description = "Text that the name contains; `%` and `_` have no special meaning."),
        ("room_type" = Option<RoomType>, Query, description = "Only rooms of this type."),
        ("mine" = Option<bool>, Query, description = "Only rooms that I am a member of."),
        ("page" = Option<i64>, Query, description = "Page number from 1. Without `page` and `page_size` the whole list is returned."),
        (
            "page_size" = Option<i64>,
            Query,
            description = "Default 20 if `page` is given, at most 100."
        ),
        ("after" = Option<String>, Query, description = "A cursor, taken from the `next` link of the `Link` header.")
    ),
    responses(
        (
            status = 200,
            body = Vec<Room>,
            description = "The rooms.",
            headers(
                (
                    "Link" = Option<String>,
                    description = "RFC 8288: the neighbouring pages, `next` and `prev`. Only when paginated."
                )
            )
        )
    )
)]
pub async fn list(
    State(chat): State<Chat>,
    ChatUser(viewer): ChatUser,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> RoomListResponse {
    let search = params.text("search");
    let kind = params.text("room_type");
    let room_type = kind.as_deref().and_then(RoomType::parse);
    if kind.is_some() && room_type.is_none() {
        params.problem("room_type", Problem::NotAChoice);
    }
    let mine = params.flag("mine");
    let (page, size) = (params.number("page"), params.number("page_size"));
    if page.is_some_and(|page| page < 1) {
        params.problem("page", Problem::OutOfRange { min: 1, max: i64::MAX });
    }
    if size.is_some_and(|size| size < 1) {
        params.problem("page_size", Problem::OutOfRange { min: 1, max: PAGE_SIZE_MAX });
    }
    let after = params.text("after");
    let cursor = after.as_deref().and_then(parse_cursor);
    if after.is_some() && cursor.is_none() {
        params.problem("after", Problem::WrongType);
    }
    params.finish()?;

    let mut filter = RoomFilter { search, room_type, mine, after: cursor, limit: i64::MAX };
    let Some(page_query) = PageQuery::new(page, size) else {
        return Ok((HeaderMap::new(), JsonText(chat.rooms(&viewer, &filter).await?.json())));
    };
    filter.limit = page_query.size;
    let found = chat.room_page(&viewer, filter, page_query.page).await?;
    Ok((
        page_query.links(uri.path(), uri.query().unwrap_or_default(), found.next),
        JsonText(found.rooms.json()),
    ))
}

fn parse_cursor(text: &str) -> Option<RoomCursor> {
    let (at, id) = text.split_once('-')?;
    Some(RoomCursor { active_at: Timestamp(at.parse().ok()?), room: RoomId(id.parse().ok()?) })
}

fn format_cursor(cursor: RoomCursor) -> String {
    format!("{}-{}", cursor.active_at.0, cursor.room.0)
}

/// The requested page of the list.
struct PageQuery {
    page: i64,
    size: i64,
}

impl PageQuery {
    /// `None` if the whole list was requested.
    fn new(page: Option<i64>, size: Option<i64>) -> Option<Self> {
        (page.is_some() || size.is_some())
            .then(|| Self { page: page.unwrap_or(1), size: size.unwrap_or(PAGE_SIZE).min(PAGE_SIZE_MAX) })
    }

    /// The `Link` header of RFC 8288 with the neighbouring pages. The next one also has a cursor, so that a client that
    /// follows the links neither skips nor repeats a room when the order changes.
    fn links(&self, path: &str, query: &str, next: Option<RoomCursor>) -> HeaderMap {
        let link = |page: i64, after: Option<RoomCursor>, rel: &str| {
            let kept = url::form_urlencoded::parse(query.as_bytes())
                .filter(|(name, _)| !matches!(&**name, "page" | "after"));
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept)
                .append_pair("page", &page.to_string())
                .extend_pairs(after.map(|cursor| ("after", format_cursor(cursor))))
                .finish();
            format!("<{path}?{query}>; rel=\"{rel}\"")
        };
        let mut links = Vec::new();
        if self.page > 1 {
            links.push(link(self.page - 1, None, "prev"));
        }
        if next.is_some() {
            links.push(link(self.page.saturating_add(1), next, "next"));
        }
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::try_from(links.join(", "))
            && !links.is_empty()
        {
            headers.insert(header::LINK, value);
        }
        headers
    }
}

/// Create a room
///
/// The creator becomes its admin and first member.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/",
    operation_id = "create_room",
    tag = TAG_ROOMS,
    request_body = NewRoom,
    responses((status = 201, body = Room, description = "The created room.")),
    extensions(("x-errors" = json!(["throttled"])))
)]
pub async fn create(
    State(chat): State<Chat>,
    ChatUser(creator): ChatUser,
    mut body: Fields,
) -> Result<(StatusCode, Json<Room>), ApiError> {
    let new = NewRoom {
        name: body.text("name"),
        description: body.optional_text("description").unwrap_or_default(),
        room_type: body.text("room_type"),
        max_members: body.optional_number("max_members"),
    };
    body.finish()?;
    Ok((StatusCode::CREATED, Json(chat.create_room(&creator, new).await?)))
}

/// Get a room
///
/// With its first 200 members. A private or group room is a 404 for non-members.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/{id}/",
    operation_id = "get_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Room, description = "The room, with `members`.")),
    extensions(("x-errors" = json!(["banned"])))
)]
pub async fn detail(
    State(chat): State<Chat>,
    ChatUser(viewer): ChatUser,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Room>, ApiError> {
    Ok(Json(chat.room(&viewer, room).await?))
}

/// Change a room
///
/// For admins. Missing fields stay unchanged. `max_members` cannot be lower than the number of members.
#[utoipa::path(
    patch,
    path = "/api/chat/rooms/{id}/",
    operation_id = "edit_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    request_body = RoomPatch,
    responses((status = 200, body = Room, description = "The changed room.")),
    extensions(("x-errors" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn edit(
    State(chat): State<Chat>,
    ChatUser(editor): ChatUser,
    PathId(room): PathId<RoomId>,
    mut body: Fields,
) -> Result<Json<Room>, ApiError> {
    let patch = RoomPatch {
        name: body.changed_text("name"),
        description: body.changed_text("description"),
        max_members: body.changed_number("max_members"),
    };
    body.finish()?;
    Ok(Json(chat.edit_room(&editor, room, patch).await?))
}

/// Delete a room
///
/// For admins. The room disappears from every list, its sockets close with 4404, and nobody can write in it. Its
/// members can still read its messages.
#[utoipa::path(
    delete,
    path = "/api/chat/rooms/{id}/",
    operation_id = "delete_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 204, description = "Deleted.")),
    extensions(("x-errors" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn delete(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
    PathId(room): PathId<RoomId>,
) -> Result<StatusCode, ApiError> {
    chat.delete_room(&user, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Join a room
///
/// Joining again is not an error. A private or group room needs an invitation.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/join/",
    operation_id = "join_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Acknowledgement, description = "Joined.", example = json!({"message": "成功加入房间"}))),
    extensions(("x-errors" = json!(["banned", "room_full", "throttled"])))
)]
pub async fn join(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Acknowledgement>, ApiError> {
    chat.join(&user, room).await?;
    Ok(Acknowledgement::new("成功加入房间"))
}

/// Leave a room
///
/// When the last admin leaves, the moderator who joined first becomes admin; without a moderator, the member who
/// joined first. A mute or a ban stays.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/leave/",
    operation_id = "leave_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Acknowledgement, description = "Left.", example = json!({"message": "成功离开房间"}))),
    extensions(("x-errors" = json!(["banned", "400 not_a_member"])))
)]
pub async fn leave(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Acknowledgement>, ApiError> {
    chat.leave(&user, room).await.map_err(|error| {
        let error = ApiError::from(error);
        // Leaving a room without being a member is a bad request, not a missing permission (contract).
        if error.code() == chat::model::Code::NotAMember { error.as_bad_request() } else { error }
    })?;
    Ok(Acknowledgement::new("成功离开房间"))
}
