//! Who is in a room, and bringing somebody in.

use super::{
    Chat,
    access::{Action, allow},
    accounts::username_key,
    limits::Cost,
    succession::role_of_newcomer,
    validate::Problems,
};
use crate::{
    error::{Error, Result},
    hub::{Audience, UserEvent},
    model::{
        Code, Member, MemberChange, NotificationType, Problem, Role, RoomId, ServerFrame, Timestamp, User,
        UserId,
        limits::{ROOM_MEMBERS_MAX, USERNAME_MAX},
    },
    store::{
        Conn, StoreResult,
        members::{self, MemberFilter},
        notifications, rooms, users,
    },
};

/// A member, and whether this call brought them in.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The member.
    pub member: Member,
    /// False when they were in the room before.
    pub is_new: bool,
}

impl Chat {
    /// All members of a room, first come first; also those who are shut out, so that
    /// the ban can be seen and lifted.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn members(&self, viewer: &User, room: RoomId) -> Result<Vec<Member>> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, room, viewer.id).await?;
        let tag = allow(access.as_ref(), Action::See)?.room.to_ref();
        Ok(members::list(&mut conn, tag, MemberFilter::All, ROOM_MEMBERS_MAX).await?)
    }

    /// Brings the user of this name into a room, at once, and leaves them a notification.
    /// Whoever is in already stays as they are. A ban is not lifted in passing.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`, `permission_denied`, `room_full`; `invalid`
    /// for a name that nobody has and for who is shut out of the room; [`Error::Throttled`].
    pub async fn invite(&self, inviter: &User, room: RoomId, username: &str) -> Result<Invited> {
        self.limits().act(inviter.id, Cost::Act)?;
        let mut problems = Problems::default();
        problems.filled_line("username", username, USERNAME_MAX);
        problems.finish()?;
        let key = username_key(username).ok_or_else(|| Error::invalid("username", Problem::NoSuchUser))?;
        let inviter = inviter.clone();
        self.in_turn(room, move |chat| chat.try_to_invite(inviter.clone(), room, key.clone())).await
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
        let role = role_of_newcomer(&mut tx, room).await?;
        members::join(&mut tx, room, guest.id, role, state.seq, now).await?;
        rooms::add_members(&mut tx, room, 1).await?;
        let content = format!("{} 邀请您加入房间 {}", inviter.username, state.name);
        let notice = note_invitation(&mut tx, guest.id, room, was_in, &content, now).await?;
        let entered = members::find(&mut tx, state.to_ref(), guest.id).await?.ok_or(Code::NotFound)?;
        tx.commit().await?;
        self.tell_members(room, state.member_count + 1, [(&guest, MemberChange::Joined, role)]);
        if let Some(notice) = notice {
            self.hub().publish_user(guest.id, UserEvent::Notice(notice));
        }
        Ok(Invited { member: entered.member, is_new: true })
    }

    /// Counts the invitation of a stranger; of somebody whom one shares a room with, none.
    async fn charge_invitation(&self, conn: &mut Conn, inviter: &User, guest: &User) -> Result<()> {
        if self.limits().counts_invitations()
            && members::shared_rooms::smallest(conn, inviter.id, guest.id).await?.is_none()
        {
            self.limits().act(inviter.id, Cost::Invitation)?;
        }
        Ok(())
    }

    /// Tells the sockets of a room what has changed among its members, and those whose
    /// membership it is, wherever they are. Call it after the commit.
    pub(super) fn tell_members<'a>(
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

/// Leaves `guest` a notification of their invitation, in place of one to the same room that they have not read:
/// whoever is put out and invited again has one. Gives its number, if it is told.
async fn note_invitation(
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
