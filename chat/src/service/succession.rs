//! Keeps an active admin in every room that has a member who can be one.
//!
//! Leaving and deactivation may take the last admin away, so they call [`promote_successor`] under the room's lock.
//! Joining and inviting use [`role_for_new_member`]. Removals, bans and role changes cannot:
//! [`may_act_on`](crate::rules::access::may_act_on) rejects them for the last active admin.

use super::Chat;
use crate::{
    error::Result,
    model::{MemberChange, Role, RoomId, UserId},
    store::{
        Conn,
        members::{self, MembershipUpdate},
    },
    writer::{RoomTransaction, RoomUpdate},
};

/// If the room has no active admin, makes the successor admin: the moderator who joined first, or else the member who
/// did.
pub(super) async fn promote_successor(tx: &mut RoomTransaction) -> Result<()> {
    let room = tx.room()?.to_ref();
    if members::has_admin(tx.conn(), room.id).await? {
        return Ok(());
    }
    let Some(successor) = members::successor(tx.conn(), room).await? else { return Ok(()) };
    let rev = tx.next_rev()?;
    members::update(tx.conn(), successor.id, MembershipUpdate::Role(Role::Admin), rev).await?;
    tx.record_member(successor.user.id, MemberChange::Role, rev).await?;
    tx.notify_role(successor.user.id)
}

/// The role for a new member: admin if the room has none.
pub(super) async fn role_for_new_member(conn: &mut Conn, room: RoomId) -> Result<Role> {
    Ok(if members::has_admin(conn, room).await? { Role::Member } else { Role::Admin })
}

struct EnsureAdmin {
    room: RoomId,
    user: UserId,
}

impl RoomUpdate for EnsureAdmin {
    type Output = ();

    fn room(&self) -> RoomId {
        self.room
    }

    fn actor(&self) -> UserId {
        self.user
    }

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        promote_successor(tx).await
    }
}

impl Chat {
    /// Makes sure that the rooms of a deactivated or reactivated user have an active admin. Each room is a change of
    /// its own, since a user may be in any number of them.
    pub(super) async fn ensure_admins_in_rooms_of(&self, user: UserId) -> Result<()> {
        let rooms = members::rooms_of(&mut self.store().read().await?, user).await?;
        for room in rooms {
            self.writer().update(EnsureAdmin { room, user }).await?;
        }
        Ok(())
    }
}
