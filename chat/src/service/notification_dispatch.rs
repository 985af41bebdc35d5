//! Dispatches news of rooms to the notification sockets that watch them. Each new message becomes one notification,
//! whatever the number of sockets, and the rooms of a whole batch are read with one query. The frame that says that a
//! room's newest message was changed is made in the same way.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use crate::{
    error::Result,
    event::{NewMessageNotice, to_json},
    hub::{InboxEvent, MessageNotification, RoomNews, WatchedRooms},
    model::{Notification, NotificationFrame, Room, RoomId, RoomInfo, ServerFrame},
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
            for event in events(room, news, rooms.get(&room)) {
                watched.notify(room, &event);
            }
        }
    }
}

/// The events for the watchers of `room`. `view` is missing if it could not be read.
fn events(room: RoomId, news: RoomNews, view: Option<&Room>) -> Vec<InboxEvent> {
    let frame = |json: Option<Bytes>| json.map(|json| InboxEvent::Frame(room, json));
    let Some(view) = view else {
        let is_closed = matches!(news, RoomNews::Closed);
        return vec![if is_closed { InboxEvent::Closed(room) } else { InboxEvent::Missed(room) }];
    };
    match news {
        RoomNews::Closed => vec![InboxEvent::Closed(room)],
        RoomNews::Missed { .. } if !view.is_active => vec![InboxEvent::Closed(room)],
        RoomNews::Missed { has_message, has_room } => {
            let room_changed =
                has_room.then(|| to_json(&NotificationFrame::RoomChanged { room: info(view) }));
            let last_message = has_message.then(|| last_message(view, None));
            [room_changed, last_message].into_iter().filter_map(|json| frame(json.flatten())).collect()
        }
        RoomNews::MessageChanged { frame: changed } => {
            frame(last_message(view, Some(&changed))).into_iter().collect()
        }
        RoomNews::Room { frame: changed } => frame(room_changed(&changed)).into_iter().collect(),
        RoomNews::Message { frame, message } => {
            let notification = message_notification(view, &frame, &message);
            vec![notification.map_or(InboxEvent::Missed(room), |found| InboxEvent::Message(found.into()))]
        }
    }
}

/// The room's own fields.
fn info(view: &Room) -> RoomInfo {
    RoomInfo {
        id: view.id,
        name: view.name.clone(),
        description: view.description.clone(),
        room_type: view.room_type,
        max_members: view.max_members,
        is_active: view.is_active,
        updated_at: view.updated_at,
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
    to_json(&NotificationFrame::LastMessage { room_id: room.id, message: message.clone() })
}

/// The notification frame for a room's `room_changed` frame.
fn room_changed(frame: &[u8]) -> Option<Bytes> {
    match serde_json::from_slice(frame) {
        Ok(ServerFrame::RoomChanged { room, .. }) => to_json(&NotificationFrame::RoomChanged { room }),
        Ok(_) | Err(_) => None,
    }
}

fn message_notification(room: &Room, frame: &[u8], new: &NewMessageNotice) -> Option<MessageNotification> {
    let room = room.clone();
    match serde_json::from_slice(frame) {
        Ok(ServerFrame::ChatMessage { message, .. }) => Some(MessageNotification {
            room: room.id,
            seq: new.seq,
            sender: message.sender.id,
            mentioned: new.mentioned.clone(),
            notification: Notification::of_message(&message, room),
        }),
        Ok(_) | Err(_) => None,
    }
}
