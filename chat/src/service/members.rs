//! Members of a room: listing and inviting.

use super::{Chat, limits::Cost, succession::role_for_new_member};
use crate::{
    error::{Error, Result},
    model::{
        Code, Member, MemberChange, Problem, RoomId, User, UserId,
        limits::{ROOM_MEMBERS_MAX, USERNAME_MAX},
    },
    rules::account::username_key,
    rules::{
        access::{Action, allow},
        validate::Problems,
    },
    store::{
        Conn,
        members::{self as rows, MemberFilter, Membership, MembershipUpdate},
        notifications, rooms, users,
    },
    writer::{RoomTransaction, RoomUpdate},
};

/// The result of an invitation.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The member.
    pub member: Member,
    /// False if they were a member before.
    pub is_new: bool,
}

impl Chat {
    /// All members of a room in the order they joined, banned ones included, so that a ban can be seen and lifted.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn members(&self, viewer: &User, room: RoomId) -> Result<Vec<Member>> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, room, viewer.id).await?;
        let tag = allow(access.as_ref(), Action::See)?.room.to_ref();
        Ok(rows::list(&mut conn, tag, MemberFilter::All, ROOM_MEMBERS_MAX).await?)
    }

    /// Adds the user with this name to a room at once, and leaves them a notification. A user who is already a member
    /// stays unchanged. A ban is not lifted.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`, `permission_denied`, `room_full`; `invalid` for an unknown username and
    /// for a banned user; [`Error::Throttled`].
    pub async fn invite(&self, inviter: &User, room: RoomId, username: &str) -> Result<Invited> {
        self.limits().charge(inviter.id, Cost::Act)?;
        let mut problems = Problems::default();
        problems.filled_line("username", username, USERNAME_MAX);
        problems.finish()?;
        let key = username_key(username).ok_or_else(|| Error::invalid("username", Problem::NoSuchUser))?;
        let invite = Invite { chat: self.clone(), inviter: inviter.clone(), key };
        self.writer().update(room, inviter.id, invite).await
    }

    /// Charges an invitation, unless the two users share a room.
    async fn charge_invitation(&self, conn: &mut Conn, inviter: &User, guest: &User) -> Result<()> {
        if self.limits().counts_invitations()
            && rows::shared_rooms::smallest(conn, inviter.id, guest.id).await?.is_none()
        {
            self.limits().charge(inviter.id, Cost::Invitation)?;
        }
        Ok(())
    }
}

struct Invite {
    chat: Chat,
    inviter: User,
    /// The username key of the user to add.
    key: String,
}

impl RoomUpdate for Invite {
    type Output = Invited;

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<Invited> {
        let access = tx.actor_access().await?;
        let state = &allow(access.as_ref(), Action::Invite)?.room;
        let guest = users::find_by_key(tx.conn(), &self.key).await?;
        let guest = guest.filter(|account| account.is_active).map(|account| account.user);
        let guest = guest.ok_or_else(|| Error::invalid("username", Problem::NoSuchUser))?;
        if let Some(known) = rows::find(tx.conn(), state.to_ref(), guest.id).await? {
            if known.member.is_banned {
                return Err(Error::invalid("username", Problem::UserBanned));
            }
            if known.is_present {
                return Ok(Invited { member: known.member, is_new: false });
            }
        }
        if state.member_count >= state.max_members {
            return Err(Code::RoomFull.into());
        }
        self.chat.charge_invitation(tx.conn(), &self.inviter, &guest).await?;
        let content = format!("{} 邀请您加入房间 {}", self.inviter.username, state.name);
        let now = tx.now();
        // Before entering, which announces what is unread of the room.
        notifications::stored::invite(tx.conn(), guest.id, state.id, &content, now).await?;
        let entered = enter(tx, guest.id, MemberChange::Joined).await?;
        Ok(Invited { member: entered.member, is_new: true })
    }
}

/// Makes `user` a member, with the role of a new one. Their unread invitations and system notices of the room, which are
/// not shown to those outside, are announced again. The caller has checked that there is room.
pub(super) async fn enter(
    tx: &mut RoomTransaction,
    user: UserId,
    change: MemberChange,
) -> Result<Membership> {
    let (rev, now) = (tx.next_rev()?, tx.now());
    let room = tx.room()?;
    room.member_count += 1;
    let (id, seq) = (room.id, room.seq);
    let role = role_for_new_member(tx, id, user).await?;
    rows::join(tx.conn(), id, user, role, seq, rev, now).await?;
    tx.notify_membership(user)?;
    for notice in notifications::stored::unread_in(tx.conn(), user, id).await? {
        tx.notify_notification(user, notice);
    }
    tx.record_member(user, change, rev).await
}

/// Ends the membership of `user`.
pub(super) async fn exit(
    tx: &mut RoomTransaction,
    member_id: i64,
    user: UserId,
    is_counted: bool,
    change: MemberChange,
) -> Result<()> {
    let (rev, now) = (tx.next_rev()?, tx.now());
    tx.room()?.member_count -= i64::from(is_counted);
    rows::update(tx.conn(), member_id, MembershipUpdate::Leave { at: now }, rev).await?;
    tx.notify_membership(user)?;
    tx.record_member(user, change, rev).await.map(drop)
}
