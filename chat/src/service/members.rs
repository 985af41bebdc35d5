//! Who is in a room.

use super::{
    Chat,
    access::{Action, allow},
};
use crate::{
    error::Result,
    model::{Member, RoomId, User, limits::ROOM_MEMBERS_MAX},
    store::{members, rooms},
};

impl Chat {
    /// All members of a room, first come first.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn members(&self, viewer: &User, room: RoomId) -> Result<Vec<Member>> {
        let mut conn = self.store().read().await?;
        let standing = rooms::standing(&mut conn, room, viewer.id).await?;
        let tag = allow(standing.as_ref(), Action::See)?.room.to_ref();
        Ok(members::list(&mut conn, tag, ROOM_MEMBERS_MAX).await?)
    }
}
