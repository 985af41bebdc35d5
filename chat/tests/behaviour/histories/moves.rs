//! The events of a history, and how they are generated.

use proptest::{array::uniform, collection::vec, prelude::*};

use super::system::PEOPLE;

/// The person of each client: one has two devices.
pub const CLIENTS: [usize; 5] = [0, 1, 1, 2, 3];
/// Most microseconds that a clock is stepped by, in either direction: longer than anything is kept.
const CLOCK_STEP: i64 = 40 * 24 * 3_600 * 1_000_000;
/// A step as time synchronisation makes one.
const SMALL_CLOCK_STEP: i64 = 2_000_000;

/// How a client of a room reconnects.
#[derive(Clone, Copy, Debug)]
pub enum Return {
    /// With no state: it reads everything.
    Fresh,
    /// With the last change it has.
    AfterRev,
    /// With the last message it has.
    AfterId,
}

/// How a notification socket reconnects.
#[derive(Clone, Copy, Debug)]
pub enum Resume {
    /// With no state.
    Fresh,
    /// With the last change it has.
    AfterRev,
}

/// One event in the room. Numbers select people and messages.
#[derive(Clone, Debug)]
pub enum Move {
    Send {
        who: usize,
        client_id: Option<u8>,
        mentioned: Option<usize>,
    },
    Edit {
        who: usize,
        which: usize,
        mentioned: Option<usize>,
    },
    Delete {
        who: usize,
        which: usize,
    },
    Read {
        who: usize,
        which: usize,
    },
    ReadAll(usize),
    Join(usize),
    Leave(usize),
    Invite {
        by: usize,
        who: usize,
    },
    Remove {
        by: usize,
        who: usize,
    },
    Ban {
        by: usize,
        who: usize,
        is_banned: bool,
    },
    Mute {
        by: usize,
        who: usize,
        is_muted: bool,
    },
    SetRole {
        by: usize,
        who: usize,
        role: &'static str,
    },
    RenamePerson {
        who: usize,
        name: u8,
    },
    EditRoom {
        by: usize,
        name: u8,
    },
    StepClock(i64),
    /// So many messages that who missed them gets `resync`.
    Flood,
    /// So long messages that who missed them gets `resync`.
    LongFlood,
}

/// One event of a client.
#[derive(Clone, Debug)]
pub enum ClientMove {
    Connect { client: usize, how: Return, is_compared: bool },
    Disconnect(usize),
    Receive { client: usize, frames: usize },
    Follow { who: usize, how: Resume, is_compared: bool },
    Unfollow(usize),
    ReceiveNotifications { who: usize, frames: usize },
}

/// Events that run concurrently, each through the node with its number: those in the room all at once, those of
/// clients one after another.
#[derive(Clone, Debug)]
pub struct Step {
    pub in_room: Vec<(usize, Move)>,
    pub of_clients: Vec<(usize, ClientMove)>,
}

/// What happens to those who are away, beside the moves of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// They are removed from the room, and join it again.
    Rejoined,
    /// Nothing.
    Plain,
    /// They miss too much.
    Flooded,
}

/// At the end of a history: everybody disconnects, something happens, and everybody returns and is compared.
#[derive(Clone, Debug)]
pub struct Round {
    pub away: Vec<(usize, Move)>,
    pub clients: [(usize, Return); CLIENTS.len()],
    pub followers: [(usize, Resume); PEOPLE],
}

#[derive(Clone, Debug)]
pub struct History {
    /// They run one after another.
    pub steps: Vec<Step>,
    /// One for each [`Absence`].
    pub rounds: [Round; 3],
}

impl Move {
    /// The person whose standing in the room this changes.
    pub fn target(&self) -> Option<usize> {
        match self {
            Self::Join(who)
            | Self::Leave(who)
            | Self::Invite { who, .. }
            | Self::Remove { who, .. }
            | Self::Ban { who, .. }
            | Self::Mute { who, .. }
            | Self::SetRole { who, .. } => Some(*who),
            _ => None,
        }
    }
}

pub fn history() -> impl Strategy<Value = History> {
    (vec(step(), 1..20), uniform(round())).prop_map(|(steps, rounds)| History { steps, rounds })
}

