//! Who is in a room, on this node and on the others.
//!
//! Each node tells the others of the first socket of a user that comes in on it and of the last
//! one that goes out (when it is that user's turn: see `room/turns.rs`), and each announces to its own sockets what that changes for the room as a
//! whole: somebody on two nodes comes once and goes once. What a node tells is numbered, so a
//! lost message shows and the whole list is asked for; from time to time each node tells
//! its number even when nothing happens. Nothing here sends: what is to be told is returned.

use std::collections::HashMap;

use crate::{
    bus::wire::{NodeId, Roster, Signal, Version},
    model::{UserId, UserRef},
};

/// What the sockets here are to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Somebody is here who was not.
    Came(UserRef),
    /// Somebody is nowhere any more.
    Went(UserRef),
}

/// A room's people as this node knows them.
pub(super) struct Presence {
    node: NodeId,
    /// Users who are here by sockets on this node, or of whom the others were told so.
    here: HashMap<UserId, Local>,
    /// The number of the latest change of whom this node told of.
    version: Version,
    elsewhere: HashMap<NodeId, Remote>,
}

/// A user's sockets on this node.
struct Local {
    user: UserRef,
    /// How many count as here.
    present: usize,
    /// Were the others told that this user is here?
    is_told: bool,
}

impl Local {
    fn is_settled(&self) -> bool {
        self.is_told == (self.present > 0)
    }
}

/// Another node's people.
#[derive(Default)]
struct Remote {
    version: Version,
    /// Are these all? False until their list has come, and after a lost message.
    is_whole: bool,
    users: HashMap<UserId, UserRef>,
    /// Has the list been asked for in this round?
    is_asked: bool,
    /// Rounds since the node was last heard of this room.
    silence: u32,
}

impl Remote {
    /// The question for the whole list, if it is needed and was not asked.
    fn ask(&mut self) -> Option<Signal> {
        let must_ask = !self.is_whole && !self.is_asked;
        self.is_asked |= must_ask;
        must_ask.then_some(Signal::Ask { is_newcomer: false })
    }

    /// Takes note of a change's number: `None` when it is an old one. With the first change of
    /// a life, all of it is known, and whoever was there before is not: gives those.
    fn follow(&mut self, version: Version) -> Option<HashMap<UserId, UserRef>> {
        self.silence = 0;
        if version <= self.version {
            return None;
        }
        let is_first = version.change == 1;
        self.is_whole = is_first || (self.is_whole && version.follows(self.version));
        self.version = version;
        Some(if is_first { std::mem::take(&mut self.users) } else { HashMap::new() })
    }
}

/// What came of something that was heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// To announce here, in this order.
    pub(super) moves: Vec<Move>,
    /// To tell the other nodes.
    pub(super) reply: Option<Signal>,
}

/// A node that has not told its number for so many rounds has no socket in the room any more,
/// and its farewell was lost.
const FORGOTTEN_AFTER: u32 = 3;

impl Presence {
    /// Nobody yet. `life` rises with each time that this node comes into use of the room.
    pub(super) fn new(node: NodeId, life: u32) -> Self {
        Self { node, here: HashMap::new(), version: Version { life, change: 0 }, elsewhere: HashMap::new() }
    }

    /// One more socket of `user` counts as here. Is there something to [`Self::settle`]?
    pub(super) fn enter(&mut self, user: &UserRef) -> bool {
        let local = self.local(user);
        local.present += 1;
        !local.is_settled()
    }

    /// One socket of `user` less counts as here. Is there something to [`Self::settle`]?
    pub(super) fn exit(&mut self, user: UserId) -> bool {
        let Some(local) = self.here.get_mut(&user) else { return false };
        local.present = local.present.saturating_sub(1);
        let is_settled = local.is_settled();
        self.forget_unused(user);
        !is_settled
    }

    /// Tells whether `user` is on this node, if that is not what was told last.
    pub(super) fn settle(&mut self, user: UserId) -> Heard {
        let Some(local) = self.here.get_mut(&user).filter(|local| !local.is_settled()) else {
            return Heard::default();
        };
        local.is_told = !local.is_told;
        let (user, is_here) = (local.user.clone(), local.is_told);
        self.forget_unused(user.id);
        self.version.change += 1;
        let version = self.version;
        let is_change = !self.is_elsewhere(user.id);
        let (change, signal) = if is_here {
            (Move::Came(user.clone()), Signal::Came { version, user })
        } else {
            let id = user.id;
            (Move::Went(user), Signal::Went { version, user: id })
        };
        Heard { moves: is_change.then_some(change).into_iter().collect(), reply: Some(signal) }
    }

    fn local(&mut self, user: &UserRef) -> &mut Local {
        let new = || Local { user: user.clone(), present: 0, is_told: false };
        self.here.entry(user.id).or_insert_with(new)
    }

    fn forget_unused(&mut self, user: UserId) {
        let is_unused = |local: &Local| local.present == 0 && !local.is_told;
        if self.here.get(&user).is_some_and(is_unused) {
            self.here.remove(&user);
        }
    }

