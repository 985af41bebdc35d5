//! Who is in a room, as somebody who looks at it sees them: a page at a time, with who is here just now and what the
//! looking person may do about each. The bundled UI's; REST lists the members plainly.

use super::{
    Chat,
    access::{Action, allow, may_act_on, powers, rights},
    validate::may_be_in_a_name,
};
use crate::{
    error::Result,
    model::{Code, Member, MessagePermissions, Role, Room, RoomId, RoomPermissions, User, UserId},
    store::{
        members::{self, MemberFilter, roster},
        rooms, users,
    },
};

/// How many people are proposed for an invitation.
const CANDIDATES: i64 = 8;

/// Which members to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterQuery {
    /// Only those whose names have this in them.
    pub search: Option<String>,
    /// Only those after this one.
    pub after: Option<UserId>,
    /// At most so many.
    pub limit: usize,
}

/// A page of members.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The room, as the viewer sees it.
    pub room: Room,
    /// What the viewer may do there.
    pub powers: RoomPermissions,
    /// And with its messages.
    pub rights: MessagePermissions,
    /// Admins first, then moderators, then everyone else.
    pub places: Vec<Place>,
    /// Whom the next page is after; none on the last.
    pub next: Option<UserId>,
}

/// Somebody's place in a room.
#[derive(Clone, Debug)]
pub struct Place {
    /// Their membership.
    pub member: Member,
    /// Have they the room open just now?
    pub is_here: bool,
    /// May the viewer mute them, shut them out, put them out?
    pub may_moderate: bool,
    /// May the viewer give them another role?
    pub may_set_role: bool,
}

impl Chat {
    /// A page of a room's members. Those who are shut out are shown to whoever may let them in again.
    ///
    /// # Errors
    /// `not_found`, `banned`.
    pub async fn roster(&self, viewer: &User, id: RoomId, query: &RosterQuery) -> Result<Roster> {
        let mut conn = self.store().read().await?;
        let access = rooms::access(&mut conn, id, viewer.id).await?;
        let access = allow(access.as_ref(), Action::See)?;
        let (powers, rights) = (powers(access), rights(access));
        let tag = access.room.to_ref();
        let role = access.member.as_ref().map(|member| member.role).unwrap_or_default();
        let room = rooms::view(&mut conn, viewer.id, id).await?.ok_or(Code::NotFound)?;
        let after = match query.after {
            Some(user) => members::find(&mut conn, tag.clone(), user).await?.map(|found| found.member),
            None => None,
        };
        let listed = if powers.moderate { MemberFilter::All } else { MemberFilter::NotBanned };
        // One more than is shown tells whether there is more.
        let search = query.search.as_deref();
        let mut found = if search.is_none_or(may_be_in_a_name) {
            roster::page(&mut conn, &tag, listed, search, after.as_ref(), query.limit + 1).await?
        } else {
            Vec::new()
        };
        let has_more = found.len() > query.limit;
        found.truncate(query.limit);
        let mut places = Vec::with_capacity(found.len());
        let here = self.hub().present(id, found.iter().map(|member| member.user.id));
        for member in found {
            let is_last_admin = powers.set_role
                && member.role == Role::Admin
                && !members::has_other_admin(&mut conn, id, member.id).await?;
            let may_act = may_act_on(role, member.role, is_last_admin).is_ok();
            places.push(Place {
                is_here: here.contains(&member.user.id),
                may_moderate: powers.moderate && may_act && member.user.id != viewer.id,
                may_set_role: powers.set_role && may_act && !member.is_banned,
                member,
            });
        }
        let next = places.last().filter(|_| has_more).map(|place| place.member.user.id);
        Ok(Roster { room, powers, rights, places, next })
    }

    /// People whom `inviter` could bring into a room: active accounts that are not in it, and whose names have `text`
    /// in them.
    ///
    /// # Errors
    /// As for the invitation: `not_found`, `banned`, `not_a_member`, `permission_denied`.
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
