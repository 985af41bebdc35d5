//! Several nodes of one system on one database: with Redis, without, and during outages.

use std::time::Duration;

use chat::{
    model::{Code, ServerFrame},
    service::{RoomSession, Unready},
};

use crate::{
    redis::{Cluster, Redis},
    support::{
        both,
        cast::{banned, until_closed},
        nodes::{Nodes, next, open, receiving, sending, until, with_redis},
    },
};

mod notifications;
mod presence;

/// Messages that each node's member sends in a test of order.
const COUNT: usize = 60;

/// Members write on every node at once; every socket on every node must receive every message once, in the order of
/// the database.
async fn check_delivery_to_every_socket(nodes: &Nodes, meanwhile: impl AsyncFnOnce()) {
    let (room, people) = nodes.room().await;
    let mut receivers = Vec::new();
    for (node, user) in nodes.all.iter().zip(&people) {
        for _ in 0..2 {
            receivers.push(receiving(open(node, user, room).await, people.len() * COUNT));
        }
    }
    let senders: Vec<_> =
        nodes.all.iter().zip(&people).map(|(node, user)| sending(node, user, room, COUNT)).collect();
    meanwhile().await;
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.expect("no panic"));
    }
    let mut stored = Vec::new();
    while stored.len() < sent.len() {
        let after = stored.last().map_or(0, |message: &chat::model::Message| message.id.0);
        let query = chat::service::history::HistoryQuery {
            after_id: Some(after),
            page_size: Some(100),
            ..Default::default()
        };
        let page = nodes.world.chat.history(&people[0], room, query).await.expect("readable");
        assert!(!page.messages.is_empty(), "{} of {} are stored", stored.len(), sent.len());
        stored.extend(page.messages);
    }
    let stored: Vec<String> = stored.into_iter().map(|message| message.content).collect();
    for hearer in receivers {
        assert_eq!(hearer.await.expect("no panic").1, stored);
    }
    sent.sort();
    let mut stored = stored;
    stored.sort();
    assert_eq!(stored, sent);
}

/// The text of the next message; other frames are skipped.
async fn next_text(socket: &mut RoomSession) -> String {
    loop {
        if let ServerFrame::ChatMessage { message, .. } = next(socket).await {
            return message.content;
        }
    }
}

