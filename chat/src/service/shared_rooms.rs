//! Users who share a room with the viewer, and the smallest room they share.

use super::Chat;
use crate::{
    error::Result,
    model::{RoomRef, User},
    rules::validate::may_be_in_a_name,
    store::members::shared_rooms,
};

/// Maximum number of results.
const FOUND: i64 = 6;

/// A user who shares a room with the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The user.
    pub user: User,
    /// The room with the fewest members that both are in.
    pub room: RoomRef,
}

impl Chat {
    /// Users who share a room with `viewer` and whose names contain `text`.
    ///
    /// # Errors
    /// A failing database.
    pub async fn contacts(&self, viewer: &User, text: &str) -> Result<Vec<Contact>> {
        let text = text.trim();
        if text.is_empty() || !may_be_in_a_name(text) {
            return Ok(Vec::new());
        }
        let mut conn = self.store().read().await?;
        let mut found = Vec::new();
        for user in shared_rooms::find_people(&mut conn, viewer.id, text, FOUND).await? {
            if let Some(room) = shared_rooms::smallest(&mut conn, viewer.id, user.id).await? {
                found.push(Contact { user, room });
            }
        }
        Ok(found)
    }
}
