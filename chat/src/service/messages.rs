//! Sending messages.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::sync::oneshot;

use super::{Chat, limits::Cost};
use crate::{
    error::{Error, Result},
    model::{
        MessageDraft, MessageId, MessageType, Problem, RoomId, User,
        limits::{CLIENT_ID_MAX, CONTENT_MAX, FILE_NAME_MAX, FILE_URL_MAX},
    },
    rules::{validate::Problems, visible},
    writer::{Change, Stored, Submission},
};

/// A queued change. Awaiting it returns the stored message once it is on disk, or the error.
pub struct Receipt(oneshot::Receiver<Result<Stored>>);

impl Receipt {
    pub(super) fn new(answer: oneshot::Receiver<Result<Stored>>) -> Self {
        Self(answer)
    }
}

impl Future for Receipt {
    type Output = Result<Stored>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The writer replies to every job it accepted, unless the process is shutting down.
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).unwrap_or(Err(Error::Stopping)))
    }
}

impl Chat {
    /// Sends a message and waits until it is on disk.
    ///
    /// # Errors
    /// As [`Self::submit`], and what is known only under the room's lock: `not_found`, `not_a_member`, `banned`,
    /// `muted`, an unknown `reply_to`.
    pub async fn send(&self, sender: &User, room: RoomId, draft: MessageDraft) -> Result<Stored> {
        self.submit(sender, room, draft)?.await
    }

    /// Validates a message and queues it. Messages are stored in the order they were submitted.
    ///
    /// # Errors
    /// `invalid` with every bad field; [`Error::Throttled`]; [`Error::Overloaded`] when the queue is full.
    pub fn submit(&self, sender: &User, room: RoomId, draft: MessageDraft) -> Result<Receipt> {
        let submission = check(sender.clone(), room, draft)?;
        self.limits().charge(sender.id, Cost::Write)?;
        Ok(Receipt::new(self.writer().submit(Change::Send(submission))?))
    }
}

/// Validates the content of a message.
pub(super) fn check_content(problems: &mut Problems, content: &str) {
    if visible::is_blank(content) {
        problems.add("content", Problem::Blank);
    } else {
        problems.text("content", content, CONTENT_MAX);
    }
}

fn check(sender: User, room: RoomId, draft: MessageDraft) -> Result<Submission> {
    let mut problems = Problems::default();
    check_content(&mut problems, &draft.content);
    let message_type = match draft.message_type.as_deref() {
        None | Some("text") => MessageType::Text,
        Some("image") => MessageType::Image,
        Some("file") => MessageType::File,
        Some(_) => {
            problems.add("message_type", Problem::NotAChoice);
            MessageType::Text
        }
    };
    if let Some(url) = &draft.file_url {
        problems.line("file_url", url, FILE_URL_MAX);
        if !is_web_address(url) {
            problems.add("file_url", Problem::BadUrl);
        }
    }
    if let Some(name) = &draft.file_name {
        problems.filled_line("file_name", name, FILE_NAME_MAX);
    }
    if draft.file_size.is_some_and(|bytes| !(0..=crate::model::id::MAX_ID).contains(&bytes)) {
        problems.add("file_size", Problem::OutOfRange { min: 0, max: crate::model::id::MAX_ID });
    }
    let reply_to = match draft.reply_to.map(MessageId::checked) {
        None => None,
        Some(Some(id)) => Some(id),
        Some(None) => {
            problems.add("reply_to", Problem::NoSuchMessage);
            None
        }
    };
    if let Some(client_id) = &draft.client_id {
        problems.identifier("client_id", client_id, CLIENT_ID_MAX);
    }
    problems.finish()?;
    Ok(Submission {
        room,
        sender,
        message_type,
        content: draft.content,
        file_url: draft.file_url,
        file_name: draft.file_name,
        file_size: draft.file_size,
        reply_to,
        client_id: draft.client_id,
    })
}

/// Only schemes that are safe to open in a browser: `javascript:` and `data:` would run in the reader's page.
fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Code, UserId};

    fn problems(draft: MessageDraft) -> Vec<(String, Problem)> {
        let sender = User {
            id: UserId(1),
            username: "amy".into(),
            first_name: String::new(),
            last_name: String::new(),
        };
        match check(sender, RoomId(1), draft) {
            Ok(_) => Vec::new(),
            Err(error) => {
                assert_eq!(error.code(), Code::Invalid);
                error.failure().fields.into_iter().map(|f| (f.field, f.problem)).collect()
            }
        }
    }

    fn text(content: &str) -> MessageDraft {
        MessageDraft { content: content.into(), ..MessageDraft::default() }
    }

    #[test]
    fn text_of_1_to_10000_characters_passes_whatever_its_bytes() {
        assert!(problems(text("聊")).is_empty());
        assert!(problems(text(&"聊".repeat(10_000))).is_empty());
        let too_long = problems(text(&"a".repeat(10_001)));
        assert_eq!(too_long, [("content".into(), Problem::TooLong { max: 10_000 })]);
    }

    #[test]
    fn blank_text_is_refused_also_when_made_of_invisible_characters() {
        for blank in ["", "  \n\t", "\u{200B}\u{FEFF}", "\u{3000}"] {
            assert_eq!(problems(text(blank)), [("content".into(), Problem::Blank)], "{blank:?}");
        }
    }

    #[test]
    fn a_nul_is_refused() {
        assert_eq!(problems(text("a\0b")), [("content".into(), Problem::BadCharacter)]);
    }

    #[test]
    fn system_messages_cannot_be_sent_by_users() {
        let draft = MessageDraft { message_type: Some("system".into()), ..text("hi") };
        assert_eq!(problems(draft), [("message_type".into(), Problem::NotAChoice)]);
    }

    #[test]
    fn only_web_addresses_are_files() {
        for bad in ["javascript:alert(1)", "data:text/html,x", "//evil.example/x", "http://", "x"] {
            let draft = MessageDraft { file_url: Some(bad.into()), ..text("hi") };
            assert_eq!(problems(draft), [("file_url".into(), Problem::BadUrl)], "{bad}");
        }
        let good = MessageDraft { file_url: Some("https://example.org/a.png".into()), ..text("hi") };
        assert!(problems(good).is_empty());
    }

    #[test]
    fn every_invalid_field_is_reported() {
        let draft = MessageDraft {
            file_size: Some(-1),
            reply_to: Some(-4),
            client_id: Some("x".repeat(65)),
            ..text(" ")
        };
        let fields: Vec<String> = problems(draft).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["content", "file_size", "reply_to", "client_id"]);
    }
}
