//! A COMMIT whose reply is lost: the rows of the batch are looked up before any sender gets a result.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chat::model::{Code, User};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{World, draft};

/// The statement in MySQL's protocol: the command 'query', and its text.
const COMMIT: &[u8] = b"\x03COMMIT";

/// When the connection breaks, once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Break {
    /// Before the COMMIT arrives.
    Before,
    /// After the COMMIT, before its reply arrives.
    After,
}

/// A proxy to the database that breaks the connection at the first COMMIT after it was armed.
struct Way {
    url: String,
    is_armed: Arc<AtomicBool>,
}

impl Way {
    async fn to(url: &str, at: Break) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (before, after) = url.split_once('@').expect("a user");
        let (server, database) = after.split_once('/').expect("a database");
        let way = Self { url: format!("{before}@{address}/{database}"), is_armed: Arc::default() };
        let (server, is_armed) = (server.to_owned(), Arc::clone(&way.is_armed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server");
                tokio::spawn(pass(client, server, at, Arc::clone(&is_armed)));
            }
        });
        way
    }
}

/// Forwards in both directions until either end closes or the connection is broken.
async fn pass(mut client: TcpStream, mut server: TcpStream, at: Break, is_armed: Arc<AtomicBool>) {
    let (mut up, mut down) = ([0; 8_192], [0; 8_192]);
    loop {
        tokio::select! {
            count = client.read(&mut up) => match count {
                Ok(count @ 1..) => {
                    let said = &up[..count];
                    let breaks = said.ends_with(COMMIT) && is_armed.swap(false, Ordering::SeqCst);
                    if breaks && at == Break::Before {
                        return;
                    }
                    if server.write_all(said).await.is_err() {
                        return;
                    }
                    if breaks {
                        // The reply confirms the commit; it is not forwarded.
                        let _ = server.read(&mut down).await;
                        return;
                    }
                }
                _ => return,
            },
            count = server.read(&mut down) => match count {
                Ok(count @ 1..) if client.write_all(&down[..count]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}

/// Sends a message through the proxy, which breaks the connection; returns the result and the stored texts.
async fn sent(at: Break) -> (Result<bool, Code>, Vec<String>) {
    let world = World::mariadb().await;
    let amy: User = world.person("amy").await;
    let room = world.room(&amy).await.id;
    let way = Way::to(&world.url, at).await;
    let chat = world.with_database_url(&way.url).await;
    chat.send(&amy, room, draft("before")).await.expect("stored");
    way.is_armed.store(true, Ordering::SeqCst);
    let answer = chat.send(&amy, room, draft("lost?")).await;
    assert!(!way.is_armed.load(Ordering::SeqCst), "the connection broke");
    let answer = answer.map(|stored| stored.is_new).map_err(|error| error.code());
    chat.send(&amy, room, draft("after")).await.expect("stored");
    (answer, world.texts(&amy, room).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completed_commit_is_acknowledged_if_its_reply_is_lost() {
    let (answer, texts) = sent(Break::After).await;
    assert_eq!(answer, Ok(true));
    assert_eq!(texts, ["before", "lost?", "after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_that_never_arrived_is_reported_as_unavailable() {
    let (answer, texts) = sent(Break::Before).await;
    assert_eq!(answer, Err(Code::Unavailable));
    assert_eq!(texts, ["before", "after"]);
}
