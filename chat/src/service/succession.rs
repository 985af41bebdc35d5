//! A room always has an active admin, as long as somebody is in it who can be one.
//!
//! What may take the last one away, leaving and a deactivation, calls [`promote_heir`] under the room's lock; what brings
//! somebody in asks [`role_of_newcomer`]. Removals, bans and roles cannot: [`may_act_on`](super::access::may_act_on)
//! refuses to act on the last active admin.

use super::Chat;
use crate::{
    error::Result,
    model::{Member, MemberChange, Role, RoomId, RoomRef, User, UserId},
    store::{Conn, members, rooms},
};

/// Who became the admin of a room that had none left.
pub(super) struct Heir(Member);

impl Heir {
    /// What the room is told.
    pub(super) fn change(&self) -> (&User, MemberChange, Role) {
        (&self.0.user, MemberChange::Role, Role::Admin)
    }
}

/// Makes the next in line admin, if the room has no active admin: the moderator, else the member, who joined first.
pub(super) async fn promote_heir(tx: &mut Conn, room: RoomRef) -> Result<Option<Heir>> {
    if members::has_admin(tx, room.id).await? {
        return Ok(None);
    }
    let Some(heir) = members::successor(tx, room).await? else { return Ok(None) };
    members::set_role(tx, heir.id, Role::Admin).await?;
    Ok(Some(Heir(heir)))
}

/// The role of whoever enters the room now: it has an admin from then on.
pub(super) async fn role_of_newcomer(tx: &mut Conn, room: RoomId) -> Result<Role> {
    Ok(if members::has_admin(tx, room).await? { Role::Member } else { Role::Admin })
}

impl Chat {
    /// Sees to it that the rooms of somebody who was deactivated, or activated again, have an active admin; each room
    /// in a transaction of its own, since a person is in any number of them.
    pub(super) async fn settle_admins_of(&self, user: UserId) -> Result<()> {
        let rooms = members::rooms_of(&mut self.store().read().await?, user).await?;
        for room in rooms {
            self.in_turn(room, move |chat| chat.settle_admin(room)).await?;
        }
        Ok(())
    }

    async fn settle_admin(self, room: RoomId) -> Result<()> {
        let mut tx = self.store().write().await?;
        rooms::lock(&mut tx, room).await?;
        let Some(state) = rooms::state(&mut tx, room).await? else { return Ok(()) };
        let heir = promote_heir(&mut tx, state.to_ref()).await?;
        tx.commit().await?;
        self.tell_members(room, state.member_count, heir.as_ref().map(Heir::change));
        Ok(())
    }
}
