//! Handing new messages to those who follow their rooms from elsewhere: each is made into
//! a notification once, with one look-up for the rooms of many, whatever the number of
//! sockets that are told.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    error::Result,
    hub::{Arrival, News, Signal, Tidings, WatchedRooms},
    model::{Notification, Room, RoomId, ServerFrame},
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
