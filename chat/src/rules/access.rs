//! Permissions in a room: one table.
//!
//! Every check starts from the user's [`RoomAccess`]. A room that the user must not know of is reported exactly like
//! one that does not exist.

use crate::{
    error::{Error, Result},
    model::{Code, MessagePermissions, Role, RoomPermissions, RoomType},
    store::rooms::{MemberState, RoomAccess, RoomState},
};

/// An action in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See its name, description and members.
    See,
    /// Join it.
    Join,
    /// Leave it.
    Leave,
    /// Read its messages and mark them as read.
    Read,
    /// Open a socket to it.
    Listen,
    /// Send a message.
    Send,
    /// Edit a message.
    Edit {
        /// Whether the user is its author.
        is_own: bool,
    },
    /// Delete a message.
    Delete {
        /// Whether the user is its author.
        is_own: bool,
    },
    /// Add a member.
    Invite,
    /// Mute, ban or remove a member; [`may_act_on`] says which ones.
    Moderate,
    /// Change a member's role.
    SetRole,
    /// Change its name, description or `max_members`; delete it.
    ManageRoom,
}

/// Checks whether the user may do this.
///
/// # Errors
/// `not_found`, `banned`, `not_a_member`, `muted`, `permission_denied`.
pub fn allow(access: Option<&RoomAccess>, action: Action) -> Result<&RoomAccess> {
    let access = access.ok_or(Code::NotFound)?;
    check(&access.room, access.member.as_ref(), action)?;
    Ok(access)
}

/// The user's permissions on the room and its members.
pub(crate) fn room_permissions(access: &RoomAccess) -> RoomPermissions {
    let may = |action| check(&access.room, access.member.as_ref(), action).is_ok();
    RoomPermissions {
        invite: may(Action::Invite),
        moderate: may(Action::Moderate),
        set_role: may(Action::SetRole),
        manage_room: may(Action::ManageRoom),
    }
}

/// The user's permissions on the room's messages.
pub(crate) fn message_permissions(access: &RoomAccess) -> MessagePermissions {
    let may = |action| check(&access.room, access.member.as_ref(), action).is_ok();
    MessagePermissions {
        write: may(Action::Send),
        delete_own: may(Action::Delete { is_own: true }),
        delete_any: may(Action::Delete { is_own: false }),
    }
}

/// [`Action::Send`] for the writer, which keeps rooms and members separately.
pub(crate) fn may_send<'a>(
    room: Option<&'a mut RoomState>,
    member: Option<&'a MemberState>,
) -> Result<(&'a mut RoomState, &'a MemberState)> {
    let room = room.ok_or(Code::NotFound)?;
    check(room, member, Action::Send)?;
    let member = member.ok_or(Code::NotAMember)?;
    Ok((room, member))
}

/// [`Action::Edit`] and [`Action::Delete`] for the writer.
pub(crate) fn may_change<'a>(
    room: Option<&'a mut RoomState>,
    member: Option<&MemberState>,
    action: Action,
) -> Result<&'a mut RoomState> {
    let room = room.ok_or(Code::NotFound)?;
    check(room, member, action)?;
    Ok(room)
}

/// Checks whether this member may moderate that one, or change their role.
///
/// # Errors
/// `permission_denied`.
pub(crate) fn may_act_on(actor: Role, target: Role, is_last_admin: bool) -> Result<()> {
    match (actor, target) {
        // Admins cannot leave a room without an admin.
        (Role::Admin, _) if !is_last_admin => Ok(()),
        (Role::Moderator, Role::Member) => Ok(()),
        (Role::Admin | Role::Moderator | Role::Member, _) => Err(Code::PermissionDenied.into()),
    }
}

/// The reason for ending a subscription to a room of this type, as its user may know it: from then on, a hidden room does
/// not exist for them.
pub(crate) fn visible_reason(room_type: RoomType, reason: Code) -> Code {
    match (is_hidden_from_others(room_type), reason) {
        (true, Code::NotAMember | Code::Banned) => Code::NotFound,
        _ => reason,
    }
}

fn is_hidden_from_others(room_type: RoomType) -> bool {
    match room_type {
        RoomType::Public => false,
        RoomType::Private | RoomType::Group => true,
    }
}

