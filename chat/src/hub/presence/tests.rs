//! Presence, node by node and as a whole: whatever is lost or late, what each node announced
//! becomes what is.

use std::collections::{BTreeSet, VecDeque};

use super::*;

fn person(id: i64) -> UserRef {
    UserRef { id: UserId(id), username: format!("user{id}") }
}

fn node(id: u64) -> Presence {
    Presence::new(NodeId(id), 1)
}

impl Presence {
    /// One more socket, told of at once.
    fn arrive(&mut self, user: &UserRef) -> Heard {
        self.enter(user);
        self.settle(user.id)
    }

    /// One less.
    fn depart(&mut self, user: &UserRef) -> Heard {
        self.exit(user.id);
        self.settle(user.id)
    }
}

/// Everything that a node can be told, as the hub hands it on.
fn hear(at: &mut Presence, sender: NodeId, signal: Signal) -> Heard {
    match signal {
        Signal::Came { version, user } => at.hear_came(sender, version, user),
        Signal::Went { version, user } => at.hear_went(sender, version, user),
        Signal::Roster(roster) => at.hear_roster(sender, roster),
        Signal::Pulse { version } => at.hear_pulse(sender, version),
        Signal::Ask { is_newcomer } => {
            Heard { moves: Vec::new(), reply: at.roster(is_newcomer.then_some(sender)) }
        }
        other => panic!("no signal of a room's presence: {other:?}"),
    }
}

#[test]
fn somebody_on_two_nodes_comes_once_and_goes_once() {
    let (mut one, mut two) = (node(1), node(2));
    let came = one.arrive(&person(7));
    assert_eq!(came.moves, [Move::Came(person(7))]);
    let heard = hear(&mut two, NodeId(1), came.reply.expect("told"));
    assert_eq!(heard, Heard { moves: vec![Move::Came(person(7))], reply: None });
    let also = two.arrive(&person(7));
    assert_eq!(also.moves, []);
    assert_eq!(hear(&mut one, NodeId(2), also.reply.expect("told")), Heard::default());
    let went = one.depart(&person(7));
    assert_eq!(went.moves, []);
    assert_eq!(hear(&mut two, NodeId(1), went.reply.expect("told")), Heard::default());
    let last = two.depart(&person(7));
    assert_eq!(last.moves, [Move::Went(person(7))]);
    assert_eq!(hear(&mut one, NodeId(2), last.reply.expect("told")).moves, [Move::Went(person(7))]);
}

#[test]
fn those_who_were_there_before_a_node_came_are_not_announced_on_it() {
    let (mut one, mut two) = (node(1), node(2));
    one.arrive(&person(7));
    let answer = hear(&mut one, NodeId(2), Signal::Ask { is_newcomer: true }).reply.expect("told");
    // Somebody comes while the answer is on its way.
    let came = one.arrive(&person(8)).reply.expect("told");
    let early = hear(&mut two, NodeId(1), came);
    assert_eq!(early.moves, [Move::Came(person(8))]);
    assert_eq!(early.reply, Some(Signal::Ask { is_newcomer: false }), "it is not their first");
    assert_eq!(hear(&mut two, NodeId(1), answer), Heard::default(), "overtaken; it was asked for anew");
    let again = hear(&mut one, NodeId(2), early.reply.expect("asked")).reply.expect("told");
    assert_eq!(hear(&mut two, NodeId(1), again).moves, [Move::Came(person(7))]);

    let mut three = node(3);
    let answer = hear(&mut one, NodeId(3), Signal::Ask { is_newcomer: true }).reply.expect("told");
    assert_eq!(hear(&mut three, NodeId(1), answer), Heard::default());
    let went = one.depart(&person(7)).reply.expect("told");
    assert_eq!(hear(&mut three, NodeId(1), went).moves, [Move::Went(person(7))], "known all the same");
}

#[test]
fn a_dead_nodes_people_go_except_those_who_are_elsewhere() {
    let mut one = node(1);
    for (sender, users) in [(2, &[7, 8][..]), (3, &[8])] {
        let users = users.iter().copied().map(person).collect();
        let version = Version { life: 1, change: 9 };
        one.hear_roster(NodeId(sender), Roster { version, newcomer: None, users });
    }
    assert_eq!(one.forget(NodeId(2)), [Move::Went(person(7))]);
    assert_eq!(one.forget(NodeId(2)), []);
    assert_eq!(one.forget(NodeId(3)), [Move::Went(person(8))]);
}