async fn closes_with(session: &mut RoomSession) -> Code {
    until_closed(session).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_every_socket_gets_every_message_once_and_in_order() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    check_delivery_to_every_socket(&nodes, async || {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_redis_cluster_every_socket_gets_every_message_once_and_in_order() {
    let redis = Cluster::start();
    let nodes = Nodes::three(&redis.url()).await;
    check_delivery_to_every_socket(&nodes, async || {}).await;
    // One address is enough: the server knows the others.
    let one = redis.url().split(',').next().expect("an address").to_owned();
    let nodes = Nodes::three(&one).await;
    check_delivery_to_every_socket(&nodes, async || {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_every_socket_gets_every_message_once_and_in_order() {
    let nodes = Nodes::three_without_redis().await;
    check_delivery_to_every_socket(&nodes, async || {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_outage_in_mid_traffic_loses_repeats_and_misorders_nothing() {
    let mut redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    check_delivery_to_every_socket(&nodes, async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        redis.kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        redis.restart();
    })
    .await;
    nodes.until_ready().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_start_without_redis_and_connect_when_it_is_up() {
    let mut redis = Redis::start();
    redis.kill();
    let nodes = Nodes::start(with_redis(&redis.url())).await;
    let (room, people) = nodes.room().await;
    let mut socket = open(&nodes.all[1], &people[1], room).await;
    assert!(matches!(nodes.all[0].ready().await, Err(Unready::Redis)));
    nodes.world.say(&people[0], room, "by the database").await;
    assert_eq!(next_text(&mut socket).await, "by the database");
    redis.restart();
    nodes.until_ready().await;
    let mut typist = open(&nodes.all[0], &people[0], room).await;
    typist.announce_typing(true).await;
    let is_typing = async |frame: ServerFrame| matches!(frame, ServerFrame::Typing { user, is_typing: true, .. } if user.id == people[0].id);
    while !is_typing(next(&mut socket).await).await {}
    drop(typist);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_deletions_and_volatile_events_reach_the_other_nodes() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let mut socket = open(&nodes.all[2], &people[2], room).await;
    let message =
        nodes.all[0].send(&people[0], room, crate::support::draft("frist")).await.expect("sent").message;
    nodes.all[0].edit(&people[0], message.id, "first".into()).await.expect("edited");
    nodes.all[1].mark_read(&people[1], message.id).await.expect("read");
    nodes.all[0].delete(&people[0], message.id).await.expect("deleted");
    let mut received = Vec::new();
    while received.len() < 4 {
        received.push(match next(&mut socket).await {
            ServerFrame::ChatMessage { message, rev, .. }
            | ServerFrame::MessageEdited { message, rev, .. } => {
                format!("{rev} {}", message.content)
            }
            ServerFrame::MessageDeleted { rev, .. } => format!("{rev} gone"),
            ServerFrame::MessageRead { user, .. } => format!("read by {}", user.username),
            // Left over from these users' joining.
            ServerFrame::MemberChanged { .. } | ServerFrame::UserJoin { .. } => continue,
            other => panic!("unexpected {other:?}"),
        });
    }
    // A read mark has no defined position among other users' changes.
    received.sort();
    assert_eq!(received, ["3 frist", "4 first", "5 gone", "read by bob"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_of_revoked_members_are_closed_on_every_node() {
    let redis = Redis::start();
    for nodes in [Nodes::three(&redis.url()).await, Nodes::three_without_redis().await] {
        let (room, people) = nodes.room().await;
        let (amy, bob, cid) = (&people[0], &people[1], &people[2]);
        let mut bobs = open(&nodes.all[1], bob, room).await;
        let mut cids = open(&nodes.all[2], cid, room).await;
        let mut amys = open(&nodes.all[2], amy, room).await;
        nodes.all[0].change_member(amy, room, bob.id, banned(true)).await.expect("banned");
        assert_eq!(closes_with(&mut bobs).await, Code::Banned);
        nodes.all[0].remove_member(amy, room, cid.id).await.expect("removed");
        assert_eq!(closes_with(&mut cids).await, Code::NotAMember);
        nodes.world.say(amy, room, "still open").await;
        assert_eq!(next_text(&mut amys).await, "still open");
        nodes.all[0].delete_room(amy, room).await.expect("deleted");
        assert_eq!(closes_with(&mut amys).await, Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_systems_on_one_redis_are_isolated() {
    let redis = Redis::start();
    let (one, other) = (Nodes::three(&redis.url()).await, Nodes::three(&redis.url()).await);
    let (room, people) = one.room().await;
    let (same_number, strangers) = other.room().await;
    assert_eq!(room, same_number, "both databases are new");
    let mut socket = open(&other.all[1], &strangers[1], room).await;
    one.world.say(&people[0], room, "not for you").await;
    other.world.say(&strangers[0], room, "for you").await;
    assert_eq!(next_text(&mut socket).await, "for you");
}

both! {
    async fn account_deactivated_by_another_process_has_its_sockets_closed(world: World) {
        let (amy, bob, cid) =
            (world.person("amy").await, world.person("bob").await, world.person("cid").await);
        let room = world.room(&amy).await.id;
        for user in [&bob, &cid] {
            world.chat.join(user, room).await.expect("joined");
        }
        let mut bobs = open(&world.chat, &bob, room).await;
        let mut amys = open(&world.chat, &amy, room).await;
        let mut cids = open(&world.chat, &cid, room).await;
        // Like the command line does while a server is running.
        let store = chat::store::Store::open_existing(&world.url).await.expect("the store opens");
        let tool = chat::Chat::start(store, chat::Settings::default(), world.clock.clone());
        tool.set_active("bob", false).await.expect("deactivated");
        assert_eq!(closes_with(&mut bobs).await, Code::UserInactive);
        // After reactivation, sockets are not closed for the earlier end.
        world.chat.set_active("bob", true).await.expect("activated");
        let mut again = open(&world.chat, &bob, room).await;
        world.chat.set_active("amy", false).await.expect("deactivated");
        assert_eq!(closes_with(&mut amys).await, Code::UserInactive);
        // Ends are read in order: with this one, all before it were read again if they ever are.
        tool.set_active("cid", false).await.expect("deactivated");
        tool.stop().await;
        assert_eq!(closes_with(&mut cids).await, Code::UserInactive);
        world.say(&bob, room, "still open").await;
        assert_eq!(next_text(&mut again).await, "still open");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_node_publishes_what_it_stored() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let session = open(&nodes.all[0], &people[0], room).await;
    let leaving = nodes.another().await;
    until("ready", async || leaving.ready().await.is_ok()).await;
    let receipts: Vec<_> = (0..20)
        .map(|n| leaving.submit(&people[1], room, crate::support::draft(&n.to_string())).expect("queued"))
        .collect();
    leaving.stop().await;
    for receipt in receipts {
        receipt.await.expect("stored");
    }
    let (_, received) = receiving(session, 20).await.expect("no panic");
    assert_eq!(received, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}
