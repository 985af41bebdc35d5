//! The member list of the web UI: paginated, with presence and the viewer's permissions on each member. REST uses the
//! plain list of [`members`](super::members).

use super::Chat;
use crate::{
    error::Result,
    model::{Code, Member, MessagePermissions, Role, Room, RoomId, RoomPermissions, User, UserId},
    rules::{
        access::{Action, allow, may_act_on, message_permissions, room_permissions},
        validate::may_be_in_a_name,
    },
    store::{
        members::{self, MemberFilter, governors, roster},
        rooms, users,
    },
};

/// Number of candidates suggested for an invitation.
const CANDIDATES: i64 = 8;

/// Filter and page of the member list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterQuery {
    /// Only members whose names contain this.
    pub search: Option<String>,
    /// Only members after this one.
    pub after: Option<UserId>,
    /// Maximum number of members.
    pub limit: usize,
}

/// A page of the member list.
#[derive(Clone, Debug)]
pub struct RosterPage {
    /// The room, as the viewer sees it.
    pub room: Room,
    /// The viewer's permissions on the room and its members.
    pub powers: RoomPermissions,
    /// The viewer's permissions on its messages.
    pub rights: MessagePermissions,
    /// Admins first, then moderators, then all others.
    pub entries: Vec<RosterEntry>,
    /// The cursor for the next page; `None` on the last.
    pub next: Option<UserId>,
}

/// A member in the list.
#[derive(Clone, Debug)]
pub struct RosterEntry {
    /// The membership.
    pub member: Member,
    /// Whether they have the room open now.
    pub is_here: bool,
    /// Whether the viewer may mute, ban or remove them.
    pub may_moderate: bool,
    /// Whether the viewer may change their role.
    pub may_set_role: bool,
}

impl Chat {
    /// A page of a room's members. Banned members are included for viewers who may lift the ban.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn roster(&self, viewer: &User, id: RoomId, query: &RosterQuery) -> Result<RosterPage> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, id, viewer.id).await?;
        let access = allow(access.as_ref(), Action::See)?;
        let (powers, rights) = (room_permissions(access), message_permissions(access));
        let tag = access.room.to_ref();
        let role = access.member.as_ref().map(|member| member.role).unwrap_or_default();
        let room = rooms::view(&mut conn, viewer.id, id).await?.ok_or(Code::NotFound)?;
        let after = match query.after {
            Some(user) => members::find(&mut conn, tag.clone(), user).await?.map(|found| found.member),
            None => None,
        };
        let listed = if powers.moderate { MemberFilter::All } else { MemberFilter::NotBanned };
        // One more than the page, to know whether there is a next one.
        let search = query.search.as_deref();
        let mut found = if search.is_none_or(may_be_in_a_name) {
            roster::page(&mut conn, &tag, listed, search, after.as_ref(), query.limit + 1).await?
        } else {
            Vec::new()
        };
        let has_more = found.len() > query.limit;
        found.truncate(query.limit);
        let mut entries = Vec::with_capacity(found.len());
        let group = self.settings().required_group.as_deref();
        let here = self.hub().present(id, found.iter().map(|member| member.user.id));
        for member in found {
            let is_last_admin = powers.set_role
                && member.role == Role::Admin
                && !governors::has_other_admin(&mut conn, id, member.id, group).await?;
            let may_act = may_act_on(role, member.role, is_last_admin).is_ok();
            entries.push(RosterEntry {
                is_here: here.contains(&member.user.id),
                may_moderate: powers.moderate && may_act && member.user.id != viewer.id,
                may_set_role: powers.set_role && may_act && !member.is_banned,
                member,
            });
        }
        let next = entries.last().filter(|_| has_more).map(|entry| entry.member.user.id);
        Ok(RosterPage { room, powers, rights, entries, next })
    }

    /// Users whom `inviter` could add to a room: active accounts that are not in it and whose names contain `text`.
    ///
    /// # Errors
    /// As for an invitation: `not_found`, `banned`, `not_a_member`, `permission_denied`.
    pub async fn candidates(&self, inviter: &User, room: RoomId, text: &str) -> Result<Vec<User>> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, room, inviter.id).await?;
        allow(access.as_ref(), Action::Invite)?;
        let text = text.trim();
        if text.is_empty() || !may_be_in_a_name(text) {
            return Ok(Vec::new());
        }
        Ok(users::not_in_room(&mut conn, room, text, CANDIDATES).await?)
    }
}
