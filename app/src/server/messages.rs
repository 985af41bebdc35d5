//! Messages: sent by a form, and read a page at a time.
//!
//! Once a page is live it sends by the socket; the form is for before, and for pages without a script.

use chat::model::{MessagePage, RoomId};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// Sends a message and goes back to the room.
#[server(prefix = "/ui", endpoint = "send_message")]
pub async fn send_message(
    /// Where.
    room: RoomId,
    /// The text.
    #[server(default)]
    content: String,
) -> Result<(), AppError> {
    let back = super::rooms::room_path(room);
    let result = door::send(room, &content).await.map(|()| back.clone());
    super::forms::answer(result, super::forms::Form::Message, &back, [])
}

/// The page of history before a message, or the newest page.
#[server(prefix = "/ui", endpoint = "history", input = GetUrl)]
pub async fn history(
    /// Where.
    room: RoomId,
    /// The message before which; none for the newest page.
    before: Option<i64>,
) -> Result<MessagePage, AppError> {
    door::history(room, before).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[cfg(feature = "ssr")]
mod door {
    use chat::{
        model::{MessageDraft, MessagePage, RoomId},
        service::history::HistoryQuery,
    };

    use crate::{
        error::AppError,
        server::{
            identity::{context, signed_in},
            rooms::HISTORY_PAGE,
        },
    };

    pub(super) async fn send(room: RoomId, content: &str) -> Result<(), AppError> {
        // Forms end their lines with CR LF.
        let draft = MessageDraft { content: content.replace("\r\n", "\n"), ..MessageDraft::default() };
        context()?.chat.send(&signed_in().await?, room, draft).await?;
        Ok(())
    }

    pub(super) async fn history(room: RoomId, before: Option<i64>) -> Result<MessagePage, AppError> {
        let query =
            HistoryQuery { page_size: Some(HISTORY_PAGE), before_id: before, ..HistoryQuery::default() };
        Ok(context()?.chat.history(&signed_in().await?, room, query).await?)
    }
}
