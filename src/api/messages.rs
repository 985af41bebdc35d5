//! `/api/chat/rooms/{id}/messages/` and `/api/chat/messages/{id}/`.

use axum::{Json, extract::State, http::StatusCode};
use chat::{
    Chat,
    model::{Message, MessageDraft, MessageId, MessagePage, MessageReader, RoomId},
    service::history::HistoryQuery,
};
use utoipa::ToSchema;

use super::{PathId, TAG_MESSAGES, answer::Done, fields::Fields, query::Params};
use crate::{
    auth::{Caller, Claimed},
    error::ApiError,
};

/// Other words for a message.
#[derive(ToSchema)]
pub(super) struct NewWords {
    /// 1 to 10,000 characters, not blank.
    content: String,
}

/// Read the history
///
/// By page, newest first, or by cursor. A page past the end is empty. A deep page costs what the first one
/// costs.
#[utoipa::path(
    get,
    path = "/api/chat/rooms/{id}/messages/",
    operation_id = "list_messages",
    tag = TAG_MESSAGES,
    params(
        ("id" = RoomId, Path, description = "The room."),
        ("page" = Option<i64>, Query, description = "From 1, the newest."),
        ("page_size" = Option<i64>, Query, description = "20 when nothing is said; more than 100 counts as 100."),
        (
            "before_id" = Option<i64>,
            Query,
            description = "Only older messages than this, newest first. Not together with `after_id`."
        ),
        (
            "after_id" = Option<i64>,
            Query,
            description = "Only newer messages than this, oldest first; 0 is from the start. Not together with `before_id`."
        )
    ),
    responses((status = 200, body = MessagePage, description = "A part of the history.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member"])))
)]
pub async fn list(
    State(chat): State<Chat>,
    caller: Claimed,
    room: Result<PathId<RoomId>, ApiError>,
    mut params: Params,
) -> Result<Json<MessagePage>, ApiError> {
    let query = HistoryQuery {
        page: params.number("page"),
        page_size: params.number("page_size"),
        before_id: params.number("before_id"),
        after_id: params.number("after_id"),
    };
    let page = async {
        let PathId(room) = room?;
        params.finish()?;
        Ok(Json(chat.history_as(caller.claim.clone(), room, query).await?))
    };
    let page = page.await;
    caller.settle(page).await
}

/// Send a message
///
/// The answer means that it is on disk, whatever happens then. Repeat with the same `client_id` when no
/// answer came: it is stored once.
#[utoipa::path(
    post,
    path = "/api/chat/rooms/{id}/messages/",
    operation_id = "send_message",
    tag = TAG_MESSAGES,
    params(("id" = RoomId, Path, description = "The room.")),
    request_body = MessageDraft,
    responses(
        (status = 201, body = Message, description = "It is stored."),
        (
            status = 200,
            body = Message,
            description = "A message with this `client_id` was stored before; this is it."
        )
    ),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "muted", "throttled"])))
)]
pub async fn send(
    State(chat): State<Chat>,
    caller: Claimed,
    room: Result<PathId<RoomId>, ApiError>,
    body: Result<Fields, ApiError>,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let sent = async {
        let PathId(room) = room?;
        let mut body = body?;
        let draft = draft(&mut body);
        body.finish()?;
        let stored = chat.send_as(caller.claim.clone(), room, draft).await?;
        let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Json(stored.message)))
    };
    let sent = sent.await;
    caller.settle(sent).await
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

/// Mark as read
///
/// The message and all before it in its room, and their notifications.
#[utoipa::path(
    post,
    path = "/api/chat/messages/{id}/read/",
    operation_id = "read_message",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    responses((status = 200, body = Done, description = "It is marked.", example = json!({"message": "消息已标记为已读"}))),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "throttled"])))
)]
pub async fn read(
    State(chat): State<Chat>,
    Caller(reader): Caller,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Done>, ApiError> {
    chat.mark_read(&reader, message).await?;
    Ok(Done::saying("消息已标记为已读"))
}

/// Edit a message
///
/// Its sender only. The same words again change nothing.
#[utoipa::path(
    patch,
    path = "/api/chat/messages/{id}/",
    operation_id = "edit_message",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    request_body = NewWords,
    responses((status = 200, body = Message, description = "The message as it is now.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "muted", "permission_denied", "throttled"])))
)]
pub async fn edit(
    State(chat): State<Chat>,
    Caller(editor): Caller,
    PathId(message): PathId<MessageId>,
    mut body: Fields,
) -> Result<Json<Message>, ApiError> {
    let words = NewWords { content: body.text("content") };
    body.finish()?;
    Ok(Json(chat.edit(&editor, message, words.content).await?.message))
}

/// Delete a message
///
/// Its sender, or an admin or moderator of the room. Its words are gone wherever they were shown; again
/// changes nothing.
#[utoipa::path(
    delete,
    path = "/api/chat/messages/{id}/delete/",
    operation_id = "delete_message",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    responses((status = 200, body = Done, description = "It is deleted.", example = json!({"message": "消息已删除"}))),
    extensions(("x-refusals" = json!(["banned", "not_a_member", "permission_denied", "throttled"])))
)]
pub async fn delete(
    State(chat): State<Chat>,
    Caller(user): Caller,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Done>, ApiError> {
    chat.delete(&user, message).await?;
    Ok(Done::saying("消息已删除"))
}

/// Who has read it
///
/// First come first; the sender is not asked.
#[utoipa::path(
    get,
    path = "/api/chat/messages/{id}/reads/",
    operation_id = "list_readers",
    tag = TAG_MESSAGES,
    params(("id" = MessageId, Path, description = "The message.")),
    responses((status = 200, body = Vec<MessageReader>, description = "The readers.")),
    extensions(("x-refusals" = json!(["banned", "not_a_member"])))
)]
pub async fn reads(
    State(chat): State<Chat>,
    Caller(viewer): Caller,
    PathId(message): PathId<MessageId>,
) -> Result<Json<Vec<MessageReader>>, ApiError> {
    Ok(Json(chat.readers(&viewer, message).await?))
}
