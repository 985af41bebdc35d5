//! Rows of the timeline, and their placement among neighbours: below a day separator, first of a group, or following.

use std::sync::Arc;

use chat::model::{MessageId, MessageType, RoomMessage, User};
use time::Date;

use super::{
    super::local_time::{LocalTime, Zone},
    Delivery, RowKey,
};

/// Messages of one sender within this time, in microseconds, form a group.
const GROUP_WITHIN: i64 = 5 * 60 * 1_000_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub key: RowKey,
    pub message: Arc<RoomMessage>,
    pub delivery: Delivery,
    pub is_own: bool,
    pub placement: Placement,
    /// Whether the separator of new messages is above.
    pub begins_new: bool,
    pub quote: Option<Quote>,
    /// Readers, for the user's newest message.
    pub readers: Vec<User>,
    pub at: LocalTime,
}

/// The message that another one replies to.
#[derive(Clone, Debug, PartialEq)]
pub enum Quote {
    Loaded(Arc<RoomMessage>),
    /// Not loaded.
    Missing(MessageId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The day whose separator is above.
    pub day: Option<Date>,
    /// Whether it shows the sender's name and avatar.
    pub leads: bool,
}

impl Placement {
    /// The placement of `message` after `before`.
    pub fn of(message: &RoomMessage, before: Option<&RoomMessage>, zone: Zone) -> Self {
        let day = LocalTime::new(message.created_at, zone).date;
        let Some(before) = before else {
            return Self { day: Some(day), leads: true };
        };
        let same_day = LocalTime::new(before.created_at, zone).date == day;
        let follows = same_day
            && before.sender.id == message.sender.id
            && before.message_type != MessageType::System
            && message.message_type != MessageType::System
            && message.created_at.0.saturating_sub(before.created_at.0) < GROUP_WITHIN;
        Self { day: (!same_day).then_some(day), leads: !follows }
    }
}
