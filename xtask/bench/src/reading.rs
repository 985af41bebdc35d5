//! Reading: the first and the last page of a long history, and a list of a hundred rooms.
//!
//! Nothing changes meanwhile, so every response must equal the first one byte for byte; the first is checked.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use serde_json::Value;

use crate::{
    Bench,
    cost::Cost,
    goals,
    host::{Host, Plan, PlannedRoom, Room},
    http::{self, Connection},
    message,
    report::{Column, Goal, Report, Row, figure, short},
    seed::{Person, number},
    side::{CHATS, Database, Peer, Side},
};

/// Connections, each with one request at a time.
const CONNECTIONS: usize = 16;
/// Messages of a page.
const PAGE: usize = 20;
/// Rooms of the list, members and messages of each.
const ROOMS: usize = 100;
const MEMBERS: usize = 10;
const MESSAGES: usize = 20;

/// Requests a second, and CPU in milliseconds per 1,000.
struct Load {
    rate: f64,
    cost: Cost,
}

/// The three loads of one server.
struct Outcome {
    /// Messages of the long room.
    messages: usize,
    first: Load,
    last: Load,
    list: Load,
}

/// Measures the three on every server.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let messages = bench.either(1_000_000, 100_000);
    report.section(&format!(
        "**Reading.** {CONNECTIONS} kept connections, each asking again when it was answered: requests a second, and server \
         CPU in milliseconds per 1,000. A history of {} messages by pages of {PAGE}; {ROOMS} rooms with {MEMBERS} members \
         and {MESSAGES} messages each, the long one among them.",
        short(figure(number(messages)))
    ));
    let mut peers = Vec::new();
    for side in CHATS {
        peers.push((side, bench.peer(side, run(bench, side, messages)).await));
    }
    let liao = run(bench, Side::Liao(Database::Sqlite), messages).await?;
    for row in rows(messages, &peers, &liao) {
        report.row(row);
    }
    if bench.has(Side::Liao(Database::Mariadb)) {
        let mariadb = run(bench, Side::Liao(Database::Mariadb), messages).await?;
        for row in mariadb_rows(&mariadb, &liao) {
            report.row(row);
        }
    }
    Ok(())
}

fn rows(messages: usize, peers: &[(Side, Peer<Outcome>)], liao: &Outcome) -> Vec<Row> {
    let node = peers.iter().find(|(side, _)| *side == Side::Node).and_then(|(_, peer)| peer.measured());
    let times_node = |load: &Load, node: Option<&Load>| {
        let factor = goals::PAGES_OF_NODE;
        Goal::at_least_times(load.rate, factor, node.map(|node| node.rate), "/s", "Node")
    };
    let first = times_node(&liao.first, node.map(|node| &node.first));
    let last = times_node(&liao.last, node.map(|node| &node.last));
    let share = goals::LAST_OF_FIRST;
    let same = Goal::at_least_times(liao.last.rate, share, Some(liao.first.rate), "/s", "the first page's");
    let (cpu, of_node) = (liao.list.cost.total(), node.map(|node| node.list.cost.total()));
    let share_of_node = Goal::at_most_times(cpu, goals::LIST_CPU_OF_NODE, of_node, " ms", "Node");
    let mut rows = Vec::new();
    for (name, load, rate_goals, cpu_goals) in [
        ("history, page 1", Outcome::first as fn(&Outcome) -> &Load, vec![first], vec![]),
        ("history, the last page", Outcome::last, vec![last, same], vec![]),
        ("room list", Outcome::list, vec![], vec![share_of_node]),
    ] {
        let mut rate = Row::new(name).put(Column::Liao, load(liao).rate_cell());
        let mut cpu = Row::new(format!("{name}: server CPU")).put(Column::Liao, load(liao).cost.to_string());
        for (side, peer) in peers {
            rate = rate.put(side.column(), peer.cell(|outcome| outcome.rate_cell(load(outcome), messages)));
            cpu = cpu.put(side.column(), peer.cell(|outcome| load(outcome).cost.to_string()));
        }
        rows.push(rate_goals.into_iter().fold(rate, Row::goal));
        rows.push(cpu_goals.into_iter().fold(cpu, Row::goal));
    }
    rows
}

