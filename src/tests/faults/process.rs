//! The server is killed, or stopped by a signal.

use crate::support::{Nodes, Plan, Server, Traffic, rounds};

/// Without rate limits.
const FLAGS: &[&str] = &["--writes-per-second=0", "--signin-failures-per-address=0"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_in_mid_traffic_loses_nothing() {
    let (nodes, mut server) = (Nodes::default(), Server::start(FLAGS));
    nodes.set([&server]);
    let traffic = Traffic::start(&server, &nodes, Plan::default()).await;
    for round in 0..rounds(8) {
        // At a different moment each time, also during the first message after the start.
        traffic.flows(1 + round % 5 * 7).await;
        server = server.kill_and_restart();
        nodes.set([&server]);
    }
    traffic.flows(20).await;
    let refused = traffic.finish().await;
    // A killed server sends no errors.
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_in_mid_traffic_loses_nothing() {
    let (nodes, mut server) = (Nodes::default(), Server::start(FLAGS));
    nodes.set([&server]);
    let traffic = Traffic::start(&server, &nodes, Plan::default()).await;
    for _ in 0..rounds(3) {
        traffic.flows(30).await;
        server = server.stop_and_restart().await;
        nodes.set([&server]);
    }
    traffic.flows(20).await;
    let refused = traffic.finish().await;
    assert!(refused.keys().all(|code| code == "unavailable"), "{refused:?}");
}
