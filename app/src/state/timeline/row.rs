//! How a message is placed among its neighbours: under a day line, at the head of a group, or following.

use std::sync::Arc;

use chat::model::{MessageId, MessageType, RoomMessage, User};
use time::Date;

use super::{
    super::local_time::{LocalTime, Zone},
    Delivery, RowKey,
};

/// Messages of one person this close together, in microseconds, are one group.
const GROUP_WITHIN: i64 = 5 * 60 * 1_000_000;

/// All that one row shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The row's name.
    pub key: RowKey,
    /// The message.
    pub message: Arc<RoomMessage>,
    /// How far it is.
    pub delivery: Delivery,
    /// Is it one's own?
    pub is_own: bool,
    /// Its place among its neighbours.
    pub placement: Placement,
    /// Does what is new to the reader begin here?
    pub begins_new: bool,
    /// What it answers.
    pub quote: Option<Quote>,
    /// Who has read it, where it is one's own newest.
    pub readers: Vec<User>,
    /// When, as read here.
    pub at: LocalTime,
}

/// The message that another one answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Quote {
    /// Here it is.
    Loaded(Arc<RoomMessage>),
    /// It is not at hand.
    Missing(MessageId),
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The day that begins above it.
    pub day: Option<Date>,
    /// Does it carry its author's name and face?
    pub leads: bool,
}

impl Placement {
    /// The place of `message` below `before`.
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
