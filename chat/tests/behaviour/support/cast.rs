//! A room with members of every role, and inputs for moderation.

use std::time::Duration;

use chat::{
    model::{Code, Member, MemberChange, MemberPatch, Problem, Role, RoomId, ServerFrame, User},
    service::RoomSession,
};

use super::{World, new_room};

/// A room with one member of each role.
pub struct Cast {
    /// The room.
    pub room: RoomId,
    /// Its creator and only admin.
    pub admin: User,
    /// The second to join.
    pub moderator: User,
    /// The third to join.
    pub member: User,
}

/// Creates a room of this type with its members.
pub async fn cast(world: &World, room_type: &str) -> Cast {
    let admin = world.person("chief").await;
    let moderator = world.person("moderator").await;
    let member = world.person("member").await;
    let room = world.chat.create_room(&admin, new_room(room_type)).await.expect("made").id;
    for who in [&moderator, &member] {
        world.clock.advance(1);
        world.chat.invite(&admin, room, &who.username).await.expect("brought in");
    }
    world.chat.change_member(&admin, room, moderator.id, role("moderator")).await.expect("promoted");
    Cast { room, admin, moderator, member }
}

/// Sets the role.
pub fn role(role: &str) -> MemberPatch {
    MemberPatch { role: Some(role.into()), ..MemberPatch::default() }
}

/// Mutes or unmutes.
pub fn muted(is_muted: bool) -> MemberPatch {
    MemberPatch { is_muted: Some(is_muted), ..MemberPatch::default() }
}

/// Bans or unbans.
pub fn banned(is_banned: bool) -> MemberPatch {
    MemberPatch { is_banned: Some(is_banned), ..MemberPatch::default() }
}

/// The error of a call that must fail.
pub fn refused<T: std::fmt::Debug>(result: chat::Result<T>) -> Code {
    result.expect_err("refused").code()
}

/// The first invalid field and its problem.
pub fn problem<T: std::fmt::Debug>(result: chat::Result<T>) -> (String, Problem) {
    let field = result.expect_err("refused").failure().fields.remove(0);
    (field.field, field.problem)
}

/// The membership of `who`, as `viewer` sees it in the list.
pub async fn membership(world: &World, viewer: &User, room: RoomId, who: &User) -> Member {
    let members = world.chat.members(viewer, room).await.expect("listed");
    members.into_iter().find(|member| member.user == *who).expect("a member")
}

/// The number of members.
pub async fn count(world: &World, viewer: &User, room: RoomId) -> i64 {
    world.chat.room(viewer, room).await.expect("seen").member_count
}

/// Receives frames until the socket closes: the membership changes, and the reason for closing.
pub async fn until_closed(session: &mut RoomSession) -> (Vec<(String, MemberChange)>, Code) {
    let mut changes = Vec::new();
    loop {
        let received = tokio::time::timeout(Duration::from_secs(20), session.next()).await.expect("in time");
        match received {
            Ok(json) => {
                if let ServerFrame::MemberChanged { user, change, .. } =
                    serde_json::from_slice(&json).expect("a frame")
                {
                    changes.push((user.username, change));
                }
            }
            Err(error) => return (changes, error.code()),
        }
    }
}

/// The next membership change: its kind, the user, their role and the member count.
pub async fn next_change(session: &mut RoomSession) -> (String, MemberChange, Role, i64) {
    loop {
        let received = tokio::time::timeout(Duration::from_secs(20), session.next()).await.expect("in time");
        if let ServerFrame::MemberChanged { user, change, role, member_count, .. } =
            serde_json::from_slice(&received.expect("open")).expect("a frame")
        {
            return (user.username, change, role, member_count);
        }
    }
}
