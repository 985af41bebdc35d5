//! Durable messages: 32 people, each in a room of their own, send the next message when the last is acknowledged.
//!
//! The acknowledgement is the echo on a socket, or the 201 of REST. Afterwards every message is read back. The times of the
//! commits give the size of the server's commit groups; SQLite alone is then measured with groups of that size.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use chat::model::RoomId;
use futures::future::try_join_all;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use crate::{
    Bench, disk, goals,
    http::{self, Connection},
    message,
    process::{Server, liao},
    report::{Goal, Report, Row, figure, short},
    seed::{Person, Seed},
    socket::{self, Kind},
};

/// People, and rooms.
const SENDERS: usize = 32;
/// Group sizes that SQLite alone is measured with.
const GROUPS: &[u64] = &[1, 10, 100];

/// By socket or REST, and how many unacknowledged messages a sender may have.
#[derive(Clone, Copy)]
enum Door {
    Socket { window: u64 },
    Rest,
}

/// A sender's place.
#[derive(Clone)]
struct Place {
    room: RoomId,
    person: Person,
}

/// The result of one load.
struct Outcome {
    rate: f64,
    /// Server CPU in milliseconds per 1,000 messages.
    cpu: f64,
    /// Messages in one commit, on average.
    group: f64,
}

/// Measures both entry points, and the disk.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(&format!(
        "**Durable messages.** {SENDERS} senders in {SENDERS} rooms, each with so many messages under way; messages a \
         second, and server CPU in milliseconds per 1,000. Beside it: rows a second that SQLite alone commits in groups \
         of the same size, with one index, by the same settings."
    ));
    for &group in GROUPS {
        let rows = disk::group_commits(&bench.run.folder, group)?;
        report.row(Row {
            what: format!("SQLite alone, groups of {group}"),
            beside: format!("{}/s", short(rows)),
            value: String::new(),
            goal: None,
        });
    }
    for door in [Door::Socket { window: 1 }, Door::Socket { window: 32 }, Door::Rest] {
        let outcome = run(bench, door).await?;
        let group = outcome.group.round().max(1.0);
        let disk = disk::group_commits(&bench.run.folder, whole(group))?;
        door.rows(&outcome, disk).into_iter().for_each(|row| report.row(row));
    }
    Ok(())
}

