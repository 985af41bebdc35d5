//! Traffic for the fault tests: senders and listeners that run during a fault, and the check that nothing was lost.
//!
//! Senders by socket give each message a `client_id` and retry until it is acknowledged. Senders by REST never retry,
//! so a message without a response may or may not be stored. Listeners reconnect and resume from the last change they
//! know. [`Traffic::finish`] then checks that each acknowledged message is stored once and in its sender's order, and
//! that each listener received exactly what is stored, without gaps, repeats or reordering.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

mod clients;
mod verify;

use super::{Person, Server};
use verify::{Acknowledged, Received, compare};

/// Longest wait for progress of the traffic, with a build running on the same two cores.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The servers that are running. Clients use them in turn.
#[derive(Clone, Default)]
pub struct Nodes {
    addresses: Arc<Mutex<Vec<String>>>,
    turn: Arc<AtomicUsize>,
}

impl Nodes {
    /// These and no others.
    pub fn set<'a>(&self, servers: impl IntoIterator<Item = &'a Server>) {
        let addresses = servers.into_iter().map(|server| server.address().to_owned()).collect();
        *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// The next one's `127.0.0.1:PORT`.
    fn next(&self) -> Option<String> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        addresses.get(turn % addresses.len().max(1)).cloned()
    }
}

/// How many of whom.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Senders by socket.
    pub by_socket: usize,
    /// Senders by REST.
    pub by_rest: usize,
    /// Who listens and never writes.
    pub listeners: usize,
    /// How long each sender waits before the next message.
    pub pause: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self { by_socket: 3, by_rest: 2, listeners: 3, pause: Duration::ZERO }
    }
}

/// Traffic in one room that continues during faults.
pub struct Traffic {
    reader: Person,
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<Acknowledged>>,
    listeners: Vec<JoinHandle<Vec<Received>>>,
}

/// The number of rejected messages, by code, or by status if a response had none.
pub type Refusals = BTreeMap<String, u64>;

struct Shared {
    room: i64,
    pause: Duration,
    nodes: Nodes,
    acknowledged: AtomicU64,
    /// Senders stop when this is true.
    is_over: watch::Sender<bool>,
    /// The number of messages, after all senders have stopped.
    last: watch::Sender<Option<i64>>,
    refused: Mutex<Refusals>,
    faults: Mutex<Vec<String>>,
}

impl Traffic {
    /// Creates a room with members on `server`, whose clients then use `nodes`.
    pub async fn start(server: &Server, nodes: &Nodes, plan: Plan) -> Self {
        let owner = server.person("owner").await;
        let room = owner.makes_room("public").await;
        let mut tokens = Vec::new();
        for _ in 0..plan.by_socket + plan.by_rest + plan.listeners {
            let person = server.person("worker").await;
            person.joins(room).await;
            tokens.push(person.access);
        }
        let shared = Arc::new(Shared {
            room,
            pause: plan.pause,
            nodes: nodes.clone(),
            acknowledged: AtomicU64::new(0),
            is_over: watch::Sender::new(false),
            last: watch::Sender::new(None),
            refused: Mutex::default(),
            faults: Mutex::default(),
        });
        let (mut senders, mut listeners) = (Vec::new(), Vec::new());
        for (number, token) in tokens.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            if number < plan.by_socket {
                senders.push(tokio::spawn(shared.send_by_socket(format!("socket{number}"), token)));
            } else if number < plan.by_socket + plan.by_rest {
                senders.push(tokio::spawn(shared.send_by_rest(format!("rest{number}"), token)));
            } else {
                listeners.push(tokio::spawn(shared.listen(format!("listener{number}"), token)));
            }
        }
        Self { reader: owner, shared, senders, listeners }
    }

    /// The room's owner, who neither writes nor listens.
    pub fn reader(&self) -> &Person {
        &self.reader
    }

    /// The room.
    pub fn room(&self) -> i64 {
        self.shared.room
    }

    /// Waits until `count` more messages were acknowledged.
    pub async fn flows(&self, count: u64) {
        let goal = self.shared.acknowledged.load(Ordering::Relaxed) + count;
        let deadline = Instant::now() + TIMEOUT;
        while self.shared.acknowledged.load(Ordering::Relaxed) < goal {
            assert!(Instant::now() < deadline, "the traffic stands still: {:?}", self.shared.refused());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until `count` more messages were rejected.
    pub async fn is_refused(&self, count: u64) {
        let refused = || self.shared.refused().values().sum::<u64>();
        let goal = refused() + count;
        let deadline = Instant::now() + TIMEOUT;
        while refused() < goal {
            assert!(Instant::now() < deadline, "nothing is refused");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the senders, waits for the listeners, and compares everything. A server must be running again. Returns the
    /// rejected messages.
    pub async fn finish(self) -> Refusals {
        self.shared.is_over.send_replace(true);
        let mut acknowledged = Vec::new();
        for sender in self.senders {
            let sent = timeout(TIMEOUT, sender).await.expect("the sender comes to its end");
            acknowledged.push(sent.expect("no panic"));
        }
        let stored = read_all(&self.reader, &self.shared).await;
        self.shared.last.send_replace(Some(i64::try_from(stored.len()).expect("a length")));
        let mut faults = compare(&acknowledged, &stored);
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let heard = timeout(TIMEOUT, listener).await.expect("the listener comes to its end");
            if heard.expect("no panic") != stored {
                faults.push(format!("listener {number} heard something else than what is stored"));
            }
        }
        faults.extend(self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
        assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
        self.shared.refused()
    }
}

impl Shared {
    fn fault(&self, fault: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    fn refuse(&self, code: &str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(code.to_owned()).or_default() += 1;
    }

    fn refused(&self) -> Refusals {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_over(&self) -> bool {
        *self.is_over.borrow()
    }
}

/// Everything that is stored in the room, oldest first.
async fn read_all(reader: &Person, shared: &Shared) -> Vec<Received> {
    let mut all: Vec<Received> = Vec::new();
    let address = shared.nodes.next().expect("a server");
    let http = reqwest::Client::new();
    loop {
        let after = all.last().map_or(0, |last| last.id);
        let url = format!(
            "http://{address}/api/chat/rooms/{}/messages/?page_size=100&after_id={after}",
            shared.room
        );
        let answer = http.get(url).bearer_auth(&reader.access).send().await.expect("an answer");
        let page: Value = answer.json().await.expect("JSON");
        all.extend(page["messages"].as_array().expect("messages").iter().map(Received::of));
        if page["has_more"] != true {
            assert_eq!(page["total"], json!(all.len()), "the total is what there is");
            return all;
        }
    }
}
