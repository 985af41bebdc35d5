//! Who is present in a room, on this node and on the others.
//!
//! Each node publishes when a user's first socket opens on it and when the last one closes (rate-limited, see
//! `room/signal_limiter.rs`). Each node announces to its own sockets what changes for the room as a whole, so a user
//! with sockets on two nodes joins once and leaves once. A node's changes are numbered, so a lost message is detected
//! and the full roster is requested. A periodic digest carries the number when nothing changes. Nothing here sends:
//! the messages to send are returned.

use std::collections::{HashMap, HashSet};

use crate::{
    bus::wire::{NodeId, NodeRoster, NodeSignal, Version},
    model::{UserId, UserRef},
};

/// A change of the room as a whole, to announce to the sockets of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PresenceChange {
    /// The user was on no node before.
    Joined(UserRef),
    /// The user is on no node any more.
    Left(UserRef),
}

/// Presence in a room as this node knows it.
pub(super) struct Presence {
    node: NodeId,
    /// Users with a socket on this node, or announced as having one.
    local: HashMap<UserId, LocalUser>,
    /// The version after this node's latest announced change.
    version: Version,
    remote: HashMap<NodeId, RemoteNode>,
}

/// A user on this node.
struct LocalUser {
    user: UserRef,
    /// How many sockets count as present.
    present: usize,
    /// Whether the user was last announced as present.
    is_announced: bool,
}

impl LocalUser {
    fn is_up_to_date(&self) -> bool {
        self.is_announced == (self.present > 0)
    }
}

/// The roster of another node.
#[derive(Default)]
struct RemoteNode {
    version: Version,
    /// Whether `users` is complete. False until the roster has arrived, and after a lost message.
    is_complete: bool,
    users: HashMap<UserId, UserRef>,
    /// Whether the roster was requested in this tick.
    is_roster_requested: bool,
    /// Ticks since the node's last message about this room.
    silent_ticks: u32,
}

impl RemoteNode {
    /// The roster request, if a roster is needed and was not requested yet.
    fn request_roster(&mut self) -> Option<NodeSignal> {
        let must_request = !self.is_complete && !self.is_roster_requested;
        self.is_roster_requested |= must_request;
        must_request.then_some(NodeSignal::RosterRequest { is_newcomer: false })
    }

    /// Advances to the version of a received change; `None` if it is outdated. The first change of an epoch means
    /// that the node started with an empty roster: the users known from before are returned.
    fn advance(&mut self, version: Version) -> Option<HashMap<UserId, UserRef>> {
        self.silent_ticks = 0;
        if version <= self.version {
            return None;
        }
        let is_first = version.counter == 1;
        self.is_complete = is_first || (self.is_complete && version.follows(self.version));
        self.version = version;
        Some(if is_first { std::mem::take(&mut self.users) } else { HashMap::new() })
    }
}

/// The result of a message or a local change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PresenceUpdate {
    /// To announce on this node, in this order.
    pub(super) changes: Vec<PresenceChange>,
    /// Users who were present before this node used the room: not announced as joining, but new to who lists the present.
    pub(super) found: Vec<UserRef>,
    /// To publish to the other nodes.
    pub(super) reply: Option<NodeSignal>,
}

/// A node that sent no digest for this many ticks has no socket in the room any more, and its last message was lost.
const FORGET_AFTER_TICKS: u32 = 3;

impl Presence {
    /// An empty room. `epoch` increases each time this node starts using the room.
    pub(super) fn new(node: NodeId, epoch: u32) -> Self {
        Self { node, local: HashMap::new(), version: Version { epoch, counter: 0 }, remote: HashMap::new() }
    }

    /// Adds a present socket of `user`. True if [`Self::announce_change`] has something to announce.
    pub(super) fn add_socket(&mut self, user: &UserRef) -> bool {
        let local = self.local_mut(user);
        local.present += 1;
        !local.is_up_to_date()
    }

    /// Removes a present socket of `user`. True if [`Self::announce_change`] has something to announce.
    pub(super) fn remove_socket(&mut self, user: UserId) -> bool {
        let Some(local) = self.local.get_mut(&user) else { return false };
        local.present = local.present.saturating_sub(1);
        let is_up_to_date = local.is_up_to_date();
        self.remove_if_unused(user);
        !is_up_to_date
    }

