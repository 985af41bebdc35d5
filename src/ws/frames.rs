//! Parses client frames, field by field, with the same errors as REST.

use chat::model::{ClientFrame, Code, Failure, MessageDraft, Problem};

use crate::api::{fields::Fields, messages};

/// The error of an invalid frame.
#[derive(Debug)]
pub struct BadFrame {
    pub failure: Failure,
    /// The `client_id` of the message in the frame, if any.
    pub client_id: Option<String>,
}

/// Parses one text frame.
///
/// # Errors
/// `bad_frame` if it is not a frame of the contract, `invalid` for invalid fields.
pub fn read(text: &str) -> Result<ClientFrame, BadFrame> {
    // What react-use-websocket sends to keep a connection open.
    if text == "ping" {
        return Ok(ClientFrame::Ping);
    }
    let mut fields = Fields::of_frame(text.as_bytes()).map_err(|_| BadFrame::unreadable())?;
    let kind = fields.optional_text("type").unwrap_or_default();
    let frame = match kind.as_str() {
        "authenticate" => ClientFrame::Authenticate { token: fields.text("token") },
        "chat_message" => return message(fields),
        "typing" => ClientFrame::Typing { is_typing: fields.flag("is_typing") },
        "user_join" => ClientFrame::UserJoin,
        "user_leave" => ClientFrame::UserLeave,
        "message_read" => ClientFrame::MessageRead { message_id: fields.number("message_id") },
        "ping" => ClientFrame::Ping,
        _ => return Err(BadFrame::unreadable()),
    };
    match fields.finish() {
        Ok(()) => Ok(frame),
        Err(error) => Err(BadFrame { failure: error.failure().clone(), client_id: None }),
    }
}

fn message(mut fields: Fields) -> Result<ClientFrame, BadFrame> {
    let draft: MessageDraft = messages::draft(&mut fields);
    match fields.finish() {
        Ok(()) => Ok(ClientFrame::ChatMessage(draft)),
        Err(error) => Err(BadFrame { failure: error.failure().clone(), client_id: draft.client_id }),
    }
}

impl BadFrame {
    fn unreadable() -> Self {
        Self { failure: Failure::new(Code::BadFrame), client_id: None }
    }

    pub fn not_text() -> Self {
        Self::unreadable()
    }

    /// A frame that another kind of socket accepts.
    pub fn wrong_socket() -> Self {
        Self::unreadable()
    }
}

/// The error for a `message_id` that is not in the socket's room.
pub fn no_such_message() -> Failure {
    let field = chat::model::FieldError::new("message_id", Problem::NoSuchMessage);
    Failure { code: Code::Invalid, fields: vec![field] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_contract_are_parsed() {
        for (text, expected) in [
            (r#"{"type":"ping"}"#, ClientFrame::Ping),
            ("ping", ClientFrame::Ping),
            (r#"{"type":"typing","is_typing":true}"#, ClientFrame::Typing { is_typing: true }),
            (r#"{"type":"user_join","more":1}"#, ClientFrame::UserJoin),
            (r#"{"type":"message_read","message_id":7}"#, ClientFrame::MessageRead { message_id: 7 }),
        ] {
            assert_eq!(read(text).expect("a frame"), expected);
        }
    }

    #[test]
    fn invalid_frames_are_rejected_with_their_code() {
        for text in ["", "x", "[]", "{}", r#"{"type":"dance"}"#, r#"{"type":7}"#] {
            assert_eq!(read(text).expect_err("refused").failure.code, Code::BadFrame, "{text}");
        }
        let bad = read(r#"{"type":"typing","is_typing":"yes"}"#).expect_err("refused");
        assert_eq!((bad.failure.code, bad.failure.fields[0].problem), (Code::Invalid, Problem::WrongType));
    }

    #[test]
    fn an_invalid_message_keeps_its_client_id() {
        let bad = read(r#"{"type":"chat_message","client_id":"c-1"}"#).expect_err("refused");
        assert_eq!(bad.client_id.as_deref(), Some("c-1"));
        assert_eq!(bad.failure.fields[0].field, "content");
    }
}