impl Door {
    fn rows(self, outcome: &Outcome, disk: f64) -> [Row; 2] {
        let (what, rate, cpu) = match self {
            // With one message at a time the latency of the disk limits the rate, so only the server's CPU counts.
            Self::Socket { window: 1 } => {
                ("by socket, 1 under way".to_owned(), None, goals::SEND_CPU_BY_SOCKET)
            }
            Self::Socket { window } => {
                let goal = goals::SENDS_BY_SOCKET.min(goals::SENDS_OF_DISK * disk);
                let rate =
                    Goal::at_least(outcome.rate, goal, "/s").that_is("3 × Node, or half the disk's if less");
                (format!("by socket, {window} under way"), Some(rate), goals::SEND_CPU_BY_SOCKET)
            }
            Self::Rest => {
                let rate = Goal::at_least(outcome.rate, goals::SENDS_BY_REST, "/s").that_is("3 × Node");
                ("by REST, 1 under way".to_owned(), Some(rate), goals::SEND_CPU_BY_REST)
            }
        };
        [
            Row {
                what: what.clone(),
                beside: format!("SQLite alone, groups of {:.0}: {}/s", outcome.group, short(disk)),
                value: format!("{}/s", short(outcome.rate)),
                goal: rate,
            },
            Row {
                what: format!("{what}: server CPU"),
                beside: String::new(),
                value: format!("{} ms", short(outcome.cpu)),
                goal: Some(Goal::at_most(outcome.cpu, cpu, " ms")),
            },
        ]
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive mean")]
fn whole(mean: f64) -> u64 {
    mean as u64
}

async fn run(bench: &Bench, door: Door) -> Result<Outcome> {
    let folder = tempfile::tempdir_in(&bench.run.folder)?;
    let data = folder.path().join("data");
    let places = places(&data).await?;
    let server = Server::start(&mut liao(&bench.run.server, &data))?;
    let length = Duration::from_secs(bench.either(10, 4));
    let (cpu, start) = (server.cpu()?, Instant::now());
    let until = start + length;
    let sent = match door {
        Door::Socket { window } => {
            try_join_all(places.iter().map(|place| by_socket(server.address, place, window, until))).await?
        }
        Door::Rest => try_join_all(places.iter().map(|place| by_rest(server.address, place, until))).await?,
    };
    let (took, cpu) = (start.elapsed(), server.cpu()?.saturating_sub(cpu));
    let mut commits = HashSet::new();
    for (place, sent) in places.iter().zip(&sent) {
        read_back(server.address, place, *sent, &mut commits).await?;
    }
    let total = figure(sent.iter().sum());
    Ok(Outcome {
        rate: total / took.as_secs_f64(),
        cpu: cpu.as_secs_f64() * 1e6 / total,
        group: total / figure(crate::seed::number(commits.len())),
    })
}

async fn places(data: &Path) -> Result<Vec<Place>> {
    let mut seed = Seed::open(data).await?;
    let mut places = Vec::new();
    for person in seed.people(SENDERS).await? {
        let room = seed.room("a room of one's own", std::slice::from_ref(&person)).await?;
        places.push(Place { room, person });
    }
    seed.finish().await?;
    Ok(places)
}

/// Sends until the time is over. Returns the number of messages, all acknowledged.
async fn by_socket(address: SocketAddr, place: &Place, window: u64, until: Instant) -> Result<u64> {
    let path = format!("/ws/chat/{}/", place.room);
    let (mut reader, mut writer) = socket::open(address, &path, &place.person.token).await?;
    let (mut sent, mut heard) = (0, 0);
    let mut frames = Vec::new();
    loop {
        while let Some((kind, frame)) = reader.ready() {
            match kind {
                Kind::Text if message::is_message(frame) => {
                    let content = message::content(frame).context("an echo without its text")?;
                    if let Err(wrong) = message::check(content, heard) {
                        bail!("a wrong echo: {wrong:?}");
                    }
                    heard += 1;
                    ensure!(message::rev(frame) == Some(heard), "an echo out of order");
                }
                Kind::Ping => socket::put_pong(&mut frames, frame),
                Kind::Text => bail!("refused: {}", String::from_utf8_lossy(frame)),
                Kind::Close => bail!("closed"),
                Kind::Other => {}
            }
        }
        let is_time = Instant::now() < until;
        while is_time && sent < heard + window {
            socket::put_text(&mut frames, &message::frame(sent, message::now()));
            sent += 1;
        }
        if !is_time && heard == sent {
            return Ok(heard);
        }
        if !frames.is_empty() {
            writer.write_all(&frames).await?;
            frames.clear();
        }
        ensure!(reader.fill().await?, "the socket was closed");
    }
}

/// The same by REST.
async fn by_rest(address: SocketAddr, place: &Place, until: Instant) -> Result<u64> {
    let path = format!("/api/chat/rooms/{}/messages/", place.room);
    let mut connection = Connection::open(address).await?;
    let mut sent = 0;
    while Instant::now() < until {
        let json = format!(r#"{{"content":"{}"}}"#, message::text(sent, message::now()));
        let (status, body) = connection.call(&http::post(address, &path, &place.person.token, &json)).await?;
        let content = message::content(body);
        ensure!(
            status == 201 && content.is_some_and(|content| message::check(content, sent).is_ok()),
            "{status}: {}",
            String::from_utf8_lossy(body)
        );
        sent += 1;
    }
    Ok(sent)
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Stored>,
    total: u64,
    has_more: bool,
}

#[derive(Deserialize)]
struct Stored {
    id: i64,
    content: String,
    created_at: String,
}

/// Reads the whole room and checks that it has every acknowledged message, in order, and nothing else. Records the time of
/// each commit: messages of one commit have the same time.
async fn read_back(
    address: SocketAddr,
    place: &Place,
    sent: u64,
    commits: &mut HashSet<String>,
) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let (mut next, mut last) = (0, 0);
    loop {
        let path = format!("/api/chat/rooms/{}/messages/?page_size=100&after_id={last}", place.room);
        let (status, body) = connection.call(&http::get(address, &path, &place.person.token)).await?;
        ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(body));
        let page: Page = serde_json::from_slice(body)?;
        ensure!(page.total == sent, "{} messages are stored of {sent} that were answered", page.total);
        for stored in page.messages {
            if let Err(wrong) = message::check(stored.content.as_bytes(), next) {
                bail!("stored otherwise than sent: {wrong:?}");
            }
            next += 1;
            last = stored.id;
            commits.insert(stored.created_at);
        }
        if !page.has_more {
            break;
        }
    }
    ensure!(next == sent, "{next} messages can be read of {sent} that were answered");
    Ok(())
}
