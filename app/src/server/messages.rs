//! Messages: sent, edited and deleted by forms, and read a stretch at a time.
//!
//! Once a page is live it sends by the socket; the form is for before, and for pages without a script.

#[cfg(feature = "ssr")]
use chat::model::WindowAt;
use chat::model::{HistoryWindow, MessageId, RoomId, RoomMessage, User};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// How many messages a page of history shows.
#[cfg(feature = "ssr")]
pub const HISTORY_PAGE: i64 = 50;

/// Sends a message and goes back to the room.
#[server(prefix = "/ui", endpoint = "send_message")]
pub async fn send_message(
    /// Where.
    room: RoomId,
    /// The text.
    #[server(default)]
    content: String,
    /// The message that it answers.
    #[server(default)]
    reply_to: Option<i64>,
) -> Result<(), AppError> {
    use crate::{server::forms, state::doing::Doing};

    let doing = reply_to.map_or(Doing::Writing, |id| Doing::Replying(MessageId(id)));
    let result = door::send(room, &content, reply_to).await;
    let onward = result.map(|()| super::rooms::room_path(room));
    forms::answer(onward, forms::Form::Message, &doing.path(room), [])
}

/// Gives a message other words and goes back to it.
#[server(prefix = "/ui", endpoint = "edit_message")]
pub async fn edit_message(
    /// Where it is.
    room: RoomId,
    /// Which.
    message: MessageId,
    /// Its words from now on.
    #[server(default)]
    content: String,
) -> Result<(), AppError> {
    use crate::{server::forms, state::doing::Doing};

    let result = door::edit(message, &content).await;
    let onward = result.map(|()| door::shown_path(room, message));
    let typed = [("content", content.as_str())];
    forms::answer(onward, forms::Form::Message, &Doing::Editing(message).path(room), typed)
}

/// Takes a message's words away and goes back to where it was.
#[server(prefix = "/ui", endpoint = "delete_message")]
pub async fn delete_message(
    /// Where it is.
    room: RoomId,
    /// Which.
    message: MessageId,
) -> Result<(), AppError> {
    use crate::server::forms;

    let back = door::shown_path(room, message);
    let result = door::delete(message).await;
    forms::answer(result.map(|()| back.clone()), forms::Form::Message, &back, [])
}

/// A stretch of the history: before a message, after it or around it; with none of them, the newest.
#[server(prefix = "/ui", endpoint = "history", input = GetUrl)]
pub async fn history(
    /// Where.
    room: RoomId,
    /// The message before which.
    before: Option<MessageId>,
    /// The message after which.
    after: Option<MessageId>,
    /// The message around which.
    around: Option<MessageId>,
) -> Result<HistoryWindow, AppError> {
    let at = window_at(before, after, around);
    door::history(room, at, HISTORY_PAGE).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// The first that is named.
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

/// The beginning of a message that another one answers, where the room has it.
#[server(prefix = "/ui", endpoint = "quoted", input = GetUrl)]
pub async fn quoted(
    /// Where.
    room: RoomId,
    /// Which.
    message: MessageId,
) -> Result<Option<RoomMessage>, AppError> {
    door::quoted(room, message).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Who has read a message, first come first.
#[server(prefix = "/ui", endpoint = "readers", input = GetUrl)]
pub async fn readers(
    /// Which.
    message: MessageId,
) -> Result<Vec<User>, AppError> {
    door::readers(message).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Members of a room whose names have these letters in them, for a mention.
#[server(prefix = "/ui", endpoint = "members_named", input = GetUrl)]
pub async fn members_named(
    /// Which room.
    room: RoomId,
    /// The letters; with none, its first members.
    #[server(default)]
    letters: String,
) -> Result<Vec<User>, AppError> {
    door::named(room, letters).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[cfg(feature = "ssr")]
pub(super) mod door {
    use chat::{
        model::{HistoryWindow, MessageDraft, MessageId, RoomId, RoomMessage, User, WindowAt},
        service::roster::RosterQuery,
    };

    use crate::{
        error::AppError,
        server::identity::{context, signed_in},
        state::doing::message_path,
    };

    pub(super) async fn send(room: RoomId, content: &str, reply_to: Option<i64>) -> Result<(), AppError> {
        let draft = MessageDraft { content: as_typed(content), reply_to, ..MessageDraft::default() };
        context()?.chat.send(&signed_in().await?, room, draft).await?;
        Ok(())
    }

    pub(super) async fn edit(message: MessageId, content: &str) -> Result<(), AppError> {
        context()?.chat.edit(&signed_in().await?, message, as_typed(content)).await?;
        Ok(())
    }

    pub(super) async fn delete(message: MessageId) -> Result<(), AppError> {
        context()?.chat.delete(&signed_in().await?, message).await?;
        Ok(())
    }

    pub(in crate::server) async fn history(
        room: RoomId,
        at: WindowAt,
        size: i64,
    ) -> Result<HistoryWindow, AppError> {
        Ok(context()?.chat.history_window(&signed_in().await?, room, at, size).await?)
    }

    pub(super) async fn quoted(room: RoomId, message: MessageId) -> Result<Option<RoomMessage>, AppError> {
        Ok(context()?.chat.quoted(&signed_in().await?, room, message).await?)
    }

    pub(in crate::server) async fn readers(message: MessageId) -> Result<Vec<User>, AppError> {
        let readers = context()?.chat.readers(&signed_in().await?, message).await?;
        Ok(readers.into_iter().map(|reader| reader.user).collect())
    }

    /// How many are proposed.
    const PROPOSED: usize = 6;

    pub(super) async fn named(room: RoomId, letters: String) -> Result<Vec<User>, AppError> {
        let me = signed_in().await?;
        // One more, since nobody mentions oneself.
        let query = RosterQuery { search: Some(letters), after: None, limit: PROPOSED + 1 };
        let roster = context()?.chat.roster(&me, room, &query).await?;
        let people = roster.entries.into_iter().map(|entry| entry.member).filter(|member| !member.is_banned);
        let others = people.map(|member| member.user).filter(|user| user.id != me.id);
        Ok(others.take(PROPOSED).collect())
    }

    /// The page that shows this message, and where on it.
    pub(super) fn shown_path(room: RoomId, message: MessageId) -> String {
        format!("{}#message-{message}", message_path(room, message))
    }

    /// Forms end their lines with CR LF.
    fn as_typed(content: &str) -> String {
        content.replace("\r\n", "\n")
    }
}