fn mariadb_rows(mariadb: &Outcome, sqlite: &Outcome) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, load) in [
        ("history, page 1", Outcome::first as fn(&Outcome) -> &Load),
        ("history, the last page", Outcome::last),
        ("room list", Outcome::list),
    ] {
        let (load, sqlite) = (load(mariadb), load(sqlite));
        let half = goals::RATE_OF_SQLITE;
        let goal = Goal::at_least_times(load.rate, half, Some(sqlite.rate), "/s", "SQLite");
        let rate = Row::new(format!("MariaDB: {name}")).put(Column::Liao, load.rate_cell());
        rows.push(rate.goal(goal));
        let (twice, cost) = (goals::COST_OF_SQLITE, Some(sqlite.cost.total()));
        let goal = Goal::at_most_times(load.cost.total(), twice, cost, " ms", "SQLite");
        let cpu = Row::new(format!("MariaDB: {name}: server CPU")).put(Column::Liao, load.cost.to_string());
        rows.push(cpu.goal(goal));
    }
    rows
}

impl Load {
    fn rate_cell(&self) -> String {
        format!("{}/s", short(self.rate))
    }
}

impl Outcome {
    fn first(&self) -> &Load {
        &self.first
    }

    fn last(&self) -> &Load {
        &self.last
    }

    fn list(&self) -> &Load {
        &self.list
    }

    /// With the length of the history when it is not the planned one.
    fn rate_cell(&self, load: &Load, planned: usize) -> String {
        let rate = load.rate_cell();
        if self.messages == planned {
            return rate;
        }
        format!("{rate} (history of {})", short(figure(number(self.messages))))
    }
}

async fn run(bench: &Bench, side: Side, messages: usize) -> Result<Outcome> {
    crate::say(&format!("{side:?} stores {messages} messages"));
    let room = |messages| PlannedRoom { members: 0..MEMBERS, messages };
    let mut rooms: Vec<_> = (1..ROOMS).map(|_| room(MESSAGES)).collect();
    rooms.push(room(messages));
    let host = Host::start(bench, side, &Plan { people: MEMBERS, rooms }).await?;
    let long = host.rooms.last().context("no rooms")?;
    let length = Duration::from_secs(bench.either(8, 3));
    let pages = long.messages.div_ceil(PAGE).max(1);
    let path = |page: usize| format!("/api/chat/rooms/{}/messages/?page={page}&page_size={PAGE}", long.id);
    let first = load(&host, &path(1), length, |body| is_page(body, long, long.messages)).await?;
    let newest = long.messages.saturating_sub((pages - 1) * PAGE);
    let last = load(&host, &path(pages), length, |body| is_page(body, long, newest)).await?;
    // The long room is on the list too, and a page holds a hundred.
    let rooms = load(&host, "/api/chat/rooms/?mine=true", length, |body| is_list(body, &host)).await?;
    Ok(Outcome { messages: long.messages, first, last, list: rooms })
}

/// Whether these are the messages up to number `newest`, newest first.
fn is_page(body: &Value, room: &Room, newest: usize) -> bool {
    let Some(messages) = body["messages"].as_array() else { return false };
    body["total"] == room.messages
        && messages.len() == PAGE.min(newest)
        && messages.iter().zip((0..newest).rev()).all(|(shown, n)| {
            let content = shown["content"].as_str().unwrap_or_default();
            message::check(content.as_bytes(), number(n)).is_ok()
        })
}

/// Whether all rooms are there, each with its last message. A server that ran before may have others too.
fn is_list(body: &Value, host: &Host) -> bool {
    let Some(listed) = body.as_array() else { return false };
    let is_right = |room: &Room| {
        let Some(shown) = listed.iter().find(|shown| shown["id"] == room.id.0) else { return false };
        let last = shown["last_message"]["content"].as_str().unwrap_or_default();
        shown["member_count"] == MEMBERS
            && message::check(last.as_bytes(), number(room.messages.saturating_sub(1))).is_ok()
    };
    (host.side == Side::Beside || listed.len() == ROOMS) && host.rooms.iter().all(is_right)
}

/// Asks for one thing. The reader is a member of every room.
async fn load(host: &Host, path: &str, length: Duration, is_right: impl Fn(&Value) -> bool) -> Result<Load> {
    let address = host.server.address;
    let reader: &Person = host.room()?.creator()?;
    let request = http::get(address, path, &reader.token);
    let (status, body) = {
        let mut connection = Connection::open(address).await?;
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
    ask(address, &request, &body, Instant::now() + Duration::from_millis(500)).await?;
    let (cpu, start) = (host.server.cpu()?, Instant::now());
    let until = start + length;
    let asking = (0..CONNECTIONS).map(|_| ask(address, &request, &body, until));
    let answered = figure(try_join_all(asking).await?.iter().sum());
    let (took, used) = (start.elapsed(), host.server.cpu()?.since(cpu));
    Ok(Load { rate: answered / took.as_secs_f64(), cost: Cost::per_thousand(used, answered) })
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
