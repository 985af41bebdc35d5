//! Tells the followers of a user's rooms that the user went online or offline.

use crate::{
    error::Result,
    hub::Hub,
    model::{RoomId, UserId},
    store::{Store, members},
};

/// Users whose rooms are read with one query.
const BATCH: usize = 256;

/// Runs until it is dropped.
pub(super) async fn run(store: Store, hub: Hub) {
    loop {
        let changes = hub.online_changes().await;
        for batch in changes.chunks(BATCH) {
            let users: Vec<UserId> = batch.iter().map(|(user, _)| *user).collect();
            let rooms = match rooms(&store, &users).await {
                Ok(rooms) => rooms,
                Err(error) => {
                    // Volatile: the next change has the next state.
                    tracing::warn!(%error, "the rooms of users who went online or offline could not be read");
                    continue;
                }
            };
            for (user, room) in rooms {
                if let Some((_, is_online)) = batch.iter().find(|(other, _)| *other == user) {
                    hub.put_online(room, user, *is_online);
                }
            }
        }
    }
}

async fn rooms(store: &Store, users: &[UserId]) -> Result<Vec<(UserId, RoomId)>> {
    let mut conn = store.read().await?;
    Ok(members::rooms_of_users(&mut conn, users).await?)
}
