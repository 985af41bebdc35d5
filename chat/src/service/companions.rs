//! People whom one shares a room with, and the room in which one is most among each other.

use super::{Chat, validate::may_be_in_a_name};
use crate::{
    error::Result,
    model::{RoomRef, User},
    store::members::shared_rooms,
};

/// How many people are found.
const FOUND: i64 = 6;

/// Somebody whom one shares a room with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Who.
    pub user: User,
    /// Of the rooms with both of them in it, the one with the fewest others.
    pub room: RoomRef,
}

impl Chat {
    /// Those who share a room with `viewer` and whose names have `text` in them.
    ///
    /// # Errors
    /// A failing database.
    pub async fn companions(&self, viewer: &User, text: &str) -> Result<Vec<Companion>> {
        let text = text.trim();
        if text.is_empty() || !may_be_in_a_name(text) {
            return Ok(Vec::new());
        }
        let mut conn = self.store().read().await?;
        let mut found = Vec::new();
        for user in shared_rooms::find_people(&mut conn, viewer.id, text, FOUND).await? {
            if let Some(room) = shared_rooms::smallest(&mut conn, viewer.id, user.id).await? {
                found.push(Companion { user, room });
            }
        }
        Ok(found)
    }
}
