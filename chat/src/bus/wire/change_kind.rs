//! The binary form of a change's kind.
//!
//! ```text
//! tag 1, a new message: seq i64, number u32 of the users it mentions, for each the id i64, the rev i64 and the reason u8
//!        (0: named in the text, 1: the message replies to one of theirs)
//! tag 2, a message changed
//! tag 3, a membership: user i64, member count i64, closing u8
//! tag 4, the room: closing u8
//! ```
//!
//! A closing is 0 for none, or the reason to close sockets with. A tag of a newer release makes the message unknown.

use bytes::{Buf as _, BufMut as _, Bytes};

use crate::{
    event::{ChangeKind, MemberNotice, MentionNotice, NewMessageNotice},
    model::{Code, NotificationReason, UserId},
};

const NEW_MESSAGE: u8 = 1;
const MESSAGE_CHANGED: u8 = 2;
const MEMBER: u8 = 3;
const ROOM: u8 = 4;
/// Not sent by any node: each finds out by itself that it missed too much.
const RESYNC: u8 = 0;

pub(super) fn encode(kind: &ChangeKind, bytes: &mut Vec<u8>) {
    match kind {
        ChangeKind::NewMessage(new) => {
            bytes.put_u8(NEW_MESSAGE);
            bytes.put_i64_le(new.seq);
            // A message of 10,000 characters cannot mention that many users.
            bytes.put_u32_le(u32::try_from(new.mentioned.len()).unwrap_or_default());
            for MentionNotice { user, rev, reason } in &new.mentioned {
                bytes.put_i64_le(user.0);
                bytes.put_i64_le(*rev);
                bytes.put_u8(u8::from(reason.is_some()));
            }
        }
        ChangeKind::MessageChanged => bytes.put_u8(MESSAGE_CHANGED),
        ChangeKind::Member(member) => {
            bytes.put_u8(MEMBER);
            bytes.put_i64_le(member.user.0);
            bytes.put_i64_le(member.member_count);
            bytes.put_u8(encode_closing(member.closes));
        }
        ChangeKind::Room { closes } => {
            bytes.put_u8(ROOM);
            bytes.put_u8(encode_closing(*closes));
        }
        ChangeKind::Resync => bytes.put_u8(RESYNC),
    }
}

/// Reads a kind from the front of `bytes`; `None` for an unknown or truncated one.
pub(super) fn decode(bytes: &mut Bytes) -> Option<ChangeKind> {
    Some(match bytes.try_get_u8().ok()? {
        NEW_MESSAGE => {
            let seq = bytes.try_get_i64_le().ok()?;
            let count = bytes.try_get_u32_le().ok()?;
            let mentioned: Option<Vec<MentionNotice>> = (0..count).map(|_| decode_mention(bytes)).collect();
            ChangeKind::NewMessage(NewMessageNotice { seq, mentioned: mentioned? }.into())
        }
        MESSAGE_CHANGED => ChangeKind::MessageChanged,
        MEMBER => ChangeKind::Member(MemberNotice {
            user: UserId(bytes.try_get_i64_le().ok()?),
            member_count: bytes.try_get_i64_le().ok()?,
            closes: decode_closing(bytes.try_get_u8().ok()?),
        }),
        ROOM => ChangeKind::Room { closes: decode_closing(bytes.try_get_u8().ok()?) },
        _ => return None,
    })
}

fn decode_mention(bytes: &mut Bytes) -> Option<MentionNotice> {
    let user = UserId(bytes.try_get_i64_le().ok()?);
    let rev = bytes.try_get_i64_le().ok()?;
    let reason = (bytes.try_get_u8().ok()? > 0).then_some(NotificationReason::Reply);
    Some(MentionNotice { user, rev, reason })
}

fn encode_closing(closes: Option<Code>) -> u8 {
    match closes {
        None => 0,
        Some(Code::NotAMember) => 1,
        Some(Code::Banned) => 2,
        // The only other reason is that the room was deleted.
        Some(_) => 3,
    }
}

/// A reason of a newer release closes as if the room was deleted, after which the client reads what is the case.
fn decode_closing(byte: u8) -> Option<Code> {
    match byte {
        0 => None,
        1 => Some(Code::NotAMember),
        2 => Some(Code::Banned),
        _ => Some(Code::NotFound),
    }
}
