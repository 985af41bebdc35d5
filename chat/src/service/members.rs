//! Members of a room: listing and inviting.

use super::{Chat, limits::Cost, succession::role_for_new_member};
use crate::{
    error::{Error, Result},
    event::{Audience, UserEvent},
    model::{
        Code, Member, MemberChange, NotificationType, Problem, Role, RoomId, ServerFrame, Timestamp, User,
        UserId,
        limits::{ROOM_MEMBERS_MAX, USERNAME_MAX},
    },
    rules::account::username_key,
    rules::{
        access::{Action, allow},
        validate::Problems,
    },
    store::{
        Conn, StoreResult,
        members::{self, MemberFilter},
        notifications, rooms, users,
    },
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
        Ok(members::list(&mut conn, tag, MemberFilter::All, ROOM_MEMBERS_MAX).await?)
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
        let inviter = inviter.clone();
        self.serialized(room, move |chat| chat.try_to_invite(inviter.clone(), room, key.clone())).await
    }

    async fn try_to_invite(self, inviter: User, room: RoomId, key: String) -> Result<Invited> {
        let mut tx = self.store().write().await?;
        rooms::lock(&mut tx, room).await?;
        let access = rooms::access(&mut tx, room, inviter.id).await?;
        let state = &allow(access.as_ref(), Action::Invite)?.room;
        let guest = users::find_by_key(&mut tx, &key).await?;
        let guest = guest.filter(|account| account.is_active).map(|account| account.user);
        let guest = guest.ok_or_else(|| Error::invalid("username", Problem::NoSuchUser))?;
        let known = members::find(&mut tx, state.to_ref(), guest.id).await?;
        let was_in = known.is_some();
        if let Some(known) = known {
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
        self.charge_invitation(&mut tx, &inviter, &guest).await?;
        let now = self.clock().now();
        let role = role_for_new_member(&mut tx, room).await?;
        members::join(&mut tx, room, guest.id, role, state.seq, now).await?;
        rooms::add_members(&mut tx, room, 1).await?;
        let content = format!("{} 邀请您加入房间 {}", inviter.username, state.name);
        let notice = record_invitation(&mut tx, guest.id, room, was_in, &content, now).await?;
        let entered = members::find(&mut tx, state.to_ref(), guest.id).await?.ok_or(Code::NotFound)?;
        tx.commit().await?;
        self.notify_members(room, state.member_count + 1, [(&guest, MemberChange::Joined, role)]);
        if let Some(notice) = notice {
            self.hub().publish_user(guest.id, UserEvent::NotificationRow(notice));
        }
        Ok(Invited { member: entered.member, is_new: true })
    }

    /// Charges an invitation, unless the two users share a room.
    async fn charge_invitation(&self, conn: &mut Conn, inviter: &User, guest: &User) -> Result<()> {
        if self.limits().counts_invitations()
            && members::shared_rooms::smallest(conn, inviter.id, guest.id).await?.is_none()
        {
            self.limits().charge(inviter.id, Cost::Invitation)?;
        }
        Ok(())
    }

    /// Notifies the room's sockets of membership changes, and the users concerned on all their sockets. Call it after
    /// the commit.
    pub(super) fn notify_members<'a>(
        &self,
        room: RoomId,
        member_count: i64,
        changes: impl IntoIterator<Item = (&'a User, MemberChange, Role)>,
    ) {
        for (user, change, role) in changes {
            let frame = ServerFrame::MemberChanged { user: user.clone(), change, role, member_count };
            self.hub().publish_frame(room, &frame, None, Audience::Everyone);
            self.hub().publish_user(user.id, UserEvent::Room(room));
        }
    }
}

/// Stores a notification of the invitation for `guest`. It replaces an unread one for the same room, so that repeated
/// removal and invitation leave only one. Returns its id, if it is to be sent.
async fn record_invitation(
    tx: &mut Conn,
    guest: UserId,
    room: RoomId,
    was_in: bool,
    content: &str,
    now: Timestamp,
) -> StoreResult<Option<i64>> {
    if was_in && let Some(open) = notifications::stored::unread_invitation(tx, guest, room).await? {
        notifications::stored::update_content(tx, open, content, now).await?;
        return Ok(Some(open));
    }
    let kind = NotificationType::RoomInvite;
    notifications::insert(tx, guest, kind, room, None, "房间邀请", content, now).await
}
