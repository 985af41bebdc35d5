//! Reading what a client says, field by field, with the same words for what is bad as REST.

use chat::model::{ClientFrame, Code, Failure, MessageDraft, Problem};

use crate::api::{fields::Fields, messages};

/// A frame that was refused, and the message it is about where it named one.
#[derive(Debug)]
pub struct BadFrame {
    /// Why.
    pub failure: Failure,
    /// The client's own id of the message.
    pub client_id: Option<String>,
}

/// Reads one text frame.
///
/// # Errors
/// `bad_frame` for what is no frame of the contract, `invalid` for bad fields.
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

    /// A frame that is not text.
    pub fn not_text() -> Self {
        Self::unreadable()
    }

    /// A frame of another kind of socket.
    pub fn out_of_place() -> Self {
        Self::unreadable()
    }
}

/// The words for a `message_id` that names no message of the socket's room.
pub fn no_such_message() -> Failure {
    let field = chat::model::FieldProblem::new("message_id", Problem::NoSuchMessage);
    Failure { code: Code::Invalid, fields: vec![field] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_contract_are_read() {
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
    fn what_is_no_frame_is_refused_with_its_word() {
        for text in ["", "x", "[]", "{}", r#"{"type":"dance"}"#, r#"{"type":7}"#] {
            assert_eq!(read(text).expect_err("refused").failure.code, Code::BadFrame, "{text}");
        }
        let bad = read(r#"{"type":"typing","is_typing":"yes"}"#).expect_err("refused");
        assert_eq!((bad.failure.code, bad.failure.fields[0].problem), (Code::Invalid, Problem::WrongType));
    }

    #[test]
    fn a_refused_message_is_named_by_its_client_id() {
        let bad = read(r#"{"type":"chat_message","client_id":"c-1"}"#).expect_err("refused");
        assert_eq!(bad.client_id.as_deref(), Some("c-1"));
        assert_eq!(bad.failure.fields[0].field, "content");
    }
}
