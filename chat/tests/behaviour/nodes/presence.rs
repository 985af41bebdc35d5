//! Presence across nodes.

use chat::{
    model::{ServerFrame, User},
    service::RoomSession,
};

use crate::{
    redis::Redis,
    support::{
        draft,
        nodes::{Nodes, next, open},
    },
};

/// The next presence change: the user, and whether they joined.
async fn next_presence_change(session: &mut RoomSession) -> (User, bool) {
    loop {
        let (user, came) = match next(session).await {
            ServerFrame::UserJoin { user, .. } => (user, true),
            ServerFrame::UserLeave { user, .. } => (user, false),
            _ => continue,
        };
        let user = User {
            id: user.id,
            username: user.username,
            first_name: String::new(),
            last_name: String::new(),
        };
        return (user, came);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_on_two_nodes_joins_once_and_leaves_once() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let (amy, bob, cid) = (&people[0], &people[1], &people[2]);
    let mut amys = open(&nodes.all[0], amy, room).await;
    let first = open(&nodes.all[1], bob, room).await;
    assert_eq!(next_presence_change(&mut amys).await, (bob.clone(), true));
    let second = open(&nodes.all[2], bob, room).await;
    // Messages of one node arrive in order: after this one, his second join has arrived.
    nodes.all[2].send(bob, room, draft("here too")).await.expect("stored");
    while !matches!(next(&mut amys).await, ServerFrame::ChatMessage { .. }) {}
    drop(first);
    // Neither the second join nor the first leave is announced: Cid's join is next.
    let cids = open(&nodes.all[1], cid, room).await;
    assert_eq!(next_presence_change(&mut amys).await, (cid.clone(), true));
    drop(second);
    assert_eq!(next_presence_change(&mut amys).await, (bob.clone(), false));
    drop(cids);
    assert_eq!(next_presence_change(&mut amys).await, (cid.clone(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_present_before_a_nodes_first_socket_are_not_announced_as_joining_but_as_leaving() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let (bob, cid) = (&people[1], &people[2]);
    let mut cids = open(&nodes.all[2], cid, room).await;
    let bobs = open(&nodes.all[1], bob, room).await;
    assert_eq!(next_presence_change(&mut cids).await, (bob.clone(), true));
    let mut amys = open(&nodes.all[0], &people[0], room).await;
    drop(cids);
    assert_eq!(next_presence_change(&mut amys).await, (cid.clone(), false), "the first that she receives");
    drop(bobs);
    assert_eq!(next_presence_change(&mut amys).await, (bob.clone(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_redis_outage_changes_no_presence_and_missed_changes_follow() {
    let mut redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let mut amys = open(&nodes.all[0], &people[0], room).await;
    let _bobs = open(&nodes.all[1], &people[1], room).await;
    assert_eq!(next_presence_change(&mut amys).await, (people[1].clone(), true));
    redis.kill();
    let cids = open(&nodes.all[2], &people[2], room).await;
    redis.restart();
    nodes.until_ready().await;
    assert_eq!(next_presence_change(&mut amys).await, (people[2].clone(), true), "and nothing of Bob");
    drop(cids);
    assert_eq!(next_presence_change(&mut amys).await, (people[2].clone(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_a_stopped_node_leave_at_once() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let mut amys = open(&nodes.all[0], &people[0], room).await;
    let bobs = open(&nodes.all[1], &people[1], room).await;
    assert_eq!(next_presence_change(&mut amys).await, (people[1].clone(), true));
    // The socket's task may end later than the domain.
    nodes.all[1].stop().await;
    assert_eq!(next_presence_change(&mut amys).await, (people[1].clone(), false));
    drop(bobs);
}
