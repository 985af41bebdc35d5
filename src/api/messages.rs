//! `/api/chat/rooms/{id}/messages/` and `/api/chat/messages/{id}/`.

use axum::{Json, extract::State, http::StatusCode};
use chat::{
    Chat,
    model::{Message, MessageDraft, MessageId, MessagePage, MessageReader, RoomId},
    service::history::HistoryQuery,
};
use serde_json::{Value, json};

use super::{PathId, body::Fields, query::Params};
use crate::{auth::Caller, error::ApiError};

/// `GET /api/chat/rooms/{id}/messages/`.
pub async fn list(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(room): PathId<RoomId>,
    mut params: Params,
) -> Result<Json<MessagePage>, ApiError> {
    let query = HistoryQuery {
        page: params.number("page"),
        page_size: params.number("page_size"),
        before_id: params.number("before_id"),
        after_id: params.number("after_id"),
    };
    params.finish()?;
    Ok(Json(chat.history(&viewer, room, query).await?))
}

/// `POST /api/chat/rooms/{id}/messages/`: 201, or 200 for a `client_id` that was stored before.
pub async fn send(
    State(chat): State<Chat>,
    Caller(sender): Caller,
    PathId(room): PathId<RoomId>,
    mut body: Fields,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let draft = draft(&mut body);
    body.finish()?;
    let stored = chat.send(&sender, room, draft).await?;
    let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(stored.message)))
}

/// Reads a message's fields, from a body or from a socket's frame.
pub fn draft(fields: &mut Fields) -> MessageDraft {
    MessageDraft {
        content: fields.text("content"),
        message_type: fields.optional_text("message_type"),
        file_url: fields.optional_text("file_url"),
        file_name: fields.optional_text("file_name"),
        file_size: fields.optional_number("file_size"),
        reply_to: fields.optional_number("reply_to"),
        client_id: fields.optional_text("client_id"),
    }
}

/// `POST /api/chat/messages/{id}/read/`.
pub async fn read(
    State(chat): State<Chat>,
    Caller(reader): Caller,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Value>, ApiError> {
    chat.mark_read(&reader, message).await?;
    Ok(Json(json!({"message": "消息已标记为已读"})))
}

/// `PATCH /api/chat/messages/{id}/`.
pub async fn edit(
    State(chat): State<Chat>,
    Caller(editor): Caller,
    PathId(message): PathId<MessageId>,
    mut body: Fields,
) -> Result<Json<Message>, ApiError> {
    let content = body.text("content");
    body.finish()?;
    Ok(Json(chat.edit(&editor, message, content).await?.message))
}

/// `DELETE /api/chat/messages/{id}/delete/`.
pub async fn delete(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Value>, ApiError> {
    chat.delete(&user, message).await?;
    Ok(Json(json!({"message": "消息已删除"})))
}

/// `GET /api/chat/messages/{id}/reads/`.
pub async fn reads(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Vec<MessageReader>>, ApiError> {
    Ok(Json(chat.readers(&viewer, message).await?))
}
