//! Moderation: changing roles, muting, banning, removing members.
//!
//! Everything happens under the room's lock: if two admins act on each other at once, the second is checked against
//! the result of the first.

use super::{Chat, limits::Cost, succession::role_for_new_member};
use crate::{
    error::{Error, Result},
    event::Event,
    model::{Code, Member, MemberChange, MemberPatch, Problem, Role, RoomId, User, UserId},
    rules::{
        access::{Action, allow, may_act_on},
        validate::Problems,
    },
    store::{
        Conn,
        members::{self, Membership},
        rooms::{self, RoomState},
    },
};

/// A membership that the acting user is allowed to change. The room is locked.
struct Target {
    room: RoomState,
    membership: Membership,
}

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
        let actor = actor.clone();
        self.serialized(room, move |chat| {
            chat.try_to_change_member(actor.clone(), room, user, patch.clone(), role)
        })
        .await
    }

    async fn try_to_change_member(
        self,
        actor: User,
        room: RoomId,
        user: UserId,
        patch: MemberPatch,
        role: Option<Role>,
    ) -> Result<Member> {
        let mut tx = self.store().write().await?;
        let action = if role.is_some() { Action::SetRole } else { Action::Moderate };
        let Target { room: state, membership: target } =
            lock_and_authorize(&mut tx, &actor, room, user, action).await?;
        let Membership { member: before, is_present } = target;
        let mut changes = Vec::new();
        let mut count = state.member_count;
        if let Some(is_muted) = patch.is_muted.filter(|is_muted| *is_muted != before.is_muted) {
            members::set_muted(&mut tx, before.id, is_muted).await?;
            changes.push(if is_muted { MemberChange::Muted } else { MemberChange::Unmuted });
        }
        let ban = patch.is_banned.filter(|is_banned| *is_banned != before.is_banned);
        if let Some(is_banned) = ban {
            members::set_banned(&mut tx, before.id, is_banned).await?;
            if is_present && is_banned {
                count -= 1;
            } else if is_present {
                if count >= state.max_members {
                    return Err(Code::RoomFull.into());
                }
                count += 1;
                let role = role_for_new_member(&mut tx, room).await?;
                members::join(&mut tx, room, user, role, state.seq, self.clock().now()).await?;
            }
            changes.push(if is_banned { MemberChange::Banned } else { MemberChange::Unbanned });
        }
        if let Some(role) = role {
            if patch.is_banned.unwrap_or(before.is_banned) {
                return Err(Error::invalid("role", Problem::UserBanned));
            }
            if !is_present {
                return Err(Code::NotFound.into());
            }
            if role != before.role {
                members::set_role(&mut tx, before.id, role).await?;
                changes.push(MemberChange::Role);
            }
        }
        if count != state.member_count {
            rooms::add_members(&mut tx, room, count - state.member_count).await?;
        }
        let after = members::find(&mut tx, state.to_ref(), user).await?.ok_or(Code::NotFound)?.member;
        tx.commit().await?;
        if is_present {
            let changes = changes.into_iter().map(|change| (&after.user, change, after.role));
            self.notify_members(room, count, changes);
        }
        if ban == Some(true) {
            self.hub().publish(room, Event::Close { user: Some(user), code: Code::Banned });
        }
        Ok(after)
    }

    /// Removes a member. Mute and ban stay in force; a removed user who is not banned may join a public room again.
    ///
    /// # Errors
    /// `not_found` (the room, or the member), `banned`, `not_a_member`, `permission_denied`; [`Error::Throttled`].
    pub async fn remove_member(&self, actor: &User, room: RoomId, user: UserId) -> Result<()> {
        self.limits().charge(actor.id, Cost::Act)?;
        let actor = actor.clone();
        self.serialized(room, move |chat| chat.try_to_remove_member(actor.clone(), room, user)).await
    }

    async fn try_to_remove_member(self, actor: User, room: RoomId, user: UserId) -> Result<()> {
        let mut tx = self.store().write().await?;
        let Target { room: state, membership: target } =
            lock_and_authorize(&mut tx, &actor, room, user, Action::Moderate).await?;
        if !target.is_present {
            return Err(Code::NotFound.into());
        }
        members::leave(&mut tx, target.member.id, self.clock().now()).await?;
        let counted = i64::from(target.is_counted());
        rooms::add_members(&mut tx, room, -counted).await?;
        tx.commit().await?;
        let removed = (&target.member.user, MemberChange::Removed, Role::Member);
        self.notify_members(room, state.member_count - counted, [removed]);
        self.hub().publish(room, Event::Close { user: Some(user), code: Code::NotAMember });
        Ok(())
    }
}

/// Locks the room and checks whether `actor` may do this to `user` there.
async fn lock_and_authorize(
    tx: &mut Conn,
    actor: &User,
    room: RoomId,
    user: UserId,
    action: Action,
) -> Result<Target> {
    rooms::lock(tx, room).await?;
    let access = rooms::access(tx, room, actor.id).await?;
    let access = allow(access.as_ref(), action)?;
    let role = access.member.as_ref().map(|member| member.role).unwrap_or_default();
    let target = members::find(tx, access.room.to_ref(), user).await?.ok_or(Code::NotFound)?;
    let member = &target.member;
    let is_last_admin = member.role == Role::Admin && !members::has_other_admin(tx, room, member.id).await?;
    may_act_on(role, member.role, is_last_admin)?;
    Ok(Target { room: access.room.clone(), membership: target })
}