fn step() -> impl Strategy<Value = Step> {
    (vec(placed(in_room()), 0..4), vec(placed(of_client()), 0..3))
        .prop_map(|(in_room, of_clients)| Step { in_room, of_clients })
}

fn round() -> impl Strategy<Value = Round> {
    (vec(placed(in_room()), 0..5), uniform(placed(a_return())), uniform(placed(resume())))
        .prop_map(|(away, clients, followers)| Round { away, clients, followers })
}

/// With the number of the node that it runs on.
fn placed<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = (usize, T)> {
    (0..2_usize, of)
}

fn in_room() -> impl Strategy<Value = Move> {
    let (who, other, which) = (0..PEOPLE, 1..PEOPLE, 0..1_000_usize);
    let client_id = prop::option::weighted(0.3, 0..4_u8);
    let mentioned = prop::option::weighted(0.3, 0..PEOPLE);
    // Most moderation is by the creator: others are often not allowed to.
    let by = prop_oneof![2 => Just(0), 1 => 0..PEOPLE];
    let both = (by.clone(), other.clone());
    let roles = prop::sample::select(vec!["admin", "moderator", "member"]);
    prop_oneof![
        12 => (who.clone(), client_id, mentioned.clone())
            .prop_map(|(who, client_id, mentioned)| Move::Send { who, client_id, mentioned }),
        5 => (who.clone(), which.clone(), mentioned)
            .prop_map(|(who, which, mentioned)| Move::Edit { who, which, mentioned }),
        3 => (who.clone(), which.clone()).prop_map(|(who, which)| Move::Delete { who, which }),
        3 => (who.clone(), which).prop_map(|(who, which)| Move::Read { who, which }),
        1 => who.clone().prop_map(Move::ReadAll),
        4 => other.clone().prop_map(Move::Join),
        1 => other.prop_map(Move::Leave),
        1 => both.clone().prop_map(|(by, who)| Move::Invite { by, who }),
        1 => both.clone().prop_map(|(by, who)| Move::Remove { by, who }),
        3 => (both.clone(), prop::bool::weighted(0.4))
            .prop_map(|((by, who), is_banned)| Move::Ban { by, who, is_banned }),
        3 => (both.clone(), any::<bool>()).prop_map(|((by, who), is_muted)| Move::Mute { by, who, is_muted }),
        2 => (both, roles).prop_map(|((by, who), role)| Move::SetRole { by, who, role }),
        1 => (who, 0..3_u8).prop_map(|(who, name)| Move::RenamePerson { who, name }),
        2 => (by, 0..3_u8).prop_map(|(by, name)| Move::EditRoom { by, name }),
        2 => prop_oneof![-SMALL_CLOCK_STEP..=SMALL_CLOCK_STEP, -CLOCK_STEP..=CLOCK_STEP]
            .prop_map(Move::StepClock),
        // Slow, so rare.
        1 => prop_oneof![1 => Just(Move::Flood), 2 => Just(Move::LongFlood), 16 => Just(Move::Join(1))],
    ]
}

fn of_client() -> impl Strategy<Value = ClientMove> {
    let (client, who) = (0..CLIENTS.len(), 0..PEOPLE);
    prop_oneof![
        7 => (client.clone(), a_return(), any::<bool>())
            .prop_map(|(client, how, is_compared)| ClientMove::Connect { client, how, is_compared }),
        3 => client.clone().prop_map(ClientMove::Disconnect),
        5 => (client, 0..8_usize).prop_map(|(client, frames)| ClientMove::Receive { client, frames }),
        5 => (who.clone(), resume(), any::<bool>())
            .prop_map(|(who, how, is_compared)| ClientMove::Follow { who, how, is_compared }),
        2 => who.clone().prop_map(ClientMove::Unfollow),
        3 => (who, 0..8_usize)
            .prop_map(|(who, frames)| ClientMove::ReceiveNotifications { who, frames }),
    ]
}

fn a_return() -> impl Strategy<Value = Return> {
    prop_oneof![1 => Just(Return::Fresh), 3 => Just(Return::AfterRev), 2 => Just(Return::AfterId)]
}

fn resume() -> impl Strategy<Value = Resume> {
    prop_oneof![1 => Just(Resume::Fresh), 2 => Just(Resume::AfterRev)]
}