#[test]
fn a_node_that_left_the_room_without_a_word_is_forgotten_after_some_rounds() {
    let (mut one, mut two) = (node(1), node(2));
    hear(&mut two, NodeId(1), one.arrive(&person(7)).reply.expect("told"));
    for _ in 0..10 {
        assert_eq!(two.end_round(), []);
        two.hear_pulse(NodeId(1), Version { life: 1, change: 1 });
    }
    for _ in 0..FORGOTTEN_AFTER {
        assert_eq!(two.end_round(), []);
    }
    assert_eq!(two.end_round(), [Move::Went(person(7))]);
}

/// A system of three nodes whose messages are lost, late and out of order for a while.
struct Weather {
    nodes: Vec<Presence>,
    /// To whom, from whom, what.
    under_way: VecDeque<(usize, NodeId, Signal)>,
    /// What the sockets of each node take the room to be.
    told: Vec<BTreeSet<UserId>>,
}

impl Weather {
    fn apply(&mut self, at: usize, heard: Heard) {
        for moves in heard.moves {
            match moves {
                Move::Came(user) => assert!(self.told[at].insert(user.id), "{} came twice", user.username),
                Move::Went(user) => assert!(self.told[at].remove(&user.id), "{} went twice", user.username),
            }
        }
        if let Some(signal) = heard.reply {
            let sender = self.nodes[at].node;
            let others = (0..self.nodes.len()).filter(|other| *other != at);
            self.under_way.extend(others.map(|other| (other, sender, signal.clone())));
        }
    }

    fn deliver(&mut self, index: usize) {
        let Some((at, sender, signal)) = self.under_way.remove(index) else { return };
        let heard = hear(&mut self.nodes[at], sender, signal);
        self.apply(at, heard);
    }
}

#[test]
fn whatever_is_lost_or_late_each_node_ends_up_with_who_is_there() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    for _ in 0..300 {
        let mut weather = Weather {
            nodes: (1..=3).map(node).collect(),
            under_way: VecDeque::new(),
            told: vec![BTreeSet::new(); 3],
        };
        let mut sockets = Vec::new();
        for _ in 0..60 {
            let at = random(3);
            match random(10) {
                0..4 => {
                    let user = person(i64::try_from(random(4)).unwrap_or_default() + 1);
                    let heard = weather.nodes[at].arrive(&user);
                    sockets.push((at, user));
                    weather.apply(at, heard);
                }
                4..7 if !sockets.is_empty() => {
                    let (at, user) = sockets.swap_remove(random(sockets.len()));
                    let heard = weather.nodes[at].depart(&user);
                    weather.apply(at, heard);
                }
                7 if !weather.under_way.is_empty() => {
                    let lost = random(weather.under_way.len());
                    weather.under_way.remove(lost);
                }
                8 => {
                    // Taken for dead, as a node that stood still is.
                    let other = NodeId(u64::try_from((at + 1) % 3 + 1).unwrap_or_default());
                    let moves = weather.nodes[at].forget(other);
                    weather.apply(at, Heard { moves, reply: None });
                }
                _ if !weather.under_way.is_empty() => {
                    let any = random(weather.under_way.len());
                    weather.deliver(any);
                }
                _ => {}
            }
        }
        // The weather clears: what is under way arrives, and a few rounds go by.
        for _ in 0..FORGOTTEN_AFTER + 3 {
            while !weather.under_way.is_empty() {
                weather.deliver(0);
            }
            for at in 0..3 {
                let moves = weather.nodes[at].end_round();
                weather.apply(at, Heard { moves, reply: None });
                let reply = weather.nodes[at].pulse();
                weather.apply(at, Heard { moves: Vec::new(), reply });
            }
        }
        let there: BTreeSet<UserId> = sockets.iter().map(|(_, user)| user.id).collect();
        for told in &weather.told {
            assert_eq!(*told, there);
        }
    }
}

#[test]
fn what_changes_back_before_it_was_told_is_not_told() {
    let mut one = node(1);
    let user = person(7);
    assert!(one.enter(&user) && !one.exit(user.id));
    assert_eq!(one.settle(user.id), Heard::default());
    assert!(one.enter(&user));
    assert_eq!(one.settle(user.id).moves, [Move::Came(user.clone())]);
    assert!(one.exit(user.id) && !one.enter(&user));
    assert_eq!(one.settle(user.id), Heard::default());
    assert!(one.is_present(user.id));
    assert!(one.exit(user.id));
    assert!(one.is_present(user.id), "gone, and not told yet");
    assert_eq!(one.settle(user.id).moves, [Move::Went(user)]);
    assert!(one.here.is_empty());
}
