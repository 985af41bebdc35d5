//! Data types of the wire format, shared by the server and the browser.
//!
//! Plain serde types without behaviour, independent of how data is stored.

pub mod client_frame;
pub mod event;
pub mod failure;
pub mod id;
pub mod limits;
pub mod markup;
pub mod member;
pub mod mention;
pub mod message;
pub mod notification;
#[cfg(feature = "openapi")]
mod openapi;
pub mod role;
pub mod room;
pub mod timestamp;
pub mod user;
pub mod window;

pub use client_frame::{ClientFrame, Subscribe};
pub use event::{ReadMark, RoomMessage, ServerFrame};
pub use failure::{Code, Failure, FieldError, Problem};
pub use id::{MessageId, NotificationId, RoomId, UserId};
pub use member::{Member, MemberChange, MemberPatch, RoomPermissions};
pub use message::{Message, MessageDraft, MessagePage, MessageType};
pub use notification::{
    MessageReader, Notification, NotificationFrame, NotificationReason, NotificationRef, NotificationType,
    NotifiedMessage,
};
pub use role::Role;
pub use room::{LastMessage, NewRoom, Room, RoomInfo, RoomPatch, RoomRef, RoomType};
pub use timestamp::Timestamp;
pub use user::{User, UserRef};
pub use window::{HistoryWindow, MessagePermissions, WindowAt};
