//! Members of a room as its details show them, with presence, and their updates by the room's socket.

use chat::model::{Code, MessagePermissions, Role, RoomPermissions, User, UserId, UserRef};
use serde::{Deserialize, Serialize};

/// Maximum number of users that the server says are present when a page connects.
const PRESENT_MAX: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberEntry {
    pub user: User,
    pub role: Role,
    /// Online: has a connection to this room.
    pub is_here: bool,
}

/// The first members of a room, and the permissions of the current user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub members: Vec<MemberEntry>,
    /// Number of all members.
    pub count: i64,
    pub powers: RoomPermissions,
    pub rights: MessagePermissions,
}

/// A `member_changed` frame: the membership after the change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MemberChanged {
    pub user: User,
    pub role: Role,
    /// In the room, banned or not.
    pub is_present: bool,
    pub is_banned: bool,
    /// Number of members after the change.
    pub member_count: i64,
    pub rev: i64,
}

impl MemberChanged {
    /// Why the member has lost the room; `None` if they have it.
    pub fn loss(&self) -> Option<Code> {
        match (self.is_present, self.is_banned) {
            (_, true) => Some(Code::Banned),
            (false, false) => Some(Code::NotAMember),
            (true, false) => None,
        }
    }
}

impl Roster {
    /// Number of members beyond those listed.
    pub fn hidden_count(&self) -> i64 {
        self.count - i64::try_from(self.members.len()).unwrap_or(i64::MAX)
    }

    /// These are online in the room, at most [`PRESENT_MAX`].
    pub fn set_present(&mut self, present: &[UserId]) {
        let is_whole = present.len() < PRESENT_MAX;
        for member in &mut self.members {
            let is_here = present.contains(&member.user.id);
            member.is_here = is_here || (member.is_here && !is_whole);
        }
    }

    /// Whether a user is online in the room.
    pub fn set_presence(&mut self, user: &UserRef, is_here: bool) {
        if let Some(member) = self.member_mut(user.id) {
            member.is_here = is_here;
        }
    }

    /// Applies a change of a membership.
    pub fn change(&mut self, changed: MemberChanged) {
        let MemberChanged { user, role, is_present, is_banned, member_count, .. } = changed;
        // A new member is added only if the list was complete.
        let is_whole = self.hidden_count() <= 0;
        self.count = member_count;
        if !is_present || is_banned {
            return self.members.retain(|member| member.user.id != user.id);
        }
        match self.member_mut(user.id) {
            Some(member) => member.role = role,
            None if is_whole => self.members.push(MemberEntry { user, role, is_here: false }),
            None => {}
        }
        self.members.sort_by_key(|member| match member.role {
            Role::Admin => 0,
            Role::Moderator => 1,
            Role::Member => 2,
        });
    }

    fn member_mut(&mut self, user: UserId) -> Option<&mut MemberEntry> {
        self.members.iter_mut().find(|member| member.user.id == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64) -> User {
        User {
            id: UserId(id),
            username: format!("u{id}"),
            first_name: String::new(),
            last_name: String::new(),
        }
    }

    fn roster(count: i64) -> Roster {
        let member = |id, role| MemberEntry { user: user(id), role, is_here: false };
        Roster {
            members: vec![member(1, Role::Admin), member(2, Role::Member), member(3, Role::Member)],
            count,
            powers: RoomPermissions::default(),
            rights: MessagePermissions::default(),
        }
    }

    fn changed(id: i64, is_in: bool, role: Role, member_count: i64) -> MemberChanged {
        MemberChanged { user: user(id), role, is_present: is_in, is_banned: false, member_count, rev: 1 }
    }

    fn ids(roster: &Roster) -> Vec<i64> {
        roster.members.iter().map(|member| member.user.id.0).collect()
    }

    #[test]
    fn presence_is_applied() {
        let mut roster = roster(3);
        roster.set_presence(&user(2).to_ref(), true);
        assert!(roster.members[1].is_here);
        roster.set_presence(&user(2).to_ref(), false);
        roster.set_presence(&user(9).to_ref(), true);
        assert!(roster.members.iter().all(|member| !member.is_here));
    }

    #[test]
    fn those_present_are_set_as_far_as_they_are_told() {
        let mut roster = roster(3);
        roster.set_present(&[UserId(1), UserId(3), UserId(9)]);
        let here = |roster: &Roster| roster.members.iter().map(|member| member.is_here).collect::<Vec<_>>();
        assert_eq!(here(&roster), [true, false, true]);
        let many: Vec<UserId> = (3..203).map(UserId).collect();
        roster.set_present(&many);
        assert_eq!(here(&roster), [true, false, true], "200 are not all");
        roster.set_present(&[UserId(2)]);
        assert_eq!(here(&roster), [false, true, false]);
    }

    #[test]
    fn losses_are_told_apart() {
        let changed = changed(2, true, Role::Member, 3);
        assert_eq!(changed.loss(), None);
        assert_eq!(MemberChanged { is_present: false, ..changed.clone() }.loss(), Some(Code::NotAMember));
        assert_eq!(MemberChanged { is_banned: true, ..changed }.loss(), Some(Code::Banned));
    }

    #[test]
    fn member_changes_are_applied() {
        let mut roster = roster(3);
        roster.change(changed(4, true, Role::Member, 4));
        roster.change(changed(2, false, Role::Member, 3));
        roster.change(changed(4, true, Role::Moderator, 3));
        assert_eq!((ids(&roster), roster.count, roster.hidden_count()), (vec![1, 4, 3], 3, 0));
        roster.change(MemberChanged { is_banned: true, ..changed(3, true, Role::Member, 2) });
        assert_eq!(ids(&roster), [1, 4]);
        roster.change(changed(3, true, Role::Member, 3));
        assert_eq!(ids(&roster), [1, 4, 3]);
    }

    #[test]
    fn incomplete_roster_only_counts_new_members() {
        let mut roster = roster(500);
        roster.change(changed(4, true, Role::Member, 501));
        assert_eq!((ids(&roster), roster.hidden_count()), (vec![1, 2, 3], 498));
    }
}
