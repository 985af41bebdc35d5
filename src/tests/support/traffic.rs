//! People who write and people who listen while things break, and the proof that nothing was lost.
//!
//! Senders by socket name each message (`client_id`) and send it again until it is acknowledged, as a good client
//! does; senders by REST never repeat one, so what became of an unanswered one is open. Listeners reconnect and
//! resume from the last change they know. [`Traffic::finish`] then compares: what was acknowledged is stored once,
//! in its sender's order, and each listener heard exactly what is stored, without a gap, a repeat or a swap.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{Person, Server};

/// Longest wait for an answer before a client tries another connection, and for silence before a listener does.
const ANSWER: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(5);
/// Pause before a client tries again.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest wait for the traffic to get anywhere, beside a build on two cores.
const PATIENCE: Duration = Duration::from_mins(1);

/// The servers that there are just now; clients take one after another.
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
}

impl Default for Plan {
    fn default() -> Self {
        Self { by_socket: 3, by_rest: 2, listeners: 3 }
    }
}

/// Traffic in one room that goes on whatever happens.
pub struct Traffic {
    reader: Person,
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<Acknowledged>>,
    listeners: Vec<JoinHandle<Vec<Heard>>>,
}

/// How often a message was refused, by code; by status where an answer had none.
pub type Refusals = BTreeMap<String, u64>;

struct Shared {
    room: i64,
    nodes: Nodes,
    acknowledged: AtomicU64,
    /// Senders go on until this is true.
    is_over: watch::Sender<bool>,
    /// The last change of the room, once nobody writes any more.
    last: watch::Sender<Option<i64>>,
    refused: Mutex<Refusals>,
    faults: Mutex<Vec<String>>,
}

