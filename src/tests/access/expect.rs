//! What each entry point must answer, written from the contract.

use chat::model::ClientFrame;

use super::{
    scene::LostRoom,
    ways::{Via, Way},
};

/// What an entry point does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Shows the room and who is in it.
    See,
    /// Reads messages, or marks them as read.
    Read,
    /// Opens a socket to the room.
    Listen,
    Send,
    EditOwn,
    EditOthers,
    DeleteOwn,
    DeleteOthers,
    /// Adds a member, or acts on one.
    Moderate,
    /// Changes a role.
    SetRole,
    /// Changes or deletes the room.
    Manage,
    /// Marks the notification of a message of the room.
    ReadNotification,
    Join,
    Leave,
    /// Is about the caller, not about one room.
    Account,
    /// Needs no credential.
    Public,
    SignIn,
    Refresh,
    Verify,
    Blacklist,
}

/// The class of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Allowed,
    /// Status and code.
    Refused(u16, &'static str),
}

impl Class {
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    /// The code and the close code of a socket that is refused for this.
    pub fn close(self) -> Option<(Option<String>, u16)> {
        let Self::Refused(status, code) = self else { return None };
        Some((Some(code.to_owned()), 4000 + status % 1000))
    }
}

use Class::{Allowed, Refused};

const NOT_FOUND: Class = Refused(404, "not_found");
const NOT_A_MEMBER: Class = Refused(403, "not_a_member");
const PERMISSION_DENIED: Class = Refused(403, "permission_denied");

/// The class of the answer to this action in this room, after this loss.
pub fn expected(way: Way, via: Via, room: &LostRoom, action: Action) -> Class {
    use Action::{
        Account, DeleteOthers, EditOthers, EditOwn, Join, Leave, Manage, Moderate, Read, ReadNotification,
        See, Send, SetRole,
    };
    if let Some(class) = of_credentials(way, via, action) {
        return class;
    }
    // With another credential than the ended one, nothing is lost.
    if action == Account || !way.is_of_rooms() {
        return Allowed;
    }
    // Its members may still read its detail and history, and leave; it is out of every list.
    if way == Way::RoomDeleted {
        return if matches!(action, See | Read | Leave) { Allowed } else { NOT_FOUND };
    }
    let is_out = !way.is_present() || way.is_ban();
    if is_out && (room.is_hidden || action == ReadNotification) {
        return NOT_FOUND;
    }
    if way.is_ban() {
        let may_leave = action == Leave && way.is_present();
        return if may_leave { Allowed } else { Refused(403, "banned") };
    }
    if is_out {
        return match action {
            See | Join => Allowed,
            Leave => Refused(400, "not_a_member"),
            _ => NOT_A_MEMBER,
        };
    }
    assert_eq!(way, Way::Muted, "all others are handled above");
    match action {
        Send | EditOwn | EditOthers => Refused(403, "muted"),
        DeleteOthers | Moderate | SetRole | Manage if !room.is_admin => PERMISSION_DENIED,
        _ => Allowed,
    }
}

/// The class where it depends on the credentials alone.
fn of_credentials(way: Way, via: Via, action: Action) -> Option<Class> {
    const NO_ACCOUNT: Class = Refused(401, "no_active_account");
    const NOT_VALID: Class = Refused(401, "token_not_valid");
    let is_ended = matches!(way, Way::Deactivated | Way::PasswordChanged | Way::SignInEnded);
    match action {
        // With the password of before.
        Action::SignIn if matches!(way, Way::Deactivated | Way::PasswordChanged) => Some(NO_ACCOUNT),
        Action::Refresh if way == Way::Deactivated => Some(NO_ACCOUNT),
        Action::Refresh | Action::Verify | Action::Blacklist if is_ended => Some(NOT_VALID),
        Action::Public | Action::SignIn | Action::Refresh | Action::Verify | Action::Blacklist => {
            Some(Allowed)
        }
        _ if !way.ends(via) => None,
        _ => Some(match (way, via) {
            (_, Via::Cookie) => Refused(401, "not_authenticated"),
            (Way::Deactivated, Via::Token) => Refused(401, "user_inactive"),
            (_, Via::Token) => NOT_VALID,
        }),
    }
}

