//! The shapes that cross the wire, as the contract names them.
//!
//! Plain serde types without behaviour of their own, so that the browser and the
//! server share them. They must not know how a thing is stored.

pub mod event;
pub mod failure;
pub mod id;
pub mod limits;
pub mod member;
pub mod mention;
pub mod message;
pub mod notification;
#[cfg(feature = "openapi")]
mod openapi;
pub mod room;
pub mod timestamp;
pub mod user;
pub mod window;

pub use event::{ClientFrame, ReadMark, RoomMessage, ServerFrame};
pub use failure::{Code, Failure, FieldProblem, Problem};
pub use id::{MessageId, NotificationId, RoomId, UserId};
pub use member::{Member, MemberChange, MemberPatch, Powers, Role};
pub use message::{Message, MessageDraft, MessagePage, MessageType};
pub use notification::{
    MessageReader, Notice, Notification, NotificationFrame, NotificationType, NotifiedMessage,
};
pub use room::{LastMessage, NewRoom, Room, RoomPatch, RoomRef, RoomType};
pub use timestamp::Timestamp;
pub use user::{User, UserRef};
pub use window::{HistoryWindow, Rights, WindowAt};
