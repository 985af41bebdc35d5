//! One of three nodes freezes or dies, or Redis goes down.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Nodes, Person, Plan, Server, Socket, Traffic, redis::Redis, topology::three_nodes_on};

/// Limits the traffic, so that a frozen node misses less than the thousand changes of a backfill, however fast the
/// machine is.
const PAUSE: Duration = Duration::from_millis(100);

/// A system of three nodes with traffic on all of them, and one more user on each.
struct Scene {
    system: Server,
    nodes: Nodes,
    traffic: Traffic,
    people: Vec<Person>,
}

impl Scene {
    async fn start(database: &'static str, redis: &Redis) -> Self {
        let system = three_nodes_on(database, &redis.url()).await;
        let nodes = Nodes::default();
        nodes.set(system.nodes());
        let traffic = Traffic::start(&system, &nodes, Plan { pause: PAUSE, ..Plan::default() }).await;
        let mut people = Vec::new();
        for name in ["amy", "bob", "cid"] {
            let person = system.person(name).await;
            person.joins(traffic.room()).await;
            people.push(person);
        }
        Self { system, nodes, traffic, people }
    }

    /// A socket of this user on this node.
    async fn socket(&self, person: usize, node: usize) -> Socket {
        let (person, room) = (&self.people[person], self.traffic.room());
        Server::at(&self.system.nodes()[node].base, self.system.data()).socket(person, room).await
    }
}

async fn redis() -> Redis {
    tokio::task::spawn_blocking(Redis::start).await.expect("Redis starts")
}

/// The next join or leave of this user; true for a join. Other frames are skipped.
async fn next_move(socket: &mut Socket, person: &Person) -> bool {
    loop {
        let frame = socket.next().await;
        let is_move = frame["type"] == "user_join" || frame["type"] == "user_leave";
        if is_move && frame["user"]["id"] == json!(person.id) {
            return frame["type"] == "user_join";
        }
    }
}

/// Reads until the message with this text. Every change in between must arrive once and in order.
async fn up_to(socket: &mut Socket, text: &str) {
    let mut last: Option<i64> = None;
    loop {
        let frame: Value = socket.next().await;
        if let Some(rev) = frame["rev"].as_i64() {
            assert!(last.is_none_or(|last| rev == last + 1), "{rev} after {last:?}");
            last = Some(rev);
        }
        if frame["message"]["content"] == text {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_and_restarted_redis_loses_nothing() {
    let mut redis = redis().await;
    let scene = Scene::start("redis_killed", &redis).await;
    for _ in 0..2 {
        scene.traffic.flows(60).await;
        redis.kill();
        // Messages are still delivered without Redis.
        scene.traffic.flows(60).await;
        redis.restart();
        scene.system.until_ready().await;
    }
    scene.traffic.flows(60).await;
    let refused = scene.traffic.finish().await;
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_and_resumed_node_misses_nothing_and_restores_presence() {
    let redis = redis().await;
    let scene = Scene::start("frozen", &redis).await;
    let mut amys = scene.socket(0, 0).await;
    let mut cids = scene.socket(2, 2).await;
    assert!(next_move(&mut amys, &scene.people[2]).await, "Cid came");
    scene.traffic.flows(30).await;
    scene.system.nodes()[2].signal("STOP");
    // As a load balancer with health checks does.
    scene.nodes.set(scene.system.nodes()[..2].iter().copied());
    // The other nodes treat it as dead and continue.
    assert!(!next_move(&mut amys, &scene.people[2]).await, "Cid went");
    scene.traffic.flows(60).await;
    scene.system.nodes()[2].signal("CONT");
    scene.nodes.set(scene.system.nodes());
    assert!(next_move(&mut amys, &scene.people[2]).await, "and came back");
    scene.traffic.flows(60).await;
    scene.people[0].says(scene.traffic.room(), "to the thawed").await;
    up_to(&mut cids, "to the thawed").await;
    scene.traffic.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_a_killed_node_leave_once_unless_they_are_on_another() {
    let redis = redis().await;
    let scene = Scene::start("killed", &redis).await;
    let (bob, cid) = (&scene.people[1], &scene.people[2]);
    let mut amys = scene.socket(0, 0).await;
    let _bobs = [scene.socket(1, 1).await, scene.socket(1, 2).await];
    let _cids = scene.socket(2, 2).await;
    for person in [bob, cid] {
        assert!(next_move(&mut amys, person).await, "{} came", person.username);
    }
    scene.traffic.flows(30).await;
    scene.system.nodes()[2].signal("KILL");
    scene.nodes.set(scene.system.nodes()[..2].iter().copied());
    scene.traffic.flows(60).await;
    let mut moves = Vec::new();
    loop {
        let frame = amys.next().await;
        let is_move = frame["type"] == "user_join" || frame["type"] == "user_leave";
        if is_move && [bob.id, cid.id].iter().any(|id| frame["user"]["id"] == json!(id)) {
            moves.push(frame["user"]["id"].clone());
            // Ends with the first frame after cid left.
            Server::at(&scene.system.nodes()[1].base, scene.system.data())
                .anyone()
                .with_token(&bob.access)
                .post(
                    &format!("/api/chat/rooms/{}/messages/", scene.traffic.room()),
                    &json!({"content": "still here"}),
                )
                .await
                .expect(201);
        }
        if frame["message"]["content"] == "still here" {
            break;
        }
    }
    assert_eq!(moves, [json!(cid.id)], "Bob has not moved");
    scene.traffic.finish().await;
}
