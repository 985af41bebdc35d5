//! `/api/chat/rooms/{id}/members/`: who is in, bringing in, moderating, putting out.

use axum::{Json, extract::State, http::StatusCode};
use chat::{
    Chat,
    model::{Member, MemberPatch, RoomId, UserId},
};
use utoipa::ToSchema;

use super::{PathId, PathIds, TAG_ROOMS, fields::Fields};
use crate::{auth::Caller, error::ApiError};

/// Whom to bring in.
#[derive(ToSchema)]
pub(super) struct Invitation {
    /// The name they sign in with.
    username: String,
}

/// Who is in the room
///
/// All members, first come first. Whoever was shut out is listed too, so that it can be seen and undone.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/{id}/members/",
    operation_id = "list_members",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Vec<Member>, description = "The members.")),
    extensions(("x-refusals" = json!(["banned"])))
)]
pub async fn list(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Vec<Member>>, ApiError> {
    Ok(Json(chat.members(&viewer, room).await?))
}

/// Bring somebody in
///
/// For admins and moderators. They are in at once and get a `room_invite` notification.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/members/",
    operation_id = "invite_member",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    request_body = Invitation,
    responses(
        (status = 201, body = Member, description = "They are in."),
        (status = 200, body = Member, description = "They were in before.")
    ),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "permission_denied", "room_full", "throttled"])))
)]
pub async fn invite(
    State(chat): State<Chat>,
    Caller(inviter): Caller,
    PathId(room): PathId<RoomId>,
    mut body: Fields,
) -> Result<(StatusCode, Json<Member>), ApiError> {
    let invitation = Invitation { username: body.text("username") };
    body.finish()?;
    let guest = chat.invite(&inviter, room, &invitation.username).await?;
    let status = if guest.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(guest.member)))
}

/// Change a role, mute, shut out
///
/// What is missing stays as it is. A moderator acts on members; an admin on everyone but the last admin,
/// and only an admin gives roles.
#[utoipa::path(
    patch,
    path = "/api/chat/rooms/{id}/members/{user_id}/",
    operation_id = "change_member",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room."), ("user_id" = UserId, Path, description = "The member.")),
    request_body = MemberPatch,
    responses((status = 200, body = Member, description = "The member as it is now.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "permission_denied", "room_full", "throttled"])))
)]
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

/// Put somebody out
///
/// They may come back, unlike somebody who was shut out.
#[utoipa::path(
    delete,
    path = "/api/chat/rooms/{id}/members/{user_id}/",
    operation_id = "remove_member",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room."), ("user_id" = UserId, Path, description = "The member.")),
    responses((status = 204, description = "They are out.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn remove(
    State(chat): State<Chat>,
    Caller(actor): Caller,
    PathIds(room, user): PathIds<RoomId, UserId>,
) -> Result<StatusCode, ApiError> {
    chat.remove_member(&actor, room, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
