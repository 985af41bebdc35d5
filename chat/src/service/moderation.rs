//! Moderation: changing roles, muting, banning, removing members.
//!
//! Everything happens under the room's lock: if two admins act on each other at once, the second is checked against
//! the result of the first.

use super::{
    Chat,
    limits::Cost,
    members::{enter, exit},
};
use crate::{
    error::{Error, Result},
    model::{Code, Member, MemberChange, MemberPatch, Problem, Role, RoomId, User, UserId},
    rules::{
        access::{Action, allow, may_act_on},
        validate::Problems,
    },
    store::members::{self, Membership, MembershipUpdate, governors},
    writer::{RoomTransaction, RoomUpdate},
};

impl Chat {
    /// Changes a member's role, mute or ban. A ban ends their active membership and role, and closes their sockets.
    /// Lifting it makes them a member again, unless they had left. Mute and ban also apply to users who left, in case
    /// they come back.
    ///
    /// # Errors
    /// `not_found` (the room, or the member), `banned`, `not_a_member`, `permission_denied`; `room_full` if lifting a
    /// ban exceeds `max_members`; `invalid` for an unknown role, or a role for a banned user; [`Error::Throttled`].
    pub async fn change_member(
        &self,
        actor: &User,
        room: RoomId,
        user: UserId,
        patch: MemberPatch,
    ) -> Result<Member> {
        self.limits().charge(actor.id, Cost::Act)?;
        let mut problems = Problems::default();
        let role = patch.role.as_deref().and_then(Role::parse);
        if patch.role.is_some() && role.is_none() {
            problems.add("role", Problem::NotAChoice);
        }
        problems.finish()?;
        self.writer().update(room, actor.id, ChangeMember { user, patch, role }).await
    }

    /// Removes a member. Mute and ban stay in force; a removed user who is not banned may join a public room again.
    ///
    /// # Errors
    /// `not_found` (the room, or the member), `banned`, `not_a_member`, `permission_denied`; [`Error::Throttled`].
    pub async fn remove_member(&self, actor: &User, room: RoomId, user: UserId) -> Result<()> {
        self.limits().charge(actor.id, Cost::Act)?;
        self.writer().update(room, actor.id, RemoveMember { user }).await
    }
}

struct ChangeMember {
    user: UserId,
    patch: MemberPatch,
    /// The role in the patch, parsed.
    role: Option<Role>,
}

impl RoomUpdate for ChangeMember {
    type Output = Member;

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<Member> {
        let action = if self.role.is_some() { Action::SetRole } else { Action::Moderate };
        let mut target = authorize(tx, self.user, action).await?;
        let before = target.clone();
        if let Some(is_muted) = self.patch.is_muted.filter(|is_muted| *is_muted != before.member.is_muted) {
            let change = if is_muted { MemberChange::Muted } else { MemberChange::Unmuted };
            target = update(tx, &target, MembershipUpdate::Muted(is_muted), change).await?;
        }
        match self.patch.is_banned.filter(|is_banned| *is_banned != before.member.is_banned) {
            Some(true) => target = ban(tx, &target).await?,
            Some(false) => target = unban(tx, &target).await?,
            None => {}
        }
        if let Some(role) = self.role {
            if target.member.is_banned {
                return Err(Error::invalid("role", Problem::UserBanned));
            }
            if !target.is_present {
                return Err(Code::NotFound.into());
            }
            if role != target.member.role {
                target = update(tx, &target, MembershipUpdate::Role(role), MemberChange::Role).await?;
                tx.notify_role(self.user)?;
            }
        }
        Ok(target.member)
    }
}

async fn ban(tx: &mut RoomTransaction, target: &Membership) -> Result<Membership> {
    if target.is_present {
        tx.room()?.member_count -= 1;
        tx.notify_membership(target.member.user.id)?;
    }
    update(tx, target, MembershipUpdate::Banned(true), MemberChange::Banned).await
}

/// Lifts a ban. A user who was a member when banned is a member again.
async fn unban(tx: &mut RoomTransaction, target: &Membership) -> Result<Membership> {
    if !target.is_present {
        return update(tx, target, MembershipUpdate::Banned(false), MemberChange::Unbanned).await;
    }
    let room = tx.room()?;
    if room.member_count >= room.max_members {
        return Err(Code::RoomFull.into());
    }
    members::update(tx.conn(), target.member.id, MembershipUpdate::Banned(false), target.rev).await?;
    enter(tx, target.member.user.id, MemberChange::Unbanned).await
}

/// Writes a change of a membership. That of a user who left is not announced: it takes effect if they come back.
async fn update(
    tx: &mut RoomTransaction,
    target: &Membership,
    update: MembershipUpdate,
    change: MemberChange,
) -> Result<Membership> {
    let (id, user) = (target.member.id, target.member.user.id);
    if target.is_present {
        let rev = tx.next_rev()?;
        members::update(tx.conn(), id, update, rev).await?;
        return tx.record_member(user, change, rev).await;
    }
    members::update(tx.conn(), id, update, target.rev).await?;
    let room = tx.room()?.to_ref();
    Ok(members::find(tx.conn(), room, user).await?.ok_or(Code::NotFound)?)
}

struct RemoveMember {
    user: UserId,
}

impl RoomUpdate for RemoveMember {
    type Output = ();

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<()> {
        let target = authorize(tx, self.user, Action::Moderate).await?;
        if !target.is_present {
            return Err(Code::NotFound.into());
        }
        let is_counted = target.is_counted();
        exit(tx, target.member.id, self.user, is_counted, MemberChange::Removed).await
    }
}

/// The membership of `user`, if the actor may do this to them.
async fn authorize(tx: &mut RoomTransaction, user: UserId, action: Action) -> Result<Membership> {
    let access = tx.actor_access().await?;
    let access = allow(access.as_ref(), action)?;
    let role = access.member.as_ref().map(|member| member.role).unwrap_or_default();
    let target = members::find(tx.conn(), access.room.to_ref(), user).await?.ok_or(Code::NotFound)?;
    let member = &target.member;
    let group = tx.required_group();
    let is_last_admin = member.role == Role::Admin
        && !governors::has_other_admin(tx.conn(), access.room.id, member.id, group.as_deref()).await?;
    may_act_on(role, member.role, is_last_admin)?;
    Ok(target)
}
