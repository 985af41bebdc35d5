//! Presence on one node and across nodes. Messages may be lost or delayed; all nodes converge to the actual state.

use std::collections::{BTreeSet, VecDeque};

use super::*;

fn person(id: i64) -> UserRef {
    UserRef { id: UserId(id), username: format!("user{id}") }
}

fn node(id: u64) -> Presence {
    Presence::new(NodeId(id), 1)
}

impl Presence {
    /// Adds a socket and announces it at once.
    fn arrive(&mut self, user: &UserRef) -> PresenceUpdate {
        self.add_socket(user);
        self.announce_change(user.id)
    }

    /// Removes a socket and announces it at once.
    fn depart(&mut self, user: &UserRef) -> PresenceUpdate {
        self.remove_socket(user.id);
        self.announce_change(user.id)
    }
}

#[test]
fn user_on_two_nodes_joins_once_and_leaves_once() {
    let (mut one, mut two) = (node(1), node(2));
    let came = one.arrive(&person(7));
    assert_eq!(came.changes, [PresenceChange::Joined(person(7))]);
    let update = two.on_signal(NodeId(1), came.reply.expect("a message"));
    assert_eq!(
        update,
        PresenceUpdate { changes: vec![PresenceChange::Joined(person(7))], ..PresenceUpdate::default() }
    );
    let also = two.arrive(&person(7));
    assert_eq!(also.changes, []);
    assert_eq!(one.on_signal(NodeId(2), also.reply.expect("a message")), PresenceUpdate::default());
    let went = one.depart(&person(7));
    assert_eq!(went.changes, []);
    assert_eq!(two.on_signal(NodeId(1), went.reply.expect("a message")), PresenceUpdate::default());
    let last = two.depart(&person(7));
    assert_eq!(last.changes, [PresenceChange::Left(person(7))]);
    assert_eq!(
        one.on_signal(NodeId(2), last.reply.expect("a message")).changes,
        [PresenceChange::Left(person(7))]
    );
}

#[test]
fn users_present_before_a_node_joined_are_not_announced_on_it() {
    let (mut one, mut two) = (node(1), node(2));
    one.arrive(&person(7));
    let reply =
        one.on_signal(NodeId(2), NodeSignal::RosterRequest { is_newcomer: true }).reply.expect("a message");
    // A user joins while the reply is in flight.
    let came = one.arrive(&person(8)).reply.expect("a message");
    let early = two.on_signal(NodeId(1), came);
    assert_eq!(early.changes, [PresenceChange::Joined(person(8))]);
    assert_eq!(
        early.reply,
        Some(NodeSignal::RosterRequest { is_newcomer: false }),
        "it is not a newcomer any more"
    );
    assert_eq!(
        two.on_signal(NodeId(1), reply),
        PresenceUpdate::default(),
        "outdated; a new one was requested"
    );
    let again = one.on_signal(NodeId(2), early.reply.expect("a request")).reply.expect("a message");
    assert_eq!(two.on_signal(NodeId(1), again).changes, [PresenceChange::Joined(person(7))]);

    let mut three = node(3);
    let reply =
        one.on_signal(NodeId(3), NodeSignal::RosterRequest { is_newcomer: true }).reply.expect("a message");
    let mut update = three.on_signal(NodeId(1), reply);
    update.found.sort_by_key(|user| user.id);
    assert_eq!(update, PresenceUpdate { found: vec![person(7), person(8)], ..PresenceUpdate::default() });
    let went = one.depart(&person(7)).reply.expect("a message");
    assert_eq!(
        three.on_signal(NodeId(1), went).changes,
        [PresenceChange::Left(person(7))],
        "the node knew the user"
    );
}

#[test]
fn users_of_a_dead_node_leave_unless_present_elsewhere() {
    let mut one = node(1);
    for (sender, users) in [(2, &[7, 8][..]), (3, &[8])] {
        let users = users.iter().copied().map(person).collect();
        let version = Version { epoch: 1, counter: 9 };
        one.on_roster(NodeId(sender), NodeRoster { version, newcomer: None, users });
    }
    assert_eq!(one.remove_node(NodeId(2)), [PresenceChange::Left(person(7))]);
    assert_eq!(one.remove_node(NodeId(2)), []);
    assert_eq!(one.remove_node(NodeId(3)), [PresenceChange::Left(person(8))]);
}

