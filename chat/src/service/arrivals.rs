//! Handing new messages to those who follow their rooms from elsewhere: each is made into
//! a notification once, with one look-up for the rooms of many, whatever the number of
//! sockets that are told. So is the frame that tells that a room's newest message was changed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    error::Result,
    hub::{Arrival, News, Signal, Tidings, WatchedRooms},
    model::{Notification, NotificationFrame, Room, RoomId, ServerFrame},
    store::{Store, rooms},
};

/// Tells the watchers until the hub is gone.
pub(super) async fn run(store: Store, mut watched: WatchedRooms) {
    while let Some(news) = watched.next().await {
        let of: BTreeSet<RoomId> = news.iter().map(|(room, _)| *room).collect();
        let rooms = match views(&store, &of).await {
            Ok(rooms) => rooms,
            Err(error) => {
                tracing::warn!(%error, "notifications wait for the database");
                HashMap::new()
            }
        };
        for (room, tidings) in news {
            let signal = match tidings {
                Tidings::Closed => Signal::Closed(room),
                Tidings::Changed { frame } => match rooms.get(&room) {
                    Some(room) => match last_message(room, frame.as_deref()) {
                        Some(json) => Signal::Frame(room.id, json),
                        None => continue,
                    },
                    None => Signal::Missed(room),
                },
                Tidings::Message { frame, news } => match arrival(rooms.get(&room), &frame, &news) {
                    Some(arrival) => Signal::Message(Arc::new(arrival)),
                    None => Signal::Missed(room),
                },
            };
            watched.tell(room, &signal);
        }
    }
}

async fn views(store: &Store, of: &BTreeSet<RoomId>) -> Result<HashMap<RoomId, Room>> {
    let of: Vec<RoomId> = of.iter().copied().collect();
    let mut conn = store.read().await?;
    // Only members are told.
    Ok(rooms::common_views(&mut conn, &of).await?)
}

/// The frame that says what the newest message of the room is now. None where `frame` is about an older one, which no
/// list of rooms shows.
fn last_message(room: &Room, frame: Option<&[u8]>) -> Option<Bytes> {
    let message = room.last_message.as_ref()?;
    if let Some(frame) = frame {
        let changed = match serde_json::from_slice(frame) {
            Ok(ServerFrame::MessageEdited { message, .. }) => message.id,
            Ok(ServerFrame::MessageDeleted { message_id, .. }) => message_id,
            Ok(_) | Err(_) => return None,
        };
        if changed != message.id {
            return None;
        }
    }
    let frame = NotificationFrame::LastMessage { room_id: room.id, message: message.clone() };
    match serde_json::to_vec(&frame) {
        Ok(json) => Some(Bytes::from(json)),
        Err(error) => {
            tracing::error!(%error, "a frame could not be serialised");
            None
        }
    }
}

fn arrival(room: Option<&Room>, frame: &[u8], news: &News) -> Option<Arrival> {
    let room = room?.clone();
    match serde_json::from_slice(frame) {
        Ok(ServerFrame::ChatMessage { message, .. }) => Some(Arrival {
            room: room.id,
            seq: news.seq,
            sender: message.sender.id,
            mentioned: news.mentioned.clone(),
            notification: Notification::of_message(&message, room),
        }),
        Ok(_) | Err(_) => None,
    }
}