fn check(room: &RoomState, member: Option<&MemberState>, action: Action) -> Result<()> {
    let present = member.filter(|member| member.is_present);
    let is_hidden = is_hidden_from_others(room.room_type) || !room.is_active;
    let is_banned = member.is_some_and(|member| member.is_banned);
    if is_hidden && (present.is_none() || is_banned) {
        return Err(Code::NotFound.into());
    }
    // A banned member may only leave.
    if is_banned && (action != Action::Leave || present.is_none()) {
        return Err(Code::Banned.into());
    }
    match action {
        Action::See => Ok(()),
        Action::Join => must_be_active(room),
        Action::Leave | Action::Read => present.map(drop).ok_or(Code::NotAMember.into()),
        // Muted members may still delete their own messages.
        Action::Listen | Action::Delete { is_own: true } => {
            must_be_active(room)?;
            present.map(drop).ok_or(Code::NotAMember.into())
        }
        Action::Send => {
            must_be_active(room)?;
            let member = present.ok_or(Code::NotAMember)?;
            if member.is_muted { Err(Code::Muted.into()) } else { Ok(()) }
        }
        Action::Edit { is_own } => {
            check(room, member, Action::Send)?;
            if is_own { Ok(()) } else { Err(Code::PermissionDenied.into()) }
        }
        Action::Delete { is_own: false } | Action::Invite | Action::Moderate => {
            must_be(&[Role::Admin, Role::Moderator], room, present)
        }
        Action::SetRole | Action::ManageRoom => must_be(&[Role::Admin], room, present),
    }
}

fn must_be(roles: &[Role], room: &RoomState, member: Option<&MemberState>) -> Result<()> {
    must_be_active(room)?;
    let member = member.ok_or(Code::NotAMember)?;
    if roles.contains(&member.role) { Ok(()) } else { Err(Code::PermissionDenied.into()) }
}

