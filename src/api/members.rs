//! `/api/chat/rooms/{id}/members/`: who is in, bringing in, moderating, putting out.

use axum::{Json, extract::State, http::StatusCode};
use chat::{
    Chat,
    model::{Member, MemberPatch, RoomId, UserId},
};

use super::{PathId, PathIds, body::Fields};
use crate::{auth::Caller, error::ApiError};

/// `GET /api/chat/rooms/{id}/members/`.
pub async fn list(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Vec<Member>>, ApiError> {
    Ok(Json(chat.members(&viewer, room).await?))
}

/// `POST /api/chat/rooms/{id}/members/`: 201, or 200 for somebody who was in before.
pub async fn invite(
    State(chat): State<Chat>,
    Caller(inviter): Caller,
    PathId(room): PathId<RoomId>,
    mut body: Fields,
) -> Result<(StatusCode, Json<Member>), ApiError> {
    let username = body.text("username");
    body.finish()?;
    let guest = chat.invite(&inviter, room, &username).await?;
    let status = if guest.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(guest.member)))
}

/// `PATCH /api/chat/rooms/{id}/members/{user_id}/`: what is missing stays as it is.
pub async fn change(
    State(chat): State<Chat>,
    Caller(actor): Caller,
    PathIds(room, user): PathIds<RoomId, UserId>,
    mut body: Fields,
) -> Result<Json<Member>, ApiError> {
    let patch = MemberPatch {
        role: body.changed_text("role"),
        is_muted: body.changed_flag("is_muted"),
        is_banned: body.changed_flag("is_banned"),
    };
    body.finish()?;
    Ok(Json(chat.change_member(&actor, room, user, patch).await?))
}

/// `DELETE /api/chat/rooms/{id}/members/{user_id}/`.
pub async fn remove(
    State(chat): State<Chat>,
    Caller(actor): Caller,
    PathIds(room, user): PathIds<RoomId, UserId>,
) -> Result<StatusCode, ApiError> {
    chat.remove_member(&actor, room, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
