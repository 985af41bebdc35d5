//! Dispatches news of rooms to the notification sockets that watch them. Each new message becomes one notification,
//! whatever the number of sockets, and the rooms of a whole batch are read with one query. The frame that says that a
//! room's newest message was changed is made in the same way.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    error::Result,
    event::NewMessageNotice,
    hub::{InboxEvent, MessageNotification, RoomNews, WatchedRooms},
    model::{Notification, NotificationFrame, Room, RoomId, ServerFrame},
    store::{Store, rooms},
};

/// Runs until the hub is gone.
pub(super) async fn run(store: Store, mut watched: WatchedRooms) {
    while let Some(batch) = watched.next().await {
        let of: BTreeSet<RoomId> = batch.iter().map(|(room, _)| *room).collect();
        let rooms = match views(&store, &of).await {
            Ok(rooms) => rooms,
            Err(error) => {
                tracing::warn!(%error, "the rooms of new messages could not be read; watchers read them themselves");
                HashMap::new()
            }
        };
        for (room, news) in batch {
            let event = match news {
                RoomNews::Closed => InboxEvent::Closed(room),
                RoomNews::Changed { frame } => match rooms.get(&room) {
                    Some(room) => match last_message(room, frame.as_deref()) {
                        Some(json) => InboxEvent::Frame(room.id, json),
                        None => continue,
                    },
                    None => InboxEvent::Missed(room),
                },
                RoomNews::Message { frame, message } => {
                    match message_notification(rooms.get(&room), &frame, &message) {
                        Some(notification) => InboxEvent::Message(Arc::new(notification)),
                        None => InboxEvent::Missed(room),
                    }
                }
            };
            watched.notify(room, &event);
        }
    }
}

async fn views(store: &Store, of: &BTreeSet<RoomId>) -> Result<HashMap<RoomId, Room>> {
    let of: Vec<RoomId> = of.iter().copied().collect();
    let mut conn = store.read().await?;
    // The views need no viewer: only members are notified.
    Ok(rooms::common_views(&mut conn, &of).await?)
}

/// The frame with the room's current newest message; `None` if `frame` is about an older one, which no room list
/// shows.
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

fn message_notification(
    room: Option<&Room>,
    frame: &[u8],
    new: &NewMessageNotice,
) -> Option<MessageNotification> {
    let room = room?.clone();
    match serde_json::from_slice(frame) {
        Ok(ServerFrame::ChatMessage { message, .. }) => Some(MessageNotification {
            room: room.id,
            seq: new.seq,
            sender: message.sender.id,
            mentioned: new.mentioned.clone(),
            replied_to: new.replied_to,
            notification: Notification::of_message(&message, room),
        }),
        Ok(_) | Err(_) => None,
    }
}
