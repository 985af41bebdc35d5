//! Keeps an admin who may chat in every room that has a member who can be one.
//!
//! Leaving and deactivation may take the last admin away, so they end with [`promote_successor`] under the room's lock:
//! leaving in its own transaction, deactivation in a job ([`run_part`]), since a user may be in any number of rooms.
//! Joining and inviting use [`role_for_new_member`]. Removals, bans and role changes cannot take the last admin away:
//! [`may_act_on`](crate::rules::access::may_act_on) rejects them.

use super::Chat;
use crate::{
    error::Result,
    model::{MemberChange, Role, RoomId, UserId},
    store::{
        groups,
        members::{self, MembershipUpdate, governors},
    },
    writer::{RoomTransaction, RoomUpdate},
};

/// Number of rooms in one part of the job.
const ROOMS: i64 = 100;

/// If the room has no admin who may chat, makes the successor admin: the moderator who joined first, or else the
/// member who did.
pub(super) async fn promote_successor(tx: &mut RoomTransaction) -> Result<()> {
    let room = tx.room()?.to_ref();
    let group = tx.required_group();
    if governors::has_admin(tx.conn(), room.id, group.as_deref()).await? {
        return Ok(());
    }
    let Some(successor) = governors::successor(tx.conn(), room, group.as_deref()).await? else {
        return Ok(());
    };
    let rev = tx.next_rev()?;
    members::update(tx.conn(), successor.id, MembershipUpdate::Role(Role::Admin), rev).await?;
    tx.record_member(successor.user.id, MemberChange::Role, rev).await?;
    tx.notify_role(successor.user.id)
}

/// The role for a new member: admin if the room has none and they may be one.
pub(super) async fn role_for_new_member(
    tx: &mut RoomTransaction,
    room: RoomId,
    user: UserId,
) -> Result<Role> {
    let group = tx.required_group();
    let group = group.as_deref();
    if governors::has_admin(tx.conn(), room, group).await? {
        return Ok(Role::Member);
    }
    Ok(match group {
        Some(group) if !groups::has_member(tx.conn(), group, user).await? => Role::Member,
        Some(_) | None => Role::Admin,
    })
}

struct EnsureAdmin;

impl RoomUpdate for EnsureAdmin {
    type Output = ();

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        promote_successor(tx).await
    }
}

/// Makes sure that the rooms of a user whose account has changed have an admin: of the rooms after `position`, in the
/// order of their ids. Each is a change of its own. Returns the last one; `None` if there are no more.
pub(super) async fn run_part(chat: &Chat, user: UserId, position: i64) -> Result<Option<i64>> {
    let rooms = members::rooms_of(&mut chat.store().read().await?, user, RoomId(position), ROOMS).await?;
    for room in &rooms {
        chat.writer().update(*room, user, EnsureAdmin).await?;
    }
    let is_full = i64::try_from(rooms.len()).unwrap_or(i64::MAX) == ROOMS;
    Ok(rooms.last().filter(|_| is_full).map(|room| room.0))
}
