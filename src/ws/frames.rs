//! Parses client frames, field by field, with the same errors as REST.

use chat::model::{ClientFrame, Code, Failure, MessageDraft, Problem, RoomId, Subscribe};

use super::About;
use crate::api::{fields::Fields, messages};

/// The error of an invalid frame.
#[derive(Debug)]
pub struct BadFrame {
    pub failure: Failure,
    /// The room and the message of the frame, if any.
    pub about: About,
}

/// What `room_id` means in the frames about a room.
#[derive(Clone, Copy, Debug)]
pub enum RoomIds {
    /// A combined socket: every such frame has one.
    Required,
    /// A socket to this room: a frame may name it, but no other one.
    Optional(RoomId),
    /// A socket without rooms.
    Ignored,
}

/// Parses one text frame.
///
/// # Errors
/// `bad_frame` if it is not a frame of the contract, `invalid` for invalid fields.
pub fn read(text: &str, room_ids: RoomIds) -> Result<ClientFrame, BadFrame> {
    // What react-use-websocket sends to keep a connection open.
    if text == "ping" {
        return Ok(ClientFrame::Ping);
    }
    let mut fields = Fields::of_frame(text.as_bytes()).map_err(|_| BadFrame::unreadable())?;
    let kind = fields.optional_text("type").unwrap_or_default();
    let mut about = About::default();
    let mut room = |fields: &mut Fields| {
        let room_id = room_id(fields, room_ids);
        about.room_id = named(room_id.unwrap_or_default());
        room_id
    };
    let frame = match kind.as_str() {
        "authenticate" => ClientFrame::Authenticate { token: fields.text("token") },
        "chat_message" => {
            let room_id = room(&mut fields);
            let draft: MessageDraft = messages::draft(&mut fields);
            about.client_id.clone_from(&draft.client_id);
            ClientFrame::ChatMessage { room_id, draft }
        }
        "typing" => ClientFrame::Typing { room_id: room(&mut fields), is_typing: fields.flag("is_typing") },
        "user_join" => ClientFrame::UserJoin { room_id: room(&mut fields) },
        "user_leave" => ClientFrame::UserLeave { room_id: room(&mut fields) },
        "message_read" => {
            ClientFrame::MessageRead { room_id: room(&mut fields), message_id: fields.number("message_id") }
        }
        "subscribe" => {
            let request = subscribe(&mut fields);
            about.room_id = named(request.room_id);
            ClientFrame::Subscribe(request)
        }
        "unsubscribe" => {
            let room_id = fields.number("room_id");
            about.room_id = named(room_id);
            ClientFrame::Unsubscribe { room_id }
        }
        "ping" => ClientFrame::Ping,
        _ => return Err(BadFrame::unreadable()),
    };
    match fields.finish() {
        Ok(()) => Ok(frame),
        Err(error) => Err(BadFrame { failure: error.failure().clone(), about }),
    }
}

/// The room for an error; `None` for 0, which stands for a missing id.
fn named(room_id: i64) -> Option<RoomId> {
    (room_id != 0).then_some(RoomId(room_id))
}

fn room_id(fields: &mut Fields, room_ids: RoomIds) -> Option<i64> {
    match room_ids {
        RoomIds::Required => Some(fields.number("room_id")),
        RoomIds::Optional(own) => {
            let named = fields.number_if_any("room_id");
            if named.is_some_and(|named| named != own.0) {
                fields.problem("room_id", Problem::Conflict);
            }
            named
        }
        RoomIds::Ignored => None,
    }
}

fn subscribe(fields: &mut Fields) -> Subscribe {
    let request = Subscribe {
        room_id: fields.number("room_id"),
        after_rev: fields.optional_number("after_rev"),
        after_id: fields.optional_number("after_id"),
        here: fields.changed_flag("here").unwrap_or(true),
    };
    if request.after_rev.is_some() && request.after_id.is_some() {
        fields.problem("after_id", Problem::Conflict);
    }
    request
}