    /// Announces whether `user` is on this node, if that differs from the last announcement.
    pub(super) fn announce_change(&mut self, user: UserId) -> PresenceUpdate {
        let Some(local) = self.local.get_mut(&user).filter(|local| !local.is_up_to_date()) else {
            return PresenceUpdate::default();
        };
        local.is_announced = !local.is_announced;
        let (user, is_here) = (local.user.clone(), local.is_announced);
        self.remove_if_unused(user.id);
        self.version.counter += 1;
        let version = self.version;
        let is_change = !self.is_elsewhere(user.id);
        let (change, signal) = if is_here {
            (PresenceChange::Joined(user.clone()), NodeSignal::Joined { version, user })
        } else {
            let id = user.id;
            (PresenceChange::Left(user), NodeSignal::Left { version, user: id })
        };
        let changes = is_change.then_some(change).into_iter().collect();
        PresenceUpdate { changes, reply: Some(signal), ..PresenceUpdate::default() }
    }

    fn local_mut(&mut self, user: &UserRef) -> &mut LocalUser {
        let new = || LocalUser { user: user.clone(), present: 0, is_announced: false };
        self.local.entry(user.id).or_insert_with(new)
    }

    fn remove_if_unused(&mut self, user: UserId) {
        let is_unused = |local: &LocalUser| local.present == 0 && !local.is_announced;
        if self.local.get(&user).is_some_and(is_unused) {
            self.local.remove(&user);
        }
    }

    /// The users announced as present on this node.
    fn announced(&self) -> impl Iterator<Item = &UserRef> {
        self.local.values().filter(|local| local.is_announced).map(|local| &local.user)
    }

    /// The roster of this node; `None` if it never had any user. `newcomer`: the node that requested it, if it has
    /// just started using the room.
    pub(super) fn roster(&self, newcomer: Option<NodeId>) -> Option<NodeSignal> {
        (self.version.counter > 0).then(|| {
            let users = self.announced().cloned().collect();
            NodeSignal::Roster(NodeRoster { version: self.version, newcomer, users })
        })
    }

    /// The digest of this node; `None` if nobody is present.
    pub(super) fn digest(&self) -> Option<NodeSignal> {
        self.announced().next().map(|_| NodeSignal::Digest { version: self.version })
    }

    /// Handles a presence message of another node. Others change nothing.
    pub(super) fn on_signal(&mut self, sender: NodeId, signal: NodeSignal) -> PresenceUpdate {
        match signal {
            NodeSignal::Joined { version, user } => self.on_joined(sender, version, user),
            NodeSignal::Left { version, user } => self.on_left(sender, version, user),
            NodeSignal::Roster(roster) => self.on_roster(sender, roster),
            NodeSignal::Digest { version } => self.on_digest(sender, version),
            NodeSignal::RosterRequest { is_newcomer } => PresenceUpdate {
                reply: self.roster(is_newcomer.then_some(sender)),
                ..PresenceUpdate::default()
            },
            // Not about presence.
            NodeSignal::Read { .. }
            | NodeSignal::Typing { .. }
            | NodeSignal::User { .. }
            | NodeSignal::Renamed { .. }
            | NodeSignal::CredentialEnded
            | NodeSignal::Heartbeat
            | NodeSignal::Bye
            | NodeSignal::Unknown => PresenceUpdate::default(),
        }
    }

    pub(super) fn on_joined(&mut self, sender: NodeId, version: Version, user: UserRef) -> PresenceUpdate {
        let was_present = self.is_present(user.id);
        let remote = self.remote.entry(sender).or_default();
        let Some(mut gone) = remote.advance(version) else { return PresenceUpdate::default() };
        gone.remove(&user.id);
        remote.users.insert(user.id, user.clone());
        let reply = remote.request_roster();
        let mut changes = self.users_gone(gone);
        if !was_present {
            changes.push(PresenceChange::Joined(user));
        }
        PresenceUpdate { changes, reply, ..PresenceUpdate::default() }
    }

