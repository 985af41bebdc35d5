//! A room is never without somebody who can govern it, under random and concurrent changes: whenever an active account
//! is in the room and not banned, one of these is an admin.

use std::{sync::Mutex, time::Duration};

use chat::model::{Code, Member, MemberPatch, Role, RoomId, User};
use futures::future::join_all;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::{runtime::Runtime, time::timeout};

use crate::support::{
    World,
    cast::{banned, role},
    new_room,
};

const PEOPLE: usize = 4;
/// Histories on each database.
const HISTORIES: u32 = 40;
/// Timeout of one history.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A change. Numbers select people.
#[derive(Clone, Debug)]
enum Move {
    Join(usize),
    Leave(usize),
    Invite { by: usize, who: usize },
    Remove { by: usize, who: usize },
    Ban { by: usize, who: usize, is_banned: bool },
    Role { by: usize, who: usize, role: &'static str },
    Activate { who: usize, is_active: bool },
}

fn one() -> impl Strategy<Value = Move> {
    let (by, who) = (0..PEOPLE, 0..PEOPLE);
    let both = (by, who.clone());
    let roles = prop::sample::select(vec!["admin", "moderator", "member"]);
    prop_oneof![
        3 => who.clone().prop_map(Move::Join),
        2 => who.clone().prop_map(Move::Leave),
        2 => both.clone().prop_map(|(by, who)| Move::Invite { by, who }),
        1 => both.clone().prop_map(|(by, who)| Move::Remove { by, who }),
        2 => (both.clone(), any::<bool>()).prop_map(|((by, who), is_banned)| Move::Ban { by, who, is_banned }),
        4 => (both, roles).prop_map(|((by, who), role)| Move::Role { by, who, role }),
        5 => (who, any::<bool>()).prop_map(|(who, is_active)| Move::Activate { who, is_active }),
    ]
}

struct Stage<'w> {
    world: &'w World,
    people: &'w [User],
    /// Who has an active account, before the running step.
    active: [bool; PEOPLE],
    room: RoomId,
}

impl Stage<'_> {
    /// Makes the moves of a step concurrently. Those of deactivated people are left out: they have no credential.
    async fn play(&mut self, step: &[Move]) -> Result<(), String> {
        let active = Mutex::new(self.active);
        let moves = step.iter().map(|one| self.make(one, &active));
        let results: Result<Vec<()>, String> = join_all(moves).await.into_iter().collect();
        self.active = active.into_inner().expect("no panic");
        results.map(drop)
    }

    async fn make(&self, one: &Move, active: &Mutex<[bool; PEOPLE]>) -> Result<(), String> {
        let (chat, room, people) = (&self.world.chat, self.room, self.people);
        let (Move::Join(by)
        | Move::Leave(by)
        | Move::Invite { by, .. }
        | Move::Remove { by, .. }
        | Move::Ban { by, .. }
        | Move::Role { by, .. }
        | Move::Activate { who: by, .. }) = one;
        if !self.active[*by] && !matches!(one, Move::Activate { .. }) {
            return Ok(());
        }
        let actor = &people[*by];
        let change = async |who: usize, patch: MemberPatch| {
            chat.change_member(actor, room, people[who].id, patch).await.map(drop)
        };
        let result = match one {
            Move::Join(_) => chat.join(actor, room).await,
            Move::Leave(_) => chat.leave(actor, room).await,
            Move::Invite { who, .. } => chat.invite(actor, room, &people[*who].username).await.map(drop),
            Move::Remove { who, .. } => chat.remove_member(actor, room, people[*who].id).await,
            Move::Ban { who, is_banned, .. } => change(*who, banned(*is_banned)).await,
            Move::Role { who, role: name, .. } => change(*who, role(name)).await,
            Move::Activate { who, is_active } => {
                let done = chat.set_active(&actor.username, *is_active).await.map(drop);
                active.lock().expect("no panic")[*who] = *is_active;
                done
            }
        };
        match result {
            Ok(()) => Ok(()),
            // Most moves are not allowed most of the time.
            Err(error) if ![Code::Internal, Code::Unavailable].contains(&error.code()) => Ok(()),
            Err(error) => Err(format!("{one:?}: {error}")),
        }
    }

    /// The members, as anyone who may see them does; empty if nobody may.
    async fn members(&self) -> Vec<Member> {
        for viewer in self.people {
            if let Ok(members) = self.world.chat.members(viewer, self.room).await {
                return members;
            }
        }
        Vec::new()
    }

    async fn check(&self) -> Result<(), String> {
        let members = self.members().await;
        let is_active = |user: &User| {
            self.people.iter().zip(self.active).any(|(person, is_active)| person == user && is_active)
        };
        let mut able =
            members.iter().filter(|member| !member.is_banned && is_active(&member.user)).peekable();
        if able.peek().is_none() || able.any(|member| member.role == Role::Admin) {
            return Ok(());
        }
        let roles = members.iter().map(|member| (&member.user.username, member.role, member.is_banned));
        Err(format!("nobody governs: {:?}, active: {:?}", roles.collect::<Vec<_>>(), self.active))
    }

    /// Deletes the room, so that later changes of accounts do not concern it.
    async fn end(&self) {
        for person in self.people {
            self.world.chat.set_active(&person.username, true).await.expect("activated");
        }
        for person in self.people {
            drop(self.world.chat.delete_room(person, self.room).await);
        }
    }
}

async fn play(world: &World, people: &[User], kind: &str, history: &[Vec<Move>]) -> Result<(), String> {
    let room = world.chat.create_room(&people[0], new_room(kind)).await.expect("made").id;
    let mut stage = Stage { world, people, active: [true; PEOPLE], room };
    let mut outcome = Ok(());
    for step in history {
        outcome = stage.play(step).await;
        if outcome.is_ok() {
            outcome = stage.check().await.map_err(|error| format!("after {step:?}: {error}"));
        }
        if outcome.is_err() {
            break;
        }
    }
    stage.end().await;
    outcome
}

fn hold(world: impl Future<Output = World>) {
    let runtime = Runtime::new().expect("a runtime");
    let (world, people) = runtime.block_on(async {
        let world = world.await;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            people.push(world.person(&format!("person{number}")).await);
        }
        (world, people)
    });
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let histories = (prop::sample::select(vec!["public", "private"]), vec(vec(one(), 1..4), 1..20));
    let outcome = TestRunner::new(config).run(&histories, |(kind, history)| {
        let played =
            runtime.block_on(async { timeout(TIMEOUT, play(&world, &people, kind, &history)).await });
        played.unwrap_or_else(|_| Err("too slow".into())).map_err(TestCaseError::fail)
    });
    runtime.block_on(world.chat.stop());
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn every_room_with_an_able_member_has_an_admin_on_sqlite() {
    hold(World::sqlite());
}

#[test]
fn every_room_with_an_able_member_has_an_admin_on_mariadb() {
    hold(World::mariadb());
}
