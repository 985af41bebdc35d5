//! Messages: send, edit and delete by form; load pages of the history.
//!
//! A live page sends through the socket; the form is used before hydration and without scripts.

#[cfg(feature = "ssr")]
use chat::model::WindowAt;
use chat::model::{HistoryWindow, MessageId, RoomId, RoomMessage, User};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// Number of messages on a page of history.
#[cfg(feature = "ssr")]
pub const HISTORY_PAGE: i64 = 50;

/// Sends a message and returns to the room.
#[server(prefix = "/ui", endpoint = "send_message")]
pub async fn send_message(
    room: RoomId,
    #[server(default)] content: String,
    #[server(default)] reply_to: Option<i64>,
) -> Result<(), AppError> {
    use crate::{server::forms, state::composer_mode::ComposerMode};

    let mode = reply_to.map_or(ComposerMode::Writing, |id| ComposerMode::Replying(MessageId(id)));
    let result = handler::send(room, &content, reply_to).await;
    let next = result.map(|()| super::rooms::room_path(room));
    forms::answer(next, forms::Form::Message, &mode.path(room), [])
}

/// Edits a message and returns to it.
#[server(prefix = "/ui", endpoint = "edit_message")]
pub async fn edit_message(
    room: RoomId,
    message: MessageId,
    #[server(default)] content: String,
) -> Result<(), AppError> {
    use crate::{server::forms, state::composer_mode::ComposerMode};

    let result = handler::edit(message, &content).await;
    let next = result.map(|()| handler::shown_path(room, message));
    let typed = [("content", content.as_str())];
    forms::answer(next, forms::Form::Message, &ComposerMode::Editing(message).path(room), typed)
}

/// Deletes a message and returns to its place.
#[server(prefix = "/ui", endpoint = "delete_message")]
pub async fn delete_message(room: RoomId, message: MessageId) -> Result<(), AppError> {
    use crate::server::forms;

    let back = handler::shown_path(room, message);
    let result = handler::delete(message).await;
    forms::answer(result.map(|()| back.clone()), forms::Form::Message, &back, [])
}

/// A page of history before, after or around a message; without any of them, the newest.
#[server(prefix = "/ui", endpoint = "history", input = GetUrl)]
pub async fn history(
    room: RoomId,
    before: Option<MessageId>,
    after: Option<MessageId>,
    around: Option<MessageId>,
) -> Result<HistoryWindow, AppError> {
    let at = window_at(before, after, around);
    handler::history(room, at, HISTORY_PAGE)
        .await
        .inspect_err(|error| super::request::set_status(error.0.code))
}

/// The first of the parameters that is given.
#[cfg(feature = "ssr")]
pub(super) fn window_at(
    before: Option<MessageId>,
    after: Option<MessageId>,
    around: Option<MessageId>,
) -> WindowAt {
    match (before, after, around) {
        (Some(id), _, _) => WindowAt::Before(id),
        (_, Some(id), _) => WindowAt::After(id),
        (_, _, Some(id)) => WindowAt::Around(id),
        _ => WindowAt::Newest,
    }
}

/// The message that another one replies to, if it is in the room.
#[server(prefix = "/ui", endpoint = "quoted", input = GetUrl)]
pub async fn quoted(room: RoomId, message: MessageId) -> Result<Option<RoomMessage>, AppError> {
    handler::quoted(room, message).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Who has read a message, in the order of reading.
#[server(prefix = "/ui", endpoint = "readers", input = GetUrl)]
pub async fn readers(message: MessageId) -> Result<Vec<User>, AppError> {
    handler::readers(message).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Members whose names contain `letters`, for a mention.
#[server(prefix = "/ui", endpoint = "members_named", input = GetUrl)]
pub async fn members_named(
    room: RoomId,
    /// Without any, the first members.
    #[server(default)]
    letters: String,
) -> Result<Vec<User>, AppError> {
    handler::named(room, letters).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[cfg(feature = "ssr")]
pub(super) mod handler {
    use chat::{
        model::{HistoryWindow, MessageDraft, MessageId, RoomId, RoomMessage, User, WindowAt},
        service::roster::RosterQuery,
    };

    use crate::{
        error::AppError,
        server::identity::{context, require_user},
        state::composer_mode::message_path,
    };

    pub(super) async fn send(room: RoomId, content: &str, reply_to: Option<i64>) -> Result<(), AppError> {
        let draft = MessageDraft { content: as_typed(content), reply_to, ..MessageDraft::default() };
        context()?.chat.send(&require_user().await?, room, draft).await?;
        Ok(())
    }

    pub(super) async fn edit(message: MessageId, content: &str) -> Result<(), AppError> {
        context()?.chat.edit(&require_user().await?, message, as_typed(content)).await?;
        Ok(())
    }

    pub(super) async fn delete(message: MessageId) -> Result<(), AppError> {
        context()?.chat.delete(&require_user().await?, message).await?;
        Ok(())
    }

    pub(in crate::server) async fn history(
        room: RoomId,
        at: WindowAt,
        size: i64,
    ) -> Result<HistoryWindow, AppError> {
        Ok(context()?.chat.history_window(&require_user().await?, room, at, size).await?)
    }

    pub(super) async fn quoted(room: RoomId, message: MessageId) -> Result<Option<RoomMessage>, AppError> {
        Ok(context()?.chat.quoted(&require_user().await?, room, message).await?)
    }

    pub(in crate::server) async fn readers(message: MessageId) -> Result<Vec<User>, AppError> {
        let readers = context()?.chat.readers(&require_user().await?, message).await?;
        Ok(readers.into_iter().map(|reader| reader.user).collect())
    }

    /// Number of suggestions.
    const PROPOSED: usize = 6;

    pub(super) async fn named(room: RoomId, letters: String) -> Result<Vec<User>, AppError> {
        let me = require_user().await?;
        // One more, because the user is left out.
        let query = RosterQuery { search: Some(letters), after: None, limit: PROPOSED + 1 };
        let roster = context()?.chat.roster(&me, room, &query).await?;
        let people = roster.entries.into_iter().map(|entry| entry.member).filter(|member| !member.is_banned);
        let others = people.map(|member| member.user).filter(|user| user.id != me.id);
        Ok(others.take(PROPOSED).collect())
    }

    /// The page with this message, scrolled to it.
    pub(super) fn shown_path(room: RoomId, message: MessageId) -> String {
        format!("{}#message-{message}", message_path(room, message))
    }

    /// Forms send line breaks as CR LF.
    fn as_typed(content: &str) -> String {
        content.replace("\r\n", "\n")
    }
}
