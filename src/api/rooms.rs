//! `/api/chat/rooms/`: listing, making, seeing, changing, deleting, coming and going.

use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use chat::{
    Chat,
    model::{NewRoom, Problem, Room, RoomId, RoomPatch, RoomType, Timestamp, limits::PAGE_SIZE_MAX},
    service::rooms::{RoomFilter, RoomPlace},
};
use serde_json::{Value, json};

use super::{PathId, body::Fields, query::Params};
use crate::{auth::Caller, error::ApiError};

/// Rooms on one page where only `page` was given.
const PAGE_SIZE: i64 = 20;

/// `GET /api/chat/rooms/`.
pub async fn list(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<(HeaderMap, Json<Vec<Room>>), ApiError> {
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
        return Ok((HeaderMap::new(), Json(chat.rooms(&viewer, &filter).await?)));
    };
    filter.limit = window.size;
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

/// `POST /api/chat/rooms/`.
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

/// `GET /api/chat/rooms/{id}/`.
pub async fn detail(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Room>, ApiError> {
    Ok(Json(chat.room(&viewer, room).await?))
}

/// `PATCH /api/chat/rooms/{id}/`: what is missing stays as it is.
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

/// `DELETE /api/chat/rooms/{id}/`.
pub async fn delete(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<StatusCode, ApiError> {
    chat.delete_room(&user, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/chat/rooms/{id}/join/`.
pub async fn join(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Value>, ApiError> {
    chat.join(&user, room).await?;
    Ok(Json(json!({"message": "成功加入房间"})))
}

/// `POST /api/chat/rooms/{id}/leave/`.
pub async fn leave(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Value>, ApiError> {
    chat.leave(&user, room).await.map_err(|error| {
        let error = ApiError::from(error);
        // Nothing to leave is a mistake in the request, not a lack of rights (contract).
        if error.code() == chat::model::Code::NotAMember { error.as_bad_request() } else { error }
    })?;
    Ok(Json(json!({"message": "成功离开房间"})))
}
