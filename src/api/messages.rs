//! `/api/chat/rooms/{id}/messages/` and `/api/chat/messages/{id}/`.

use axum::{Json, extract::State, http::StatusCode};
use chat::{
    Chat,
    model::{Message, MessageDraft, MessageId, MessagePage, MessageReader, RoomId},
    service::history::HistoryQuery,
};
use utoipa::ToSchema;

use super::{PathId, TAG_MESSAGES, fields::Fields, query::Params, response::Acknowledgement};
use crate::{auth::ChatUser, error::ApiError};

/// The new content of a message.
#[derive(ToSchema)]
pub(super) struct MessageEdit {
    /// 1 to 10,000 characters, not blank.
    content: String,
}

/// List messages
///
/// By page, newest first, or by cursor. A page past the end is empty. A deep page costs as much as the first one.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/{id}/messages/",
    operation_id = "list_messages",
    tag = TAG_MESSAGES,
    params(
        ("id" = RoomId, Path, description = "The room."),
        ("page" = Option<i64>, Query, description = "Page number from 1, the newest."),
        ("page_size" = Option<i64>, Query, description = "Default 20, at most 100."),
        (
            "before_id" = Option<i64>,
            Query,
            description = "Only messages older than this one, newest first. Not together with `after_id`."
        ),
        (
            "after_id" = Option<i64>,
            Query,
            description = "Only messages newer than this one, oldest first; 0: from the start. Not together with `before_id`."
        )
    ),
    responses((status = 200, body = MessagePage, description = "One page of the history.")),
    extensions(("x-errors" = json!(["banned", "not_a_member"])))
)]
pub async fn list(
    State(chat): State<Chat>,
    ChatUser(viewer): ChatUser,
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

/// Send a message
///
/// The response means that the message is on disk. If no response arrived, send it again with the same `client_id`:
/// it is stored once.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/messages/",
    operation_id = "send_message",
    tag = TAG_MESSAGES,
    params(("id" = RoomId, Path, description = "The room.")),
    request_body = MessageDraft,
    responses(
        (status = 201, body = Message, description = "The stored message."),
        (
            status = 200,
            body = Message,
            description = "The message that was stored before with this `client_id`."
        )
    ),
    extensions(("x-errors" = json!(["banned", "not_a_member", "muted", "throttled"])))
)]
pub async fn send(
    State(chat): State<Chat>,
    ChatUser(sender): ChatUser,
    PathId(room): PathId<RoomId>,
    mut body: Fields,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let draft = draft(&mut body);
    body.finish()?;
    let stored = chat.send(&sender, room, draft).await?;
    let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(stored.message)))
}

/// Reads the fields of a message, from a request body or a socket frame.
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

/// Mark as read
///
/// Marks the message, all earlier ones of its room, and their notifications.
#[utoipa::path(
    post,
    path = "/api/chat/messages/{id}/read/",
    operation_id = "read_message",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    responses((status = 200, body = Acknowledgement, description = "Marked as read.", example = json!({"message": "消息已标记为已读"}))),
    extensions(("x-errors" = json!(["banned", "not_a_member", "throttled"])))
)]
pub async fn read(
    State(chat): State<Chat>,
    ChatUser(reader): ChatUser,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Acknowledgement>, ApiError> {
    chat.mark_read(&reader, message).await?;
    Ok(Acknowledgement::new("消息已标记为已读"))
}

/// Edit a message
///
/// Only for its sender. Sending the same content again changes nothing.
#[utoipa::path(
    patch,
    path = "/api/chat/messages/{id}/",
    operation_id = "edit_message",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    request_body = MessageEdit,
    responses((status = 200, body = Message, description = "The edited message.")),
    extensions(("x-errors" = json!(["banned", "not_a_member", "muted", "permission_denied", "throttled"])))
)]
pub async fn edit(
    State(chat): State<Chat>,
    ChatUser(editor): ChatUser,
    PathId(message): PathId<MessageId>,
    mut body: Fields,
) -> Result<Json<Message>, ApiError> {
    let edit = MessageEdit { content: body.text("content") };
    body.finish()?;
    Ok(Json(chat.edit(&editor, message, edit.content).await?.message))
}

/// Delete a message
///
/// For its sender, and for admins and moderators of the room. Its content is removed everywhere. Deleting it again
/// changes nothing.
#[utoipa::path(
    delete,
    path = "/api/chat/messages/{id}/delete/",
    operation_id = "delete_message",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    responses((status = 200, body = Acknowledgement, description = "Deleted.", example = json!({"message": "消息已删除"}))),
    extensions(("x-errors" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn delete(
    State(chat): State<Chat>,
    ChatUser(user): ChatUser,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Acknowledgement>, ApiError> {
    chat.delete(&user, message).await?;
    Ok(Acknowledgement::new("消息已删除"))
}

/// List readers
///
/// Ordered by the time of reading, without the sender.
#[utoipa::path(
    get,
    path = "/api/chat/messages/{id}/reads/",
    operation_id = "list_readers",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    responses((status = 200, body = Vec<MessageReader>, description = "The readers.")),
    extensions(("x-errors" = json!(["banned", "not_a_member"])))
)]
pub async fn reads(
    State(chat): State<Chat>,
    ChatUser(viewer): ChatUser,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Vec<MessageReader>>, ApiError> {
    Ok(Json(chat.readers(&viewer, message).await?))
}
