//! Thousands of clients reconnect at once.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use serde_json::json;

use crate::support::{SEED_SECRET, Server, Socket, seed_rooms};

const ROOMS: usize = 100;
const MEMBERS: usize = 50;
/// How long the last client may wait for its handshake, with a build running on the same two cores.
const TIMEOUT: Duration = Duration::from_mins(5);
/// The pause before a retry.
const PAUSE: Duration = Duration::from_millis(500);
/// Concurrent upgrades in the initial connect.
const AT_ONCE: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_sockets_resume_after_a_restart_without_loss() {
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("the limit is told");
    assert!(files > 6_000, "the system allows {files} open files; this test needs 6,000");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rooms = Arc::new(seed_rooms(folder.path(), ROOMS, MEMBERS).await);
    let secret = format!("--secret-key={SEED_SECRET}");
    // The first sockets are not read until the last one is open, so they answer no pings.
    let flags = ["--writes-per-second=0", "--ping-interval=1h", &secret];
    let server = Arc::new(Server::start_on(folder.path(), &flags));

    let places: Vec<(usize, usize)> =
        (0..ROOMS).flat_map(|room| (0..MEMBERS).map(move |member| (room, member))).collect();
    let mut open = Vec::new();
    for some in places.chunks(AT_ONCE) {
        let opening = some.iter().map(|&(room, member)| {
            let path = format!("/ws/chat/{}/?token={}", rooms[room].room, rooms[room].tokens[member]);
            Socket::open(server.upgrade(&path))
        });
        let opened = join_all(opening).await.into_iter();
        open.extend(opened.map(|socket| socket.expect("open").with_timeout(TIMEOUT)));
    }
    let say = async |server: &Server, number: i64| {
        let anyone = server.anyone();
        for place in rooms.iter() {
            let sender = anyone.with_token(&place.tokens[0]);
            let draft = json!({"content": format!("message {number}"), "client_id": number.to_string()});
            let path = format!("/api/chat/rooms/{}/messages/", place.room);
            // Under this load the server may respond that the database is unavailable.
            while !sender.post(&path, &draft).await.status.is_success() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    say(&server, 1).await;
    for socket in &mut open {
        assert_eq!(socket.next_of("chat_message").await["rev"], 1);
    }

    let server = Arc::new(Arc::into_inner(server).expect("ours alone").kill_and_restart());
    drop(open);
    say(&server, 2).await;
    say(&server, 3).await;
    let returning = places.iter().map(|&(room, member)| {
        let (rooms, server) = (Arc::clone(&rooms), Arc::clone(&server));
        tokio::spawn(async move {
            let place = &rooms[room];
            let mut rev = 1;
            'connection: loop {
                let path = format!("/ws/chat/{}/?token={}&after_rev={rev}", place.room, place.tokens[member]);
                let socket = Socket::open(server.upgrade(&path)).await.expect("open");
                let mut socket = socket.with_timeout(TIMEOUT);
                loop {
                    let frame = socket.next().await;
                    if frame["type"] == "error" {
                        // A client that the database cannot serve in time is asked to reconnect, and does.
                        assert_eq!(frame["code"], "unavailable", "{frame}");
                        tokio::time::sleep(PAUSE).await;
                        continue 'connection;
                    }
                    if frame["type"] == "chat_message" {
                        rev += 1;
                        let expected = (json!(rev), json!(format!("message {rev}")));
                        assert_eq!((frame["rev"].clone(), frame["message"]["content"].clone()), expected);
                        if rev == 5 {
                            break 'connection socket;
                        }
                    }
                }
            }
        })
    });
    let returning: Vec<_> = returning.collect();
    // While they reconnect.
    say(&server, 4).await;
    say(&server, 5).await;
    for socket in returning {
        socket.await.expect("it came back and heard everything in order");
    }
}
