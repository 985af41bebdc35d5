//! Reading: the first and the last page of a long history, and a list of a hundred rooms.
//!
//! Nothing changes meanwhile, so every response must equal the first one byte for byte; the first is checked.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use chat::model::RoomId;
use futures::future::try_join_all;
use serde_json::Value;

use crate::{
    Bench, goals,
    http::{self, Connection},
    message,
    process::{Server, liao},
    report::{Goal, Report, Row, figure, short},
    seed::{Person, Seed, number},
};

/// Connections, each with one request at a time.
const CONNECTIONS: usize = 16;
/// Messages of a page.
const PAGE: usize = 20;
/// Rooms of the list, members and messages of each.
const ROOMS: usize = 100;
const MEMBERS: usize = 10;
const MESSAGES: usize = 20;

/// The address and the token of the reader.
struct Library {
    reader: Person,
    long: RoomId,
    messages: usize,
}

/// Requests a second, and server CPU in milliseconds per 1,000.
struct Outcome {
    rate: f64,
    cpu: f64,
}

/// Measures the three.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let messages = bench.either(1_000_000, 100_000);
    report.section(&format!(
        "**Reading.** {CONNECTIONS} kept connections, each asking again when it was answered: requests a second, and server \
         CPU in milliseconds per 1,000. A history of {} messages by pages of {PAGE}; {} rooms with {MEMBERS} members and \
         {MESSAGES} messages each.",
        short(figure(number(messages))),
        ROOMS
    ));
    let folder = tempfile::tempdir_in(&bench.run.folder)?;
    let data = folder.path().join("data");
    let library = Library::make(&data, messages).await?;
    let server = Server::start(&mut liao(&bench.run.server, &data))?;
    let length = Duration::from_secs(bench.either(8, 3));
    let path =
        |page: usize| format!("/api/chat/rooms/{}/messages/?page={page}&page_size={PAGE}", library.long);

    let last = messages.div_ceil(PAGE);
    for (what, page) in [("history, page 1".to_owned(), 1), (format!("history, page {last}, the last"), last)]
    {
        let newest = messages - (page - 1) * PAGE;
        let is_right = |body: &Value| library.is_page(body, newest);
        let outcome = load(&server, &library.reader, &path(page), length, is_right).await?;
        report.row(outcome.rate_row(&what, goals::PAGES));
        report.row(outcome.cpu_row(&what));
    }
    let is_right = |body: &Value| library.is_list(body);
    // The long room is on the list too, and a page holds a hundred.
    let outcome = load(&server, &library.reader, "/api/chat/rooms/?mine=true", length, is_right).await?;
    let what = format!("room list, {ROOMS} rooms");
    report.row(outcome.rate_row(&what, goals::LISTS));
    report.row(Row { goal: None, ..outcome.cpu_row(&what) });
    Ok(())
}

impl Outcome {
    fn rate_row(&self, what: &str, goal: f64) -> Row {
        Row {
            what: what.to_owned(),
            beside: String::new(),
            value: format!("{}/s", short(self.rate)),
            goal: Some(Goal::at_least(self.rate, goal, "/s").that_is("10 × Node")),
        }
    }

    fn cpu_row(&self, what: &str) -> Row {
        Row {
            what: format!("{what}: server CPU"),
            beside: String::new(),
            value: format!("{} ms", short(self.cpu)),
            goal: Some(Goal::at_most(self.cpu, goals::PAGE_CPU, " ms")),
        }
    }
}

impl Library {
    async fn make(data: &Path, messages: usize) -> Result<Self> {
        crate::say(&format!("storing {messages} messages"));
        let mut seed = Seed::open(data).await?;
        let people = seed.people(MEMBERS).await?;
        let reader = people.first().context("nobody")?.clone();
        for n in 1..ROOMS {
            let room = seed.room(&format!("room {n}"), &people).await?;
            seed.messages(room, &reader, MESSAGES).await?;
        }
        let long = seed.room("the long room", &people).await?;
        seed.messages(long, &reader, messages).await?;
        seed.finish().await?;
        Ok(Self { reader, long, messages })
    }

    /// Whether these are the messages up to number `newest`, newest first.
    fn is_page(&self, body: &Value, newest: usize) -> bool {
        let Some(messages) = body["messages"].as_array() else { return false };
        body["total"] == self.messages
            && messages.len() == PAGE.min(newest)
            && messages.iter().zip((0..newest).rev()).all(|(shown, n)| {
                let content = shown["content"].as_str().unwrap_or_default();
                message::check(content.as_bytes(), number(n)).is_ok()
            })
    }

    /// Whether these are all rooms, each with its last message.
    fn is_list(&self, body: &Value) -> bool {
        let Some(rooms) = body.as_array() else { return false };
        rooms.len() == ROOMS
            && rooms.iter().all(|room| {
                let count = if room["id"] == self.long.0 { self.messages } else { MESSAGES };
                let last = room["last_message"]["content"].as_str().unwrap_or_default();
                room["member_count"] == MEMBERS && message::check(last.as_bytes(), number(count - 1)).is_ok()
            })
    }
}

async fn load(
    server: &Server,
    reader: &Person,
    path: &str,
    length: Duration,
    is_right: impl Fn(&Value) -> bool,
) -> Result<Outcome> {
    let request = http::get(server.address, path, &reader.token);
    let (status, body) = {
        let mut connection = Connection::open(server.address).await?;
        let (status, body) = connection.call(&request).await?;
        (status, body.to_vec())
    };
    if status != 200 || !is_right(&serde_json::from_slice(&body)?) {
        bail!(
            "a wrong answer to {path}: {status} {}",
            String::from_utf8_lossy(&body[..body.len().min(2_000)])
        );
    }
    // A warm-up, which is not counted.
    ask(server.address, &request, &body, Instant::now() + Duration::from_millis(500)).await?;
    let (cpu, start) = (server.cpu()?, Instant::now());
    let until = start + length;
    let asking = (0..CONNECTIONS).map(|_| ask(server.address, &request, &body, until));
    let answered = figure(try_join_all(asking).await?.iter().sum());
    let (took, cpu) = (start.elapsed(), server.cpu()?.saturating_sub(cpu));
    Ok(Outcome { rate: answered / took.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / answered })
}

/// Sends requests until the time is over. Returns their number.
async fn ask(address: SocketAddr, request: &str, expected: &[u8], until: Instant) -> Result<u64> {
    let mut connection = Connection::open(address).await?;
    let mut answered = 0;
    while Instant::now() < until {
        let (status, body) = connection.call(request).await?;
        ensure!(status == 200 && body == expected, "an answer differs from the first: {status}");
        answered += 1;
    }
    Ok(answered)
}
