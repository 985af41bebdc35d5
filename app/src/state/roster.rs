//! Who is in a room, as its details show them, and what the room's socket tells of them.

use chat::model::{MemberChange, MessagePermissions, Role, RoomPermissions, User, UserId, UserRef};
use serde::{Deserialize, Serialize};

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// Have they the room open just now?
    pub is_here: bool,
}

/// The first members of a room, and what the reader may do there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Those with a role first.
    pub seats: Vec<Seat>,
    /// How many are in the room.
    pub count: i64,
    /// What the reader may do.
    pub powers: RoomPermissions,
    /// And with its messages.
    pub rights: MessagePermissions,
}

/// A membership changed, as the socket says it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Changed {
    /// Whose.
    pub user: User,
    /// How.
    pub change: MemberChange,
    /// Their role now.
    pub role: Role,
    /// How many are in the room now.
    pub member_count: i64,
}

impl Changed {
    /// May `me` do more or less now than before, here in the room?
    pub fn moves(&self, me: UserId) -> bool {
        let is_about_rights = match self.change {
            MemberChange::Role | MemberChange::Muted | MemberChange::Unmuted => true,
            MemberChange::Joined
            | MemberChange::Left
            | MemberChange::Removed
            | MemberChange::Banned
            | MemberChange::Unbanned
            | MemberChange::Unknown => false,
        };
        is_about_rights && self.user.id == me
    }
}

impl Roster {
    /// How many are in the room and not among the seats.
    pub fn more(&self) -> i64 {
        self.count - i64::try_from(self.seats.len()).unwrap_or(i64::MAX)
    }

    /// Whether somebody has the room open now.
    pub fn presence(&mut self, user: &UserRef, is_here: bool) {
        if let Some(seat) = self.seat(user.id) {
            seat.is_here = is_here;
        }
    }

    /// Somebody came, went, or has another role.
    pub fn change(&mut self, changed: Changed) {
        let Changed { user, change, role, member_count } = changed;
        // A list that was whole before is whole afterwards.
        let is_whole = self.more() <= 0;
        self.count = member_count;
        match change {
            MemberChange::Joined | MemberChange::Unbanned => {
                if self.seat(user.id).is_none() && is_whole {
                    self.seats.push(Seat { user, role, is_here: false });
                }
            }
            MemberChange::Left | MemberChange::Removed | MemberChange::Banned => {
                self.seats.retain(|seat| seat.user.id != user.id);
            }
            MemberChange::Role => {
                if let Some(seat) = self.seat(user.id) {
                    seat.role = role;
                }
                self.seats.sort_by_key(|seat| match seat.role {
                    Role::Admin => 0,
                    Role::Moderator => 1,
                    Role::Member => 2,
                });
            }
            MemberChange::Muted | MemberChange::Unmuted | MemberChange::Unknown => {}
        }
    }

    fn seat(&mut self, user: UserId) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.user.id == user)
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
        let seat = |id, role| Seat { user: user(id), role, is_here: false };
        Roster {
            seats: vec![seat(1, Role::Admin), seat(2, Role::Member), seat(3, Role::Member)],
            count,
            powers: RoomPermissions::default(),
            rights: MessagePermissions::default(),
        }
    }

    fn changed(id: i64, change: MemberChange, role: Role, member_count: i64) -> Changed {
        Changed { user: user(id), change, role, member_count }
    }

    fn ids(roster: &Roster) -> Vec<i64> {
        roster.seats.iter().map(|seat| seat.user.id.0).collect()
    }

    #[test]
    fn who_comes_and_goes_is_seen() {
        let mut roster = roster(3);
        roster.presence(&user(2).to_ref(), true);
        assert!(roster.seats[1].is_here);
        roster.presence(&user(2).to_ref(), false);
        roster.presence(&user(9).to_ref(), true);
        assert!(roster.seats.iter().all(|seat| !seat.is_here));
    }

    #[test]
    fn members_come_go_and_rise() {
        let mut roster = roster(3);
        roster.change(changed(4, MemberChange::Joined, Role::Member, 4));
        roster.change(changed(2, MemberChange::Left, Role::Member, 3));
        roster.change(changed(4, MemberChange::Role, Role::Moderator, 3));
        assert_eq!((ids(&roster), roster.count, roster.more()), (vec![1, 4, 3], 3, 0));
        roster.change(changed(3, MemberChange::Banned, Role::Member, 2));
        roster.change(changed(3, MemberChange::Unbanned, Role::Member, 3));
        assert_eq!(ids(&roster), [1, 4, 3]);
    }

    #[test]
    fn ones_own_rights_are_another_after_a_mute_or_another_role() {
        for (change, moves) in [
            (MemberChange::Muted, true),
            (MemberChange::Unmuted, true),
            (MemberChange::Role, true),
            (MemberChange::Removed, false),
        ] {
            let changed = changed(2, change, Role::Member, 3);
            assert_eq!((changed.moves(UserId(2)), changed.moves(UserId(1))), (moves, false), "{change:?}");
        }
    }

    #[test]
    fn in_a_large_room_newcomers_only_count() {
        let mut roster = roster(500);
        roster.change(changed(4, MemberChange::Joined, Role::Member, 501));
        assert_eq!((ids(&roster), roster.more()), (vec![1, 2, 3], 498));
    }
}
