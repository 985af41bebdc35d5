//! Keeps an active admin in every room that has a member who can be one.
//!
//! Leaving and deactivation may take the last admin away, so they call [`promote_successor`] under the room's lock.
//! Joining and inviting use [`role_for_new_member`]. Removals, bans and role changes cannot:
//! [`may_act_on`](crate::rules::access::may_act_on) rejects them for the last active admin.

use super::Chat;
use crate::{
    error::Result,
    model::{Member, MemberChange, Role, RoomId, RoomRef, User, UserId},
    store::{Conn, members, rooms},
};

/// The member who became admin of a room that had none left.
pub(super) struct Successor(Member);

impl Successor {
    /// The change to publish.
    pub(super) fn change(&self) -> (&User, MemberChange, Role) {
        (&self.0.user, MemberChange::Role, Role::Admin)
    }
}

/// If the room has no active admin, makes the successor admin: the moderator who joined first, or else the member who
/// did.
pub(super) async fn promote_successor(tx: &mut Conn, room: RoomRef) -> Result<Option<Successor>> {
    if members::has_admin(tx, room.id).await? {
        return Ok(None);
    }
    let Some(successor) = members::successor(tx, room).await? else { return Ok(None) };
    members::set_role(tx, successor.id, Role::Admin).await?;
    Ok(Some(Successor(successor)))
}

/// The role for a new member: admin if the room has none.
pub(super) async fn role_for_new_member(tx: &mut Conn, room: RoomId) -> Result<Role> {
    Ok(if members::has_admin(tx, room).await? { Role::Member } else { Role::Admin })
}

impl Chat {
    /// Makes sure that the rooms of a deactivated or reactivated user have an active admin. Each room is a
    /// transaction of its own, since a user may be in any number of them.
    pub(super) async fn ensure_admins_in_rooms_of(&self, user: UserId) -> Result<()> {
        let rooms = members::rooms_of(&mut self.store().read().await?, user).await?;
        for room in rooms {
            self.serialized(room, move |chat| chat.ensure_admin(room)).await?;
        }
        Ok(())
    }

    async fn ensure_admin(self, room: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        rooms::lock(&mut tx, room).await?;
        let Some(state) = rooms::state(&mut tx, room).await? else { return Ok(()) };
        let successor = promote_successor(&mut tx, state.to_ref()).await?;
        tx.commit().await?;
        self.notify_members(room, state.member_count, successor.as_ref().map(Successor::change));
        Ok(())
    }
}
