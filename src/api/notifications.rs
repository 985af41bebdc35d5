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

/// List notifications
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/chat/notifications/",
    operation_id = "list_notifications",
    tag = TAG_NOTIFICATIONS,
    params(
        ("limit" = Option<i64>, Query, description = "Default 50, at most 200."),
        (
            "before_id" = Option<i64>,
            Query,
            description = "Only notifications older than this one; 404 if it is not one of mine."
        ),
        ("unread" = Option<bool>, Query, description = "Only unread ones.")
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

/// Count unread notifications
///
/// Counts all kinds together.
#[utoipa::path(
    get,
    path = "/api/chat/notifications/unread_count/",
    operation_id = "count_unread_notifications",
    tag = TAG_NOTIFICATIONS,
    responses((status = 200, body = Count, description = "The number of unread notifications."))
)]
pub async fn unread_count(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
) -> Result<Json<Count>, ApiError> {
    Ok(Json(Count { count: chat.unread_notifications(&user).await? }))
}

/// Mark a notification as read
///
/// A notification of another user is a 404.
#[utoipa::path(
    post,
    path = "/api/chat/notifications/{id}/read/",
    operation_id = "read_notification",
    tag = TAG_NOTIFICATIONS,
    params(("id" = NotificationId, Path, description = "The notification.")),
    responses((status = 200, body = Acknowledgement, description = "Marked as read.", example = json!({"message": "通知已标记为已读"}))),
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

/// Mark all notifications as read
///
/// Later notifications are unread.
#[utoipa::path(
    post,
    path = "/api/chat/notifications/read_all/",
    operation_id = "read_all_notifications",
    tag = TAG_NOTIFICATIONS,
    responses((status = 200, body = Acknowledgement, description = "Marked as read.", example = json!({"message": "通知已标记为已读"}))),
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