#[test]
fn silent_node_is_removed_from_the_room_after_some_ticks() {
    let (mut one, mut two) = (node(1), node(2));
    two.on_signal(NodeId(1), one.arrive(&person(7)).reply.expect("a message"));
    for _ in 0..10 {
        assert_eq!(two.end_tick(), []);
        two.on_digest(NodeId(1), Version { epoch: 1, counter: 1 });
    }
    for _ in 0..FORGET_AFTER_TICKS {
        assert_eq!(two.end_tick(), []);
    }
    assert_eq!(two.end_tick(), [PresenceChange::Left(person(7))]);
}

/// Three nodes whose messages are lost, delayed and reordered for a while.
struct Network {
    nodes: Vec<Presence>,
    /// Recipient, sender, message.
    in_flight: VecDeque<(usize, NodeId, NodeSignal)>,
    /// The users announced as present, per node.
    announced: Vec<BTreeSet<UserId>>,
}

impl Network {
    fn apply(&mut self, at: usize, update: PresenceUpdate) {
        for change in update.changes {
            match change {
                PresenceChange::Joined(user) => {
                    assert!(self.announced[at].insert(user.id), "{} joined twice", user.username);
                }
                PresenceChange::Left(user) => {
                    assert!(self.announced[at].remove(&user.id), "{} left twice", user.username);
                }
            }
        }
        if let Some(signal) = update.reply {
            let sender = self.nodes[at].node;
            let others = (0..self.nodes.len()).filter(|other| *other != at);
            self.in_flight.extend(others.map(|other| (other, sender, signal.clone())));
        }
    }

    fn deliver(&mut self, index: usize) {
        let Some((at, sender, signal)) = self.in_flight.remove(index) else { return };
        let update = self.nodes[at].on_signal(sender, signal);
        self.apply(at, update);
    }
}

#[test]
fn nodes_converge_despite_lost_and_late_messages() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    for _ in 0..300 {
        let mut network = Network {
            nodes: (1..=3).map(node).collect(),
            in_flight: VecDeque::new(),
            announced: vec![BTreeSet::new(); 3],
        };
        let mut sockets = Vec::new();
        for _ in 0..60 {
            let at = random(3);
            match random(10) {
                0..4 => {
                    let user = person(i64::try_from(random(4)).unwrap_or_default() + 1);
                    let update = network.nodes[at].arrive(&user);
                    sockets.push((at, user));
                    network.apply(at, update);
                }
                4..7 if !sockets.is_empty() => {
                    let (at, user) = sockets.swap_remove(random(sockets.len()));
                    let update = network.nodes[at].depart(&user);
                    network.apply(at, update);
                }
                7 if !network.in_flight.is_empty() => {
                    let lost = random(network.in_flight.len());
                    network.in_flight.remove(lost);
                }
                8 => {
                    // Taken for dead, as a frozen node is.
                    let other = NodeId(u64::try_from((at + 1) % 3 + 1).unwrap_or_default());
                    let changes = network.nodes[at].remove_node(other);
                    network.apply(at, PresenceUpdate { changes, ..PresenceUpdate::default() });
                }
                _ if !network.in_flight.is_empty() => {
                    let any = random(network.in_flight.len());
                    network.deliver(any);
                }
                _ => {}
            }
        }
        // The network recovers: everything in flight arrives, and a few ticks pass.
        for _ in 0..FORGET_AFTER_TICKS + 3 {
            while !network.in_flight.is_empty() {
                network.deliver(0);
            }
            for at in 0..3 {
                let changes = network.nodes[at].end_tick();
                network.apply(at, PresenceUpdate { changes, ..PresenceUpdate::default() });
                let reply = network.nodes[at].digest();
                network.apply(at, PresenceUpdate { reply, ..PresenceUpdate::default() });
            }
        }
        let there: BTreeSet<UserId> = sockets.iter().map(|(_, user)| user.id).collect();
        for announced in &network.announced {
            assert_eq!(*announced, there);
        }
    }
}

#[test]
fn change_undone_before_its_announcement_is_not_announced() {
    let mut one = node(1);
    let user = person(7);
    assert!(one.add_socket(&user) && !one.remove_socket(user.id));
    assert_eq!(one.announce_change(user.id), PresenceUpdate::default());
    assert!(one.add_socket(&user));
    assert_eq!(one.announce_change(user.id).changes, [PresenceChange::Joined(user.clone())]);
    assert!(one.remove_socket(user.id) && !one.add_socket(&user));
    assert_eq!(one.announce_change(user.id), PresenceUpdate::default());
    assert!(one.is_present(user.id));
    assert!(one.remove_socket(user.id));
    assert!(one.is_present(user.id), "left, and not announced yet");
    assert_eq!(one.announce_change(user.id).changes, [PresenceChange::Left(user)]);
    assert!(one.local.is_empty());
}
