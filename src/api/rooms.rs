//! `/api/chat/rooms/`: listing, making, seeing, changing, deleting, coming and going.

use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
};
use chat::{
    Chat,
    credential::Claim,
    model::{NewRoom, Problem, Room, RoomId, RoomPatch, RoomType, Timestamp, limits::PAGE_SIZE_MAX},
    service::rooms::{RoomFilter, RoomPlace},
};

use super::{PathId, TAG_ROOMS, answer::Done, fields::Fields, query::Params};
use crate::{
    auth::{Caller, Claimed},
    error::ApiError,
};

/// Rooms on one page where only `page` was given.
const PAGE_SIZE: i64 = 20;

/// A list, and the way to its other pages.
type Listing = Result<(HeaderMap, Json<Vec<Room>>), ApiError>;

/// List rooms
///
/// The public ones and mine, most recent activity first. By page, the header `Link` leads to the next and
/// the previous one.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/",
    operation_id = "list_rooms",
    tag = TAG_ROOMS,
    params(
        ("search" = Option<String>, Query, description = "In the name; `%` and `_` are themselves."),
        ("room_type" = Option<RoomType>, Query, description = "Of this type only."),
        ("mine" = Option<bool>, Query, description = "Only those I am in."),
        ("page" = Option<i64>, Query, description = "From 1. Without it and `page_size` all come."),
        (
            "page_size" = Option<i64>,
            Query,
            description = "20 where only `page` is given; more than 100 counts as 100."
        ),
        ("after" = Option<String>, Query, description = "A place in the list, as the `next` of `Link` names it.")
    ),
    responses(
        (
            status = 200,
            body = Vec<Room>,
            description = "The rooms.",
            headers(
                (
                    "Link" = Option<String>,
                    description = "RFC 8288: the pages beside this one, `next` and `prev`. Only by page."
                )
            )
        )
    )
)]
pub async fn list(
    State(chat): State<Chat>,
    caller: Claimed,
    OriginalUri(uri): OriginalUri,
    params: Params,
) -> Listing {
    let listed = listed(&chat, caller.claim.clone(), &uri, params).await;
    caller.settle(listed).await
}

async fn listed(chat: &Chat, claim: Claim, uri: &Uri, mut params: Params) -> Listing {
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
    let place = after.as_deref().and_then(read_place);
    if after.is_some() && place.is_none() {
        params.problem("after", Problem::WrongType);
    }
    params.finish()?;

    let mut filter = RoomFilter { search, room_type, mine, after: place, limit: i64::MAX };
    let Some(window) = Window::new(page, size) else {
        return Ok((HeaderMap::new(), Json(chat.rooms_as(claim, &filter).await?)));
    };
    filter.limit = window.size;
    let viewer = chat.admit_claim(&claim).await?;
    let found = chat.room_page(&viewer, filter, window.page).await?;
    Ok((window.links(uri.path(), uri.query().unwrap_or_default(), found.next), Json(found.rooms)))
}

/// Reads what [`write_place`] wrote.
fn read_place(text: &str) -> Option<RoomPlace> {
    let (at, id) = text.split_once('-')?;
    Some(RoomPlace { active_at: Timestamp(at.parse().ok()?), room: RoomId(id.parse().ok()?) })
}

/// A place as a parameter.
fn write_place(place: RoomPlace) -> String {
    format!("{}-{}", place.active_at.0, place.room.0)
}

/// A page of the list.
struct Window {
    page: i64,
    size: i64,
}

impl Window {
    /// `None` where the whole list was asked for.
    fn new(page: Option<i64>, size: Option<i64>) -> Option<Self> {
        (page.is_some() || size.is_some())
            .then(|| Self { page: page.unwrap_or(1), size: size.unwrap_or(PAGE_SIZE).min(PAGE_SIZE_MAX) })
    }

    /// The `Link` header of RFC 8288 to the pages beside this one. The next one is named by
    /// its place too: a client that follows the links reads the whole list in one sweep.
    fn links(&self, path: &str, query: &str, next: Option<RoomPlace>) -> HeaderMap {
        let link = |page: i64, after: Option<RoomPlace>, rel: &str| {
            let kept = url::form_urlencoded::parse(query.as_bytes())
                .filter(|(name, _)| !matches!(&**name, "page" | "after"));
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept)
                .append_pair("page", &page.to_string())
                .extend_pairs(after.map(|place| ("after", write_place(place))))
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

/// Make a room
///
/// Its maker is its admin and first member.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/",
    operation_id = "create_room",
    tag = TAG_ROOMS,
    request_body = NewRoom,
    responses((status = 201, body = Room, description = "The room.")),
    extensions(("x-refusals" = json!(["throttled"])))
)]
pub async fn create(
    State(chat): State<Chat>,
    Caller(creator): Caller,
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

/// See a room
///
/// With its first 200 members. A private or group room does not exist for whoever is not in it.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/{id}/",
    operation_id = "get_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Room, description = "The room, with `members`.")),
    extensions(("x-refusals" = json!(["banned"])))
)]
pub async fn detail(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Room>, ApiError> {
    Ok(Json(chat.room(&viewer, room).await?))
}

/// Change a room
///
/// For admins. What is missing stays as it is; not fewer places than there are members.
#[utoipa::path(
    patch,
    path = "/api/chat/rooms/{id}/",
    operation_id = "edit_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    request_body = RoomPatch,
    responses((status = 200, body = Room, description = "The room as it is now.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn edit(
    State(chat): State<Chat>,
    Caller(editor): Caller,
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
/// For admins. It is out of every list and nobody may write in it, its sockets close with 4404; its members
/// may still read what was written.
#[utoipa::path(
    delete,
    path = "/api/chat/rooms/{id}/",
    operation_id = "delete_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 204, description = "It is deleted.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn delete(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<StatusCode, ApiError> {
    chat.delete_room(&user, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Come in
///
/// Being in already is fine. A private or group room takes an invitation.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/join/",
    operation_id = "join_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Done, description = "You are in.", example = json!({"message": "成功加入房间"}))),
    extensions(("x-refusals" = json!(["banned", "room_full", "throttled"])))
)]
pub async fn join(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Done>, ApiError> {
    chat.join(&user, room).await?;
    Ok(Done::saying("成功加入房间"))
}

/// Go out
///
/// The last admin's leaving makes the moderator, else the member, who came first the admin. Neither mute
/// nor ban is lifted.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/leave/",
    operation_id = "leave_room",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Done, description = "You are out.", example = json!({"message": "成功离开房间"}))),
    extensions(("x-refusals" = json!(["banned", "400 not_a_member"])))
)]
pub async fn leave(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Done>, ApiError> {
    chat.leave(&user, room).await.map_err(|error| {
        let error = ApiError::from(error);
        // Nothing to leave is a mistake in the request, not a lack of rights (contract).
        if error.code() == chat::model::Code::NotAMember { error.as_bad_request() } else { error }
    })?;
    Ok(Done::saying("成功离开房间"))
}