    /// Those of whom the others were told.
    fn told(&self) -> impl Iterator<Item = &UserRef> {
        self.here.values().filter(|local| local.is_told).map(|local| &local.user)
    }

    /// Everybody on this node, where there has ever been anybody. `newcomer`: whoever asked
    /// because it has only just come into use of the room.
    pub(super) fn roster(&self, newcomer: Option<NodeId>) -> Option<Signal> {
        (self.version.change > 0).then(|| {
            let users = self.told().cloned().collect();
            Signal::Roster(Roster { version: self.version, newcomer, users })
        })
    }

    /// The number of the latest change, for those who may have missed it.
    pub(super) fn pulse(&self) -> Option<Signal> {
        self.told().next().map(|_| Signal::Pulse { version: self.version })
    }

    /// `sender` says that `user` came to it.
    pub(super) fn hear_came(&mut self, sender: NodeId, version: Version, user: UserRef) -> Heard {
        let was_present = self.is_present(user.id);
        let remote = self.elsewhere.entry(sender).or_default();
        let Some(mut over) = remote.follow(version) else { return Heard::default() };
        over.remove(&user.id);
        remote.users.insert(user.id, user.clone());
        let reply = remote.ask();
        let mut moves = self.gone(over);
        if !was_present {
            moves.push(Move::Came(user));
        }
        Heard { moves, reply }
    }

    /// `sender` says that `user` is no longer on it.
    pub(super) fn hear_went(&mut self, sender: NodeId, version: Version, user: UserId) -> Heard {
        let remote = self.elsewhere.entry(sender).or_default();
        let Some(mut over) = remote.follow(version) else { return Heard::default() };
        over.extend(remote.users.remove_entry(&user));
        let reply = remote.ask();
        Heard { moves: self.gone(over), reply }
    }

    /// `sender` says who is on it.
    pub(super) fn hear_roster(&mut self, sender: NodeId, roster: Roster) -> Heard {
        let remote = self.elsewhere.entry(sender).or_default();
        remote.silence = 0;
        if roster.version < remote.version {
            // Overtaken by what was heard since.
            return Heard { moves: Vec::new(), reply: remote.ask() };
        }
        // Those who were here before us did not come now.
        let is_quiet = roster.newcomer == Some(self.node) && !remote.is_whole;
        (remote.version, remote.is_whole, remote.is_asked) = (roster.version, true, false);
        let before = std::mem::take(&mut remote.users);
        let users: HashMap<UserId, UserRef> = roster.users.into_iter().map(|user| (user.id, user)).collect();
        let came = |user: &&UserRef| !before.contains_key(&user.id) && !self.is_present(user.id);
        let mut moves: Vec<Move> = if is_quiet {
            Vec::new()
        } else {
            users.values().filter(came).cloned().map(Move::Came).collect()
        };
        self.elsewhere.entry(sender).or_default().users = users;
        moves.extend(self.gone(before));
        Heard { moves, reply: None }
    }

    /// `sender` tells the number of its latest change.
    pub(super) fn hear_pulse(&mut self, sender: NodeId, version: Version) -> Heard {
        let remote = self.elsewhere.entry(sender).or_default();
        remote.silence = 0;
        remote.is_whole &= remote.version >= version;
        Heard { moves: Vec::new(), reply: remote.ask() }
    }

    /// `node` is gone, and so is everybody who was on it alone.
    pub(super) fn forget(&mut self, node: NodeId) -> Vec<Move> {
        let remote = self.elsewhere.remove(&node).unwrap_or_default();
        self.gone(remote.users)
    }

    /// A round is over: nodes that told nothing of this room for some are forgotten.
    pub(super) fn end_round(&mut self) -> Vec<Move> {
        let mut silent = Vec::new();
        for (node, remote) in &mut self.elsewhere {
            remote.silence += 1;
            remote.is_asked = false;
            if remote.silence > FORGOTTEN_AFTER {
                silent.push(*node);
            }
        }
        silent.into_iter().flat_map(|node| self.forget(node)).collect()
    }

    /// Those of `users` who are nowhere now.
    fn gone(&self, users: HashMap<UserId, UserRef>) -> Vec<Move> {
        users.into_values().filter(|user| !self.is_present(user.id)).map(Move::Went).collect()
    }

    /// Is the user in the room, on any node as far as this one knows? Unlike what was announced, this is so at once.
    pub(super) fn is_here(&self, user: UserId) -> bool {
        self.here.get(&user).is_some_and(|local| local.present > 0) || self.is_elsewhere(user)
    }

    /// Was the user announced to be in the room, on any node as far as this one knows?
    pub(super) fn is_present(&self, user: UserId) -> bool {
        self.here.get(&user).is_some_and(|local| local.is_told) || self.is_elsewhere(user)
    }

    fn is_elsewhere(&self, user: UserId) -> bool {
        self.elsewhere.values().any(|remote| remote.users.contains_key(&user))
    }
}

#[cfg(test)]
mod tests;
