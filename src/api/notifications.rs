//! `/api/chat/notifications/`.

use axum::{Json, extract::State};
use chat::{
    Chat,
    model::{Notification, NotificationId},
    service::notifications::NotificationQuery,
};

use super::{
    PathId, TAG_NOTIFICATIONS,
    query::Params,
    response::{Acknowledgement, Count},
};
use crate::{auth::ChatUser, error::ApiError};

/// My notifications
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/chat/notifications/",
    operation_id = "list_notifications",
    tag = TAG_NOTIFICATIONS,
    params(
        ("limit" = Option<i64>, Query, description = "50 when nothing is said; more than 200 counts as 200."),
        (
            "before_id" = Option<i64>,
            Query,
            description = "Only those before this one of mine; 404 where it is not one."
        ),
        ("unread" = Option<bool>, Query, description = "Only those that were not read.")
    ),
    responses((status = 200, body = Vec<Notification>, description = "The notifications.")),
    extensions(("x-errors" = json!(["not_found"])))
)]
pub async fn list(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
    mut params: Params,
) -> Result<Json<Vec<Notification>>, ApiError> {
    let query = NotificationQuery {
        limit: params.number("limit"),
        before_id: params.number("before_id"),
        unread: params.flag("unread"),
    };
    params.finish()?;
    Ok(Json(chat.notifications(&user, query).await?))
}

/// How many are unread
///
/// Of all kinds together.
#[utoipa::path(
    get,
    path = "/api/chat/notifications/unread_count/",
    operation_id = "count_unread_notifications",
    tag = TAG_NOTIFICATIONS,
    responses((status = 200, body = Count, description = "How many."))
)]
pub async fn unread_count(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
) -> Result<Json<Count>, ApiError> {
    Ok(Json(Count { count: chat.unread_notifications(&user).await? }))
}

/// Mark one as read
///
/// Somebody else's does not exist.
#[utoipa::path(
    post,
    path = "/api/chat/notifications/{id}/read/",
    operation_id = "read_notification",
    tag = TAG_NOTIFICATIONS,
    params(("id" = NotificationId, Path, description = "The notification.")),
    responses((status = 200, body = Acknowledgement, description = "It is marked.", example = json!({"message": "通知已标记为已读"}))),
    extensions(("x-errors" = json!(["throttled"])))
)]
pub async fn read(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
    PathId(id): PathId<NotificationId>,
) -> Result<Json<Acknowledgement>, ApiError> {
    chat.mark_notification_read(&user, id).await?;
    Ok(marked())
}

/// Mark all as read
///
/// All there are now; what comes later is unread.
#[utoipa::path(
    post,
    path = "/api/chat/notifications/read_all/",
    operation_id = "read_all_notifications",
    tag = TAG_NOTIFICATIONS,
    responses((status = 200, body = Acknowledgement, description = "They are marked.", example = json!({"message": "通知已标记为已读"}))),
    extensions(("x-errors" = json!(["throttled"])))
)]
pub async fn read_all(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
) -> Result<Json<Acknowledgement>, ApiError> {
    chat.mark_all_notifications_read(&user).await?;
    Ok(marked())
}

fn marked() -> Json<Acknowledgement> {
    Acknowledgement::new("通知已标记为已读")
}
