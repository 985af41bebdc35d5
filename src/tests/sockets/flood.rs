//! A flood by one user neither reaches other users nor closes their sockets.

use reqwest::Method;
use serde_json::json;

use crate::support::{Client, Person, Server, Socket, both};

/// The burst that one socket may send.
const FRAMES: usize = 290;
const SOCKETS: usize = 20;

/// Sends a flood of typing and presence frames from twenty sockets of `attacker` while `readers` read. Returns how many
/// frames of each kind each reader got before a message of `friend`.
async fn flood(
    server: &Server,
    attacker: &Person,
    friend: &Person,
    room: i64,
    readers: &mut [Socket],
) -> Vec<[usize; 2]> {
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(server.socket(attacker, room).await);
    }
    let frames = [
        json!({"type": "typing", "is_typing": true}),
        json!({"type": "user_leave"}),
        json!({"type": "typing", "is_typing": false}),
        json!({"type": "user_join"}),
    ];
    let pouring = async {
        let frames = || frames.iter().cycle().take(FRAMES).map(ToString::to_string);
        futures::future::join_all(sockets.into_iter().map(|socket| socket.pour(frames()))).await;
        friend.says(room, "the end").await;
    };
    let reading = futures::future::join_all(readers.iter_mut().map(async |reader| {
        let mut heard = [0, 0];
        loop {
            let frame = reader.next().await;
            match frame["type"].as_str() {
                Some("typing") => heard[0] += 1,
                Some("user_join" | "user_leave") => heard[1] += 1,
                Some("chat_message") => return heard,
                _ => {}
            }
        }
    }));
    tokio::join!(pouring, reading).1
}

both! {
    async fn a_flood_of_typing_neither_reaches_nor_closes_others(server: &Server) {
        let (amy, bob, eve) = (server.person("amy").await, server.person("bob").await, server.person("eve").await);
        let room = amy.makes_room("public").await;
        for who in [&bob, &eve] {
            who.joins(room).await;
        }
        let mut readers = Vec::new();
        for who in [&amy, &bob, &bob] {
            readers.push(server.socket(who, room).await);
        }
        let started = std::time::Instant::now();
        let heard = flood(server, &eve, &amy, room, &mut readers).await;
        let seconds = usize::try_from(started.elapsed().as_secs()).expect("few");
        for [typing, presence] in heard {
            // The first at once, one per second, and one for a late tick.
            assert!(typing <= seconds + 2, "{typing} in {seconds} s");
            assert!(presence <= 2 * (seconds + 2), "{presence} in {seconds} s");
        }

        let muted = amy.client.request(Method::PATCH, &format!("/api/chat/rooms/{room}/members/{}/", eve.id));
        Client::send(muted.json(&json!({"is_muted": true}))).await.expect(200);
        // A frame from before the mute may still be queued.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        amy.says(room, "muted").await;
        for reader in &mut readers {
            while reader.next_of("chat_message").await["message"]["content"] != "muted" {}
        }
        let heard = flood(server, &eve, &amy, room, &mut readers).await;
        assert!(heard.iter().all(|[typing, _]| *typing == 0), "{heard:?}");
    }
}

#[tokio::test]
async fn a_flood_of_pings_closes_the_sending_socket() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let mut socket = server.socket(&amy, room).await;
    for _ in 0..1_000 {
        socket.ping().await;
    }
    assert_eq!(socket.until_closed().await, (Some("throttled".into()), 4429));
    // Also before it has authenticated.
    let mut stranger = Socket::open(server.upgrade(&format!("/ws/chat/{room}/"))).await.expect("open");
    let started = std::time::Instant::now();
    for _ in 0..400 {
        stranger.ping().await;
    }
    assert_eq!(stranger.until_closed().await, (Some("not_authenticated".into()), 4401));
    assert!(started.elapsed().as_secs() < 9, "not for its silence, after ten seconds");
}
