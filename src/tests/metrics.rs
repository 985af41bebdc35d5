//! `GET /metrics`, and the page that lists the metrics.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Server, Socket};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/METRICS.md");

async fn metrics(server: &Server) -> String {
    reqwest::get(format!("{}/metrics", server.base)).await.expect("answered").text().await.expect("text")
}

/// The value of a series; 0 if it is missing.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[tokio::test]
async fn sockets_and_messages_are_counted() {
    let server = Server::start(&[]);
    let (amy, bob) = (server.person("amy").await, server.person("bob").await);
    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    let (mut amys, mut bobs) = (server.socket(&amy, room).await, server.socket(&bob, room).await);
    let notices = format!("/ws/notifications/?token={}", bob.access);
    let mut notices = Socket::open(server.upgrade(&notices)).await.expect("open");
    notices.next_of("connection_established").await;
    amys.says("one", "c-1").await;
    for socket in [&mut amys, &mut bobs] {
        socket.next_of("chat_message").await;
    }
    notices.next_of("notification").await;
    amys.send_raw("no frame").await;
    amys.next_of("error").await;
    let stranger = Socket::open(server.upgrade(&format!("/ws/chat/{room}/?token=x"))).await.expect("open");
    assert_eq!(stranger.until_closed().await.1, 4401);
    let resumed = format!("/ws/chat/{room}/?after_rev=0&token={}", bob.access);
    let mut resumed = Socket::open(server.upgrade(&resumed)).await.expect("open");
    resumed.next_of("chat_message").await;
    resumed.send(&json!({"type": "ping"})).await;
    resumed.next_of("pong").await;

    let told = metrics(&server).await;
    for (series, expected) in [
        ("liao_sockets{kind=\"room\"}", 3.0),
        ("liao_sockets{kind=\"notifications\"}", 1.0),
        ("liao_rooms_in_use", 1.0),
        ("liao_rooms_followed", 1.0),
        ("liao_messages_stored_total", 1.0),
        // Bob's joining, and the message.
        ("liao_commit_changes_count", 2.0),
        ("liao_commit_changes_sum", 2.0),
        ("liao_commit_duration_seconds_count", 2.0),
        ("liao_writer_waiting", 0.0),
        ("liao_resume_frames_sum", 2.0),
        ("liao_frames_received_total{type=\"chat_message\"}", 1.0),
        ("liao_frames_received_total{type=\"bad\"}", 1.0),
        ("liao_frames_received_total{type=\"ping\"}", 1.0),
        ("liao_socket_closes_total{code=\"4401\"}", 1.0),
        ("liao_socket_closes_total{code=\"4408\"}", 0.0),
    ] {
        assert!((value(&told, series) - expected).abs() < 0.5, "{series} is not {expected}:\n{told}");
    }
    // First frames, the message to three, its echo by resume; presence besides.
    assert!(value(&told, "liao_frames_sent_total") >= 8.0, "{told}");

    drop(resumed);
    for attempt in 0.. {
        let told = metrics(&server).await;
        if value(&told, "liao_sockets{kind=\"room\"}") < 2.5 {
            assert!(value(&told, "liao_socket_closes_total{code=\"peer\"}") > 0.5, "{told}");
            break;
        }
        assert!(attempt < 100, "a socket that closed still counts:\n{told}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn every_metric_is_described_and_listed() {
    let server = Server::on_sqlite().await;
    // So that the metrics of requests and commits exist.
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    amy.says(room, "one").await;
    let told = metrics(server).await;
    let typed = told.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let metrics: BTreeSet<&str> = typed.filter(|name| name.starts_with("liao_")).collect();
    let document = std::fs::read_to_string(DOCUMENT).expect("the page");
    let names = document.lines().filter_map(|line| line.strip_prefix("| `")?.split(['{', '`']).next());
    let listed: BTreeSet<&str> = names.filter(|name| name.starts_with("liao_")).collect();
    assert_eq!(metrics, listed);
    for name in metrics {
        assert!(told.contains(&format!("# HELP {name} ")), "{name} is not described");
    }
}
