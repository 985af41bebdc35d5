//! `/api/chat/rooms/{id}/members/`: list, add, change and remove members.

use axum::{Json, extract::State, http::StatusCode};
use chat::{
    Chat,
    model::{Member, MemberPatch, RoomId, UserId},
};
use utoipa::ToSchema;

use super::{PathId, PathIds, TAG_ROOMS, fields::Fields};
use crate::{auth::ChatUser, error::ApiError};

/// The user to add.
#[derive(ToSchema)]
pub(super) struct Invitation {
    /// The username of the user to add.
    username: String,
}

/// List members
///
/// All members, ordered by join time. Banned ones are included, so that a ban can be seen and lifted.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/{id}/members/",
    operation_id = "list_members",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    responses((status = 200, body = Vec<Member>, description = "The members.")),
    extensions(("x-errors" = json!(["banned"])))
)]
pub async fn list(
    State(chat): State<Chat>,
    ChatUser(viewer): ChatUser,
    PathId(room): PathId<RoomId>,
) -> Result<Json<Vec<Member>>, ApiError> {
    Ok(Json(chat.members(&viewer, room).await?))
}

/// Add a member
///
/// For admins and moderators. The user joins at once and gets a `room_invite` notification.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/members/",
    operation_id = "invite_member",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room.")),
    request_body = Invitation,
    responses(
        (status = 201, body = Member, description = "The user was added."),
        (status = 200, body = Member, description = "The user was a member already.")
    ),
    extensions(("x-errors" = json!(["banned", "not_a_member", "permission_denied", "room_full", "throttled"])))
)]
pub async fn invite(
    State(chat): State<Chat>,
    ChatUser(inviter): ChatUser,
    PathId(room): PathId<RoomId>,
    mut body: Fields,
) -> Result<(StatusCode, Json<Member>), ApiError> {
    let invitation = Invitation { username: body.text("username") };
    body.finish()?;
    let guest = chat.invite(&inviter, room, &invitation.username).await?;
    let status = if guest.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(guest.member)))
}

/// Change a role, mute, ban
///
/// Missing fields stay unchanged. A moderator may act on members, an admin on everyone but the last admin. Only an
/// admin may change roles.
#[utoipa::path(
    patch,
    path = "/api/chat/rooms/{id}/members/{user_id}/",
    operation_id = "change_member",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room."), ("user_id" = UserId, Path, description = "The member.")),
    request_body = MemberPatch,
    responses((status = 200, body = Member, description = "The changed member.")),
    extensions(("x-errors" = json!(["banned", "not_a_member", "permission_denied", "room_full", "throttled"])))
)]
pub async fn change(
    State(chat): State<Chat>,
    ChatUser(actor): ChatUser,
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

/// Remove a member
///
/// Unlike a banned member, a removed one may join again.
#[utoipa::path(
    delete,
    path = "/api/chat/rooms/{id}/members/{user_id}/",
    operation_id = "remove_member",
    tag = TAG_ROOMS,
    params(("id" = RoomId, Path, description = "The room."), ("user_id" = UserId, Path, description = "The member.")),
    responses((status = 204, description = "The member was removed.")),
    extensions(("x-errors" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn remove(
    State(chat): State<Chat>,
    ChatUser(actor): ChatUser,
    PathIds(room, user): PathIds<RoomId, UserId>,
) -> Result<StatusCode, ApiError> {
    chat.remove_member(&actor, room, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