impl BadFrame {
    fn unreadable() -> Self {
        Self { failure: Failure::new(Code::BadFrame), about: About::default() }
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

    /// A frame of a socket to room 5.
    fn read_in_5(text: &str) -> Result<ClientFrame, BadFrame> {
        read(text, RoomIds::Optional(RoomId(5)))
    }

    #[test]
    fn frames_of_the_contract_are_parsed() {
        for (text, expected) in [
            (r#"{"type":"ping"}"#, ClientFrame::Ping),
            ("ping", ClientFrame::Ping),
            (r#"{"type":"typing","is_typing":true}"#, ClientFrame::Typing { room_id: None, is_typing: true }),
            (r#"{"type":"user_join","more":1}"#, ClientFrame::UserJoin { room_id: None }),
            (r#"{"type":"user_join","room_id":5}"#, ClientFrame::UserJoin { room_id: Some(5) }),
            // What a client that knows nothing of this field may send.
            (r#"{"type":"user_join","room_id":"5"}"#, ClientFrame::UserJoin { room_id: None }),
            (
                r#"{"type":"message_read","message_id":7}"#,
                ClientFrame::MessageRead { room_id: None, message_id: 7 },
            ),
        ] {
            assert_eq!(read_in_5(text).expect("a frame"), expected);
        }
    }

    #[test]
    fn frames_of_a_combined_socket_name_their_room() {
        let read = |text: &str| read(text, RoomIds::Required);
        let subscribe = |after_rev, here| {
            ClientFrame::Subscribe(Subscribe { room_id: 5, after_rev, after_id: None, here })
        };
        for (text, expected) in [
            (r#"{"type":"user_leave","room_id":5}"#, ClientFrame::UserLeave { room_id: Some(5) }),
            (r#"{"type":"subscribe","room_id":5}"#, subscribe(None, true)),
            (r#"{"type":"subscribe","room_id":5,"after_rev":0,"here":false}"#, subscribe(Some(0), false)),
            (r#"{"type":"unsubscribe","room_id":5}"#, ClientFrame::Unsubscribe { room_id: 5 }),
        ] {
            assert_eq!(read(text).expect("a frame"), expected);
        }
        for (text, field, problem) in [
            (r#"{"type":"typing","is_typing":true}"#, "room_id", Problem::Required),
            (r#"{"type":"chat_message","content":"hi","room_id":"5"}"#, "room_id", Problem::WrongType),
            (r#"{"type":"subscribe"}"#, "room_id", Problem::Required),
            (r#"{"type":"subscribe","room_id":5,"here":null}"#, "here", Problem::Null),
            (r#"{"type":"subscribe","room_id":5,"after_rev":1,"after_id":1}"#, "after_id", Problem::Conflict),
        ] {
            let bad = read(text).expect_err("refused").failure;
            assert_eq!((bad.fields[0].field.as_str(), bad.fields[0].problem), (field, problem), "{text}");
        }
        let both = r#"{"type":"subscribe","room_id":5,"after_rev":1,"after_id":1}"#;
        assert_eq!(read(both).expect_err("refused").about.room_id, Some(RoomId(5)));
    }

    #[test]
    fn a_frame_about_another_room_is_refused() {
        let bad = read_in_5(r#"{"type":"typing","is_typing":true,"room_id":6}"#).expect_err("refused");
        assert_eq!(bad.failure.fields[0].field, "room_id");
    }

    #[test]
    fn invalid_frames_are_rejected_with_their_code() {
        for text in ["", "x", "[]", "{}", r#"{"type":"dance"}"#, r#"{"type":7}"#] {
            assert_eq!(read_in_5(text).expect_err("refused").failure.code, Code::BadFrame, "{text}");
        }
        let bad = read_in_5(r#"{"type":"typing","is_typing":"yes"}"#).expect_err("refused");
        assert_eq!((bad.failure.code, bad.failure.fields[0].problem), (Code::Invalid, Problem::WrongType));
    }

    #[test]
    fn an_invalid_message_keeps_its_client_id() {
        let bad = read_in_5(r#"{"type":"chat_message","client_id":"c-1"}"#).expect_err("refused");
        assert_eq!(bad.about.client_id.as_deref(), Some("c-1"));
        assert_eq!(bad.failure.fields[0].field, "content");
    }
}