    pub(super) fn on_left(&mut self, sender: NodeId, version: Version, user: UserId) -> PresenceUpdate {
        let remote = self.remote.entry(sender).or_default();
        let Some(mut gone) = remote.advance(version) else { return PresenceUpdate::default() };
        gone.extend(remote.users.remove_entry(&user));
        let reply = remote.request_roster();
        PresenceUpdate { changes: self.users_gone(gone), reply, ..PresenceUpdate::default() }
    }

    pub(super) fn on_roster(&mut self, sender: NodeId, roster: NodeRoster) -> PresenceUpdate {
        let remote = self.remote.entry(sender).or_default();
        remote.silent_ticks = 0;
        if roster.version < remote.version {
            // Outdated: a later change was received before it.
            return PresenceUpdate { reply: remote.request_roster(), ..PresenceUpdate::default() };
        }
        // Users who were present before this node used the room are not announced as joining.
        let is_quiet = roster.newcomer == Some(self.node) && !remote.is_complete;
        (remote.version, remote.is_complete, remote.is_roster_requested) = (roster.version, true, false);
        let before = std::mem::take(&mut remote.users);
        let users: HashMap<UserId, UserRef> = roster.users.into_iter().map(|user| (user.id, user)).collect();
        let came = |user: &&UserRef| !before.contains_key(&user.id) && !self.is_present(user.id);
        let came: Vec<UserRef> = users.values().filter(came).cloned().collect();
        let (found, came) = if is_quiet { (came, Vec::new()) } else { (Vec::new(), came) };
        let mut changes: Vec<PresenceChange> = came.into_iter().map(PresenceChange::Joined).collect();
        self.remote.entry(sender).or_default().users = users;
        changes.extend(self.users_gone(before));
        PresenceUpdate { changes, found, reply: None }
    }

    pub(super) fn on_digest(&mut self, sender: NodeId, version: Version) -> PresenceUpdate {
        let remote = self.remote.entry(sender).or_default();
        remote.silent_ticks = 0;
        remote.is_complete &= remote.version >= version;
        PresenceUpdate { reply: remote.request_roster(), ..PresenceUpdate::default() }
    }

    /// Removes `node`. Returns its users who are on no other node, as leaving.
    pub(super) fn remove_node(&mut self, node: NodeId) -> Vec<PresenceChange> {
        let remote = self.remote.remove(&node).unwrap_or_default();
        self.users_gone(remote.users)
    }

    /// Ends a tick: removes the nodes that were silent for too many.
    pub(super) fn end_tick(&mut self) -> Vec<PresenceChange> {
        let mut silent = Vec::new();
        for (node, remote) in &mut self.remote {
            remote.silent_ticks += 1;
            remote.is_roster_requested = false;
            if remote.silent_ticks > FORGET_AFTER_TICKS {
                silent.push(*node);
            }
        }
        silent.into_iter().flat_map(|node| self.remove_node(node)).collect()
    }

    /// Those of `users` who are on no node now, as leaving.
    fn users_gone(&self, users: HashMap<UserId, UserRef>) -> Vec<PresenceChange> {
        users.into_values().filter(|user| !self.is_present(user.id)).map(PresenceChange::Left).collect()
    }

    /// Whether the user is in the room on any known node. Not delayed by the rate limit, unlike [`Self::is_present`].
    pub(super) fn is_here(&self, user: UserId) -> bool {
        self.local.get(&user).is_some_and(|local| local.present > 0) || self.is_elsewhere(user)
    }

    /// The users for whom [`Self::is_here`] holds.
    pub(super) fn here(&self) -> impl Iterator<Item = UserId> {
        let local = self.local.iter().filter(|(_, local)| local.present > 0).map(|(user, _)| *user);
        let elsewhere: HashSet<UserId> =
            self.remote.values().flat_map(|remote| remote.users.keys().copied()).collect();
        let elsewhere =
            elsewhere.into_iter().filter(|user| self.local.get(user).is_none_or(|local| local.present == 0));
        local.chain(elsewhere)
    }

    /// Whether the user is announced as present on any known node.
    pub(super) fn is_present(&self, user: UserId) -> bool {
        self.local.get(&user).is_some_and(|local| local.is_announced) || self.is_elsewhere(user)
    }

    fn is_elsewhere(&self, user: UserId) -> bool {
        self.remote.values().any(|remote| remote.users.contains_key(&user))
    }
}

#[cfg(test)]
mod tests;