fn must_be_active(room: &RoomState) -> Result<()> {
    if room.is_active { Ok(()) } else { Err(Error::from(Code::NotFound)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RoomId, Timestamp};

    fn access(room_type: RoomType, member: Option<MemberState>) -> RoomAccess {
        let room = RoomState {
            id: RoomId(1),
            name: "room".into(),
            room_type,
            is_active: true,
            max_members: 50,
            member_count: 1,
            seq: 0,
            first_seq: 1,
            rev: 0,
            active_at: Timestamp(0),
        };
        RoomAccess { room, member }
    }

    fn member() -> MemberState {
        MemberState {
            id: 1,
            role: Role::Member,
            is_present: true,
            is_muted: false,
            is_banned: false,
            last_read_seq: 0,
            sent: 0,
        }
    }

    #[test]
    fn banned_member_may_only_leave() {
        let banned = MemberState { is_banned: true, ..member() };
        let gone = MemberState { is_present: false, ..banned.clone() };
        let leaving = |kind, member: &MemberState| {
            allow(Some(&access(kind, Some(member.clone()))), Action::Leave).err().map(|error| error.code())
        };
        assert_eq!(leaving(RoomType::Public, &banned), None);
        assert_eq!(leaving(RoomType::Public, &gone), Some(Code::Banned));
        assert_eq!(leaving(RoomType::Group, &banned), Some(Code::NotFound));
        assert_eq!(leaving(RoomType::Group, &member()), None);
        let stranger = access(RoomType::Public, None);
        assert_eq!(allow(Some(&stranger), Action::Leave).err().map(|e| e.code()), Some(Code::NotAMember));
    }

    /// The result for each of the actions See, Join, Read, Listen, Send.
    fn answers(access: Option<&RoomAccess>) -> [Option<Code>; 5] {
        [Action::See, Action::Join, Action::Read, Action::Listen, Action::Send]
            .map(|action| allow(access, action).err().map(|error| error.code()))
    }

    #[test]
    fn member_may_do_everything_members_do() {
        let all = answers(Some(&access(RoomType::Private, Some(member()))));
        assert_eq!(all, [None; 5]);
    }

    #[test]
    fn non_member_may_see_and_join_a_public_room() {
        let not_in = Some(Code::NotAMember);
        let all = answers(Some(&access(RoomType::Public, None)));
        assert_eq!(all, [None, None, not_in, not_in, not_in]);
    }

    #[test]
    fn hidden_room_is_not_found_for_non_members() {
        let gone = MemberState { is_present: false, ..member() };
        for kind in [RoomType::Private, RoomType::Group] {
            assert_eq!(answers(Some(&access(kind, None))), [Some(Code::NotFound); 5]);
            assert_eq!(answers(Some(&access(kind, Some(gone.clone())))), [Some(Code::NotFound); 5]);
        }
        assert_eq!(answers(None), [Some(Code::NotFound); 5]);
    }

    #[test]
    fn banned_member_gets_banned_or_not_found_in_a_hidden_room() {
        let banned = MemberState { is_banned: true, ..member() };
        let gone = MemberState { is_present: false, ..banned.clone() };
        assert_eq!(answers(Some(&access(RoomType::Public, Some(banned.clone())))), [Some(Code::Banned); 5]);
        assert_eq!(answers(Some(&access(RoomType::Public, Some(gone)))), [Some(Code::Banned); 5]);
        assert_eq!(answers(Some(&access(RoomType::Group, Some(banned)))), [Some(Code::NotFound); 5]);
    }

    #[test]
    fn muted_member_may_listen_but_not_write() {
        let muted = MemberState { is_muted: true, ..member() };
        let all = answers(Some(&access(RoomType::Public, Some(muted))));
        assert_eq!(all, [None, None, None, None, Some(Code::Muted)]);
    }

    #[test]
    fn deleted_room_can_only_be_read_by_its_members() {
        let mut deleted = access(RoomType::Public, Some(member()));
        deleted.room.is_active = false;
        let gone = Some(Code::NotFound);
        assert_eq!(answers(Some(&deleted)), [None, gone, None, gone, gone]);
        deleted.member = None;
        assert_eq!(answers(Some(&deleted)), [gone; 5]);
    }
    /// The result for each of the actions `Invite`, `Moderate`, `SetRole`, and managing the room.
    fn powers(access: Option<&RoomAccess>) -> [Option<Code>; 4] {
        [Action::Invite, Action::Moderate, Action::SetRole, Action::ManageRoom]
            .map(|action| allow(access, action).err().map(|error| error.code()))
    }

    #[test]
    fn permissions_match_the_checks() {
        for role in [Role::Admin, Role::Moderator, Role::Member] {
            let access = access(RoomType::Public, Some(MemberState { role, ..member() }));
            let RoomPermissions { invite, moderate, set_role, manage_room } =
                super::room_permissions(&access);
            let allowed = powers(Some(&access)).map(|refusal| refusal.is_none());
            assert_eq!([invite, moderate, set_role, manage_room], allowed, "{role:?}");
        }
    }

    #[test]
    fn permissions_of_the_roles() {
        let with = |role| powers(Some(&access(RoomType::Private, Some(MemberState { role, ..member() }))));
        let no = Some(Code::PermissionDenied);
        assert_eq!(with(Role::Admin), [None; 4]);
        assert_eq!(with(Role::Moderator), [None, None, no, no]);
        assert_eq!(with(Role::Member), [no; 4]);
    }

    #[test]
    fn former_member_has_no_permissions_whatever_their_role_was() {
        let admin = MemberState { role: Role::Admin, ..member() };
        let gone = MemberState { is_present: false, ..admin.clone() };
        let banned = MemberState { is_banned: true, ..admin.clone() };
        for outsider in [None, Some(gone)] {
            assert_eq!(
                powers(Some(&access(RoomType::Public, outsider.clone()))),
                [Some(Code::NotAMember); 4]
            );
            assert_eq!(powers(Some(&access(RoomType::Group, outsider))), [Some(Code::NotFound); 4]);
        }
        assert_eq!(powers(Some(&access(RoomType::Public, Some(banned)))), [Some(Code::Banned); 4]);
        let mut deleted = access(RoomType::Public, Some(admin));
        deleted.room.is_active = false;
        assert_eq!(powers(Some(&deleted)), [Some(Code::NotFound); 4]);
    }

    #[test]
    fn permissions_to_change_messages() {
        let change = |member: MemberState| {
            [true, false].map(|is_own| {
                [Action::Edit { is_own }, Action::Delete { is_own }].map(|action| {
                    let access = access(RoomType::Public, Some(member.clone()));
                    allow(Some(&access), action).err().map(|error| error.code())
                })
            })
        };
        let (no, muted) = (Some(Code::PermissionDenied), Some(Code::Muted));
        assert_eq!(change(member()), [[None, None], [no, no]]);
        assert_eq!(change(MemberState { is_muted: true, ..member() }), [[muted, None], [muted, no]]);
        for role in [Role::Admin, Role::Moderator] {
            assert_eq!(change(MemberState { role, ..member() }), [[None, None], [no, None]]);
        }
        let gone = MemberState { is_present: false, ..member() };
        assert_eq!(change(gone), [[Some(Code::NotAMember); 2]; 2], "not even what was one's own");
    }

    #[test]
    fn a_hidden_room_that_a_user_lost_does_not_exist_for_them() {
        let gone = MemberState { is_present: false, ..member() };
        let banned = MemberState { is_banned: true, ..member() };
        for kind in [RoomType::Public, RoomType::Private, RoomType::Group] {
            // What a reader of the database is told is what a reader of events is told.
            for (state, reason) in [(&gone, Code::NotAMember), (&banned, Code::Banned)] {
                let read = allow(Some(&access(kind, Some(state.clone()))), Action::Listen).err();
                assert_eq!(read.map(|error| error.code()), Some(visible_reason(kind, reason)), "{kind:?}");
            }
            let may_know = if kind == RoomType::Public { Code::Banned } else { Code::NotFound };
            assert_eq!(visible_reason(kind, Code::Banned), may_know);
            assert_eq!(visible_reason(kind, Code::NotFound), Code::NotFound);
        }
    }

    #[test]
    fn may_act_on_depends_on_both_roles() {
        use Role::{Admin, Member, Moderator};
        for actor in [Admin, Moderator, Member] {
            for target in [Admin, Moderator, Member] {
                let may = actor == Admin || (actor, target) == (Moderator, Member);
                assert_eq!(may_act_on(actor, target, false).is_ok(), may, "{actor:?} on {target:?}");
            }
        }
        assert!(may_act_on(Admin, Admin, true).is_err(), "the last admin");
    }
}