/// The texts that a sender got an answer to, in the order of sending.
type Acknowledged = Vec<String>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    id: i64,
    content: String,
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Traffic {
    /// Makes a room on `server` and people in it, who then use `nodes`.
    pub async fn start(server: &Server, nodes: &Nodes, plan: Plan) -> Self {
        let owner = server.person("owner").await;
        let room = owner.makes_room("public").await;
        let shared = Arc::new(Shared {
            room,
            nodes: nodes.clone(),
            acknowledged: AtomicU64::new(0),
            is_over: watch::Sender::new(false),
            last: watch::Sender::new(None),
            refused: Mutex::default(),
            faults: Mutex::default(),
        });
        let (mut senders, mut listeners) = (Vec::new(), Vec::new());
        for number in 0..plan.by_socket + plan.by_rest + plan.listeners {
            let person = server.person("worker").await;
            person.joins(room).await;
            let (shared, token) = (Arc::clone(&shared), person.access);
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

    /// Who owns the room, and neither writes nor listens.
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
        let deadline = Instant::now() + PATIENCE;
        while self.shared.acknowledged.load(Ordering::Relaxed) < goal {
            assert!(Instant::now() < deadline, "the traffic stands still: {:?}", self.shared.refused());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until `count` more messages were refused.
    pub async fn is_refused(&self, count: u64) {
        let refused = || self.shared.refused().values().sum::<u64>();
        let goal = refused() + count;
        let deadline = Instant::now() + PATIENCE;
        while refused() < goal {
            assert!(Instant::now() < deadline, "nothing is refused");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the sending, lets the listeners come to the end, and compares everything. A server must be there again.
    /// Gives what was refused meanwhile.
    pub async fn finish(self) -> Refusals {
        self.shared.is_over.send_replace(true);
        let mut acknowledged = Vec::new();
        for sender in self.senders {
            let sent = timeout(PATIENCE, sender).await.expect("the sender comes to its end");
            acknowledged.push(sent.expect("no panic"));
        }
        let stored = read_all(&self.reader, &self.shared).await;
        self.shared.last.send_replace(Some(i64::try_from(stored.len()).expect("a length")));
        let mut faults = compare(&acknowledged, &stored);
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let heard = timeout(PATIENCE, listener).await.expect("the listener comes to its end");
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

    /// A socket that has been let in.
    async fn connect(&self, token: &str, resume: &str) -> Option<Stream> {
        let address = self.nodes.next()?;
        let url = format!("ws://{address}/ws/chat/{}/?token={token}{resume}", self.room);
        let (mut stream, _) = timeout(ANSWER, connect_async(url)).await.ok()?.ok()?;
        let first = next(&mut stream, ANSWER).await?;
        if first["type"] == "connection_established" {
            return Some(stream);
        }
        self.refuse(first["code"].as_str().unwrap_or_default());
        None
    }

    async fn send_by_socket(self: Arc<Self>, name: String, token: String) -> Acknowledged {
        let mut sent = Vec::new();
        loop {
            let Some(mut stream) = self.connect(&token, "").await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            loop {
                // One that may have been stored is followed up even when the time is over.
                let text = format!("{name}-{}", sent.len());
                match say(&mut stream, &text).await {
                    Said::Acknowledged => {
                        sent.push(text);
                        self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    Said::Refused(code) => {
                        self.refuse(&code);
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Said::Lost => break,
                }
                if self.is_over() {
                    return sent;
                }
            }
        }
    }

    async fn send_by_rest(self: Arc<Self>, name: String, token: String) -> Acknowledged {
        let http = reqwest::Client::builder().timeout(ANSWER).build().expect("a client");
        let mut acknowledged = Vec::new();
        for number in 0.. {
            if self.is_over() {
                break;
            }
            let Some(address) = self.nodes.next() else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let text = format!("{name}-{number}");
            let url = format!("http://{address}/api/chat/rooms/{}/messages/", self.room);
            let request = http.request(Method::POST, url).bearer_auth(&token).json(&json!({"content": text}));
            match request.send().await {
                Ok(answer) if answer.status() == 201 => {
                    acknowledged.push(text);
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Ok(answer) => {
                    let status = answer.status().as_u16().to_string();
                    let body: Value = answer.json().await.unwrap_or_default();
                    self.refuse(body["code"].as_str().unwrap_or(&status));
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
        acknowledged
    }

    async fn listen(self: Arc<Self>, name: String, token: String) -> Vec<Heard> {
        let mut heard: Vec<Heard> = Vec::new();
        let known = |heard: &Vec<Heard>| i64::try_from(heard.len()).unwrap_or(i64::MAX);
        let is_done = |heard: &Vec<Heard>| self.last.borrow().is_some_and(|last| known(heard) >= last);
        while !is_done(&heard) {
            let Some(mut stream) = self.connect(&token, &format!("&after_rev={}", known(&heard))).await
            else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            while !is_done(&heard) {
                // After a silence another connection is tried: this one's server may be frozen.
                let Some(frame) = next(&mut stream, SILENCE).await else { break };
                match frame["type"].as_str() {
                    Some("chat_message") => {
                        let (expected, rev) = (known(&heard) + 1, frame["rev"].as_i64());
                        if rev != Some(expected) {
                            self.fault(format!("{name}: {rev:?} came where {expected} was to come"));
                            return heard;
                        }
                        heard.push(Heard::of(&frame["message"]));
                    }
                    Some("resync") => {
                        self.fault(format!("{name}: too much was missed"));
                        return heard;
                    }
                    _ => {}
                }
            }
        }
        heard
    }
}

impl Heard {
    fn of(message: &Value) -> Self {
        Self {
            id: message["id"].as_i64().unwrap_or_default(),
            content: message["content"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

enum Said {
    Acknowledged,
    Refused(String),
    Lost,
}

/// Sends a message under its own text as its name, and waits for the echo.
async fn say(stream: &mut Stream, text: &str) -> Said {
    let frame = json!({"type": "chat_message", "content": text, "client_id": text}).to_string();
    if stream.send(Message::text(frame)).await.is_err() {
        return Said::Lost;
    }
    while let Some(frame) = next(stream, ANSWER).await {
        let is_mine = frame["client_id"] == text || frame["message"]["client_id"] == text;
        match frame["type"].as_str() {
            Some("chat_message") if is_mine => return Said::Acknowledged,
            Some("error") if is_mine => {
                return Said::Refused(frame["code"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    Said::Lost
}

/// The next frame; `None` when the socket is closed or nothing comes for `patience`.
async fn next(stream: &mut Stream, patience: Duration) -> Option<Value> {
    loop {
        match timeout(patience, stream.next()).await.ok()??.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

/// Everything that is stored in the room, oldest first.
async fn read_all(reader: &Person, shared: &Shared) -> Vec<Heard> {
    let mut all: Vec<Heard> = Vec::new();
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
        all.extend(page["messages"].as_array().expect("messages").iter().map(Heard::of));
        if page["has_more"] != true {
            assert_eq!(page["total"], json!(all.len()), "the total is what there is");
            return all;
        }
    }
}

/// What is wrong with what is stored, given what was acknowledged.
fn compare(acknowledged: &[Acknowledged], stored: &[Heard]) -> Vec<String> {
    let mut faults = Vec::new();
    if stored.windows(2).any(|pair| pair[0].id >= pair[1].id) {
        faults.push("ids do not rise".to_owned());
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, message) in stored.iter().enumerate() {
        if places.insert(&message.content, place).is_some() {
            faults.push(format!("{} is stored twice", message.content));
        }
    }
    for sent in acknowledged {
        let mut last = None;
        for text in sent {
            let place = places.get(text.as_str()).copied();
            if place.is_none() {
                faults.push(format!("{text} was acknowledged and is lost"));
            } else if place < last {
                faults.push(format!("{text} is out of order"));
            }
            last = place.or(last);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(texts: &[&str]) -> Vec<Heard> {
        let heard = |(id, text): (i64, &&str)| Heard { id, content: (*text).to_owned() };
        (1..).zip(texts).map(heard).collect()
    }

    #[test]
    fn the_comparison_finds_what_is_lost_doubled_or_out_of_order() {
        let acknowledged = [vec!["a-0".to_owned(), "a-1".to_owned()], vec!["b-0".to_owned()]];
        let faults = |texts: &[&str]| compare(&acknowledged, &stored(texts));
        assert!(faults(&["a-0", "b-0", "a-1"]).is_empty());
        assert!(faults(&["a-0", "b-0", "a-1", "unanswered"]).is_empty());
        assert!(faults(&["a-0", "a-1"])[0].contains("b-0 was acknowledged and is lost"));
        assert!(faults(&["a-0", "b-0", "a-1", "b-0"])[0].contains("twice"));
        assert!(
            faults(&["a-1", "a-0", "b-0"])[0].contains("a-1")
                || faults(&["a-1", "a-0", "b-0"])[0].contains("out of order")
        );
    }
}