/// The close of a socket that was open to the room during the loss; `None` if it stays open.
pub fn close_of_open(way: Way, room: &LostRoom) -> Option<(Option<String>, u16)> {
    let class = match way {
        Way::Muted => return None,
        Way::Deactivated => Refused(401, "user_inactive"),
        Way::SignedOut | Way::SignInEnded | Way::PasswordChanged | Way::TokenExpired => {
            Refused(401, "token_not_valid")
        }
        Way::RoomDeleted => NOT_FOUND,
        // A hidden room does not exist for a former member.
        _ if room.is_hidden => NOT_FOUND,
        Way::Never | Way::Left | Way::Removed | Way::LeftAndBanned => NOT_A_MEMBER,
        Way::Banned | Way::BannedAndLeft | Way::BannedAndRemoved => Refused(403, "banned"),
    };
    class.close()
}

/// What the sender of a frame is answered with, as type and code.
pub type FrameAnswer = Option<(&'static str, Option<&'static str>)>;

/// The answer to a frame on the muted member's socket to the room.
pub fn answer_to_muted(frame: &ClientFrame) -> FrameAnswer {
    match frame {
        ClientFrame::Authenticate { .. } => Some(("authenticated", None)),
        ClientFrame::ChatMessage { .. } => Some(("error", Some("muted"))),
        ClientFrame::Typing { .. }
        | ClientFrame::UserJoin { .. }
        | ClientFrame::UserLeave { .. }
        | ClientFrame::MessageRead { .. } => None,
        ClientFrame::Subscribe(_) | ClientFrame::Unsubscribe { .. } => Some(("error", Some("bad_frame"))),
        ClientFrame::Ping => Some(("pong", None)),
    }
}

/// The answer to a frame on a notification socket, which has no room.
#[allow(clippy::unnecessary_wraps, reason = "the same type as for a room's socket")]
pub fn answer_without_room(frame: &ClientFrame) -> FrameAnswer {
    match frame {
        ClientFrame::Authenticate { .. } => Some(("authenticated", None)),
        ClientFrame::Ping => Some(("pong", None)),
        ClientFrame::ChatMessage { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::UserJoin { .. }
        | ClientFrame::UserLeave { .. }
        | ClientFrame::MessageRead { .. }
        | ClientFrame::Subscribe(_)
        | ClientFrame::Unsubscribe { .. } => Some(("error", Some("bad_frame"))),
    }
}

/// The answer to a frame about the room on a combined socket, whose subscription to it has ended, unless the user is only
/// muted.
pub fn answer_on_combined(way: Way, via: Via, room: &LostRoom, frame: &ClientFrame) -> FrameAnswer {
    let refused = |action| match expected(way, via, room, action) {
        Refused(_, code) => Some(("error", Some(code))),
        Allowed => None,
    };
    match frame {
        ClientFrame::Authenticate { .. } => Some(("authenticated", None)),
        ClientFrame::ChatMessage { .. } => refused(Action::Send).or(Some(("chat_message", None))),
        ClientFrame::Typing { .. } | ClientFrame::UserJoin { .. } | ClientFrame::UserLeave { .. } => None,
        ClientFrame::MessageRead { .. } => match refused(Action::Read) {
            // As for a message that does not exist.
            Some((kind, Some("not_found"))) => Some((kind, Some("invalid"))),
            other => other,
        },
        ClientFrame::Subscribe(_) => refused(Action::Listen).or(Some(("subscribed", None))),
        ClientFrame::Unsubscribe { .. } => Some(("unsubscribed", None)),
        ClientFrame::Ping => Some(("pong", None)),
    }
}

/// Where something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a refusal.
    Refusal,
    /// In an answer about this room.
    Room,
    /// In a list, or in an answer about something else.
    List,
}

/// The words of the room that must not be shown.
pub fn secrets(way: Way, via: Via, room: &LostRoom, place: Place) -> Vec<&str> {
    let may = |action| place != Place::Refusal && expected(way, via, room, action).is_allowed();
    let is_unlisted = way == Way::RoomDeleted && place == Place::List;
    // Anyone may see in a list that there is a public room.
    let is_public_entry = place == Place::List && !room.is_hidden;
    let mut secrets = Vec::new();
    if !may(Action::Read) || is_unlisted {
        secrets.push(room.text.as_str());
    }
    if is_unlisted || !(may(Action::See) || is_public_entry) {
        secrets.push(room.name.as_str());
    }
    if room.is_hidden && !may(Action::See) {
        secrets.push(room.only_member.as_str());
    }
    secrets
}
