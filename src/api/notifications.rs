//! `/api/chat/notifications/`.

use axum::{Json, extract::State};
use chat::{
    Chat,
    model::{Notification, NotificationId},
    service::notifications::NotificationQuery,
};
use serde_json::{Value, json};

use super::{PathId, query::Params};
use crate::{auth::Caller, error::ApiError};

/// `GET /api/chat/notifications/`.
pub async fn list(
    State(chat): State<Chat>,
    Caller(user): Caller,
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

/// `GET /api/chat/notifications/unread_count/`.
pub async fn unread_count(State(chat): State<Chat>, Caller(user): Caller) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({"count": chat.unread_notifications(&user).await?})))
}

/// `POST /api/chat/notifications/{id}/read/`.
pub async fn read(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(id): PathId<NotificationId>,
) -> Result<Json<Value>, ApiError> {
    chat.mark_notification_read(&user, id).await?;
    Ok(marked())
}

/// `POST /api/chat/notifications/read_all/`.
pub async fn read_all(State(chat): State<Chat>, Caller(user): Caller) -> Result<Json<Value>, ApiError> {
    chat.mark_all_notifications_read(&user).await?;
    Ok(marked())
}

fn marked() -> Json<Value> {
    Json(json!({"message": "通知已标记为已读"}))
}
