//! Durable messages: 32 people, each in a room of their own, send the next message when the last is acknowledged.
//!
//! The acknowledgement is the echo on a socket, or the 201 of REST. Afterwards every message is read back. The times of the
//! commits give the size of Liao's commit groups; SQLite alone is then measured with groups of that size.

mod read_back;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::try_join_all;

use crate::{
    Bench,
    cost::Cost,
    disk, goals,
    host::{Host, Plan, Room},
    report::{Column, Goal, Report, Row, figure, short},
    seed::number,
    sender::{self, Sender},
    side::{CHATS, Database, Peer, Side},
};

/// People, and rooms.
const SENDERS: usize = 32;
/// How long they send before it counts: code is compiled, and caches are filled.
const WARM_UP: Duration = Duration::from_secs(1);
/// Group sizes that SQLite alone is measured with.
const GROUPS: &[u64] = &[1, 10, 100];

/// By socket or REST, and how many unacknowledged messages a sender may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Socket { window: u64 },
    Rest,
}

/// One message at a time.
const ONE_BY_ONE: Door = Door::Socket { window: 1 };

/// The result of one load.
#[derive(Clone)]
pub(crate) struct Outcome {
    /// Messages a second.
    rate: f64,
    /// CPU in milliseconds per 1,000 messages: so many microseconds for one.
    pub(crate) cost: Cost,
    /// Messages of one commit, on average, where the answers tell.
    group: Option<f64>,
}

/// Measures both entry points, and SQLite alone.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(&format!(
        "**Durable messages.** {SENDERS} senders in {SENDERS} rooms, each with so many messages under way; messages a \
         second, and server CPU in milliseconds per 1,000. The column of the bare server has the rows a second that SQLite \
         alone commits in groups of the same size, with one index, by the same settings."
    ));
    for &group in GROUPS {
        let speed = if group == 1 { bench.commit()? } else { disk::group_commits(&bench.run.folder, group)? };
        let p99 = short(speed.p99.as_secs_f64() * 1_000.0);
        let rows = format!("{}/s; a commit's p99 {p99} ms", short(speed.rate));
        report.row(Row::new(format!("SQLite alone, groups of {group}")).put(Column::Bare, rows));
    }
    for door in [ONE_BY_ONE, Door::Socket { window: 32 }, Door::Rest] {
        let mut peers = Vec::new();
        for side in CHATS {
            let peer = match (door, side) {
                (ONE_BY_ONE, Side::Node) => node_one_by_one(bench).await,
                _ => bench.peer(side, run(bench, side, door)).await,
            };
            peers.push((side, peer));
        }
        let liao = run(bench, Side::Liao(Database::Sqlite), door).await?;
        door.rows(bench, &peers, &liao)?.into_iter().for_each(|row| report.row(row));
        if bench.has(Side::Liao(Database::Mariadb)) {
            let mariadb = run(bench, Side::Liao(Database::Mariadb), door).await?;
            door.mariadb_rows(&mariadb, &liao).into_iter().for_each(|row| report.row(row));
        }
    }
    Ok(())
}

/// Node's messages by socket, one under way: goals of other parts are multiples of it, so it is measured once in a run.
pub(crate) async fn node_one_by_one(bench: &Bench) -> Peer<Outcome> {
    let work = || bench.peer(Side::Node, run(bench, Side::Node, ONE_BY_ONE));
    bench.node_one_by_one.get_or_init(work).await.clone()
}

impl Door {
    fn name(self) -> String {
        match self {
            Self::Socket { window } => format!("by socket, {window} under way"),
            Self::Rest => "by REST, 1 under way".to_owned(),
        }
    }

    fn rows(self, bench: &Bench, peers: &[(Side, Peer<Outcome>)], liao: &Outcome) -> Result<[Row; 2]> {
        let name = self.name();
        let mut rate = Row::new(&*name).put(Column::Liao, liao.rate_cell());
        let mut cpu = Row::new(format!("{name}: server CPU")).put(Column::Liao, liao.cost.to_string());
        for (side, peer) in peers {
            rate = rate.put(side.column(), peer.cell(Outcome::rate_cell));
            cpu = cpu.put(side.column(), peer.cell(|outcome| outcome.cost.to_string()));
        }
        let node = peers.iter().find(|(side, _)| *side == Side::Node).and_then(|(_, peer)| peer.measured());
        let of_node =
            |factor| Goal::at_least_times(liao.rate, factor, node.map(|node| node.rate), "/s", "Node");
        let cpu_of_node = |factor| {
            let node = node.map(|node| node.cost.total());
            Goal::at_most_times(liao.cost.total(), factor, node, " ms", "Node")
        };
        let group = liao.group.unwrap_or(1.0).round().max(1.0);
        let alone = disk::group_commits(&bench.run.folder, whole(group))?.rate;
        rate = rate.put(Column::Bare, format!("groups of {group:.0}: {}/s", short(alone)));
        Ok(match self {
            ONE_BY_ONE => {
                let share = goals::SENDS_OF_DISK;
                let of_disk = Goal::at_least_times(liao.rate, share, Some(alone), "/s", "SQLite alone");
                [
                    rate.goal(of_node(goals::SENDS_OF_NODE)).goal(of_disk),
                    cpu.goal(cpu_of_node(goals::SEND_CPU_OF_NODE)),
                ]
            }
            Self::Socket { .. } => [rate.goal(Goal::at_least(liao.rate, goals::SENDS_IN_WINDOWS, "/s")), cpu],
            Self::Rest => {
                [rate.goal(of_node(goals::POSTS_OF_NODE)), cpu.goal(cpu_of_node(goals::POST_CPU_OF_NODE))]
            }
        })
    }

    fn mariadb_rows(self, mariadb: &Outcome, sqlite: &Outcome) -> [Row; 2] {
        let name = format!("MariaDB: {}", self.name());
        let mut rate = Row::new(&*name).put(Column::Liao, mariadb.rate_cell());
        let mut cpu = Row::new(format!("{name}: server CPU")).put(Column::Liao, mariadb.cost.to_string());
        if self == ONE_BY_ONE {
            let factor = goals::SENDS_OF_DJANGO;
            let django = Some(goals::DJANGO_SENDS);
            rate = rate.goal(Goal::at_least_times(mariadb.rate, factor, django, "/s", "Django"));
            let limit = goals::SEND_CPU_OF_DJANGO * goals::DJANGO_SEND_CPU;
            cpu = cpu.goal(Goal::at_most(mariadb.cost.total(), limit, " ms").that_is("a third of Django's"));
        }
        let (half, twice) = (goals::RATE_OF_SQLITE, goals::COST_OF_SQLITE);
        let rate_goal = Goal::at_least_times(mariadb.rate, half, Some(sqlite.rate), "/s", "SQLite");
        let cost = Some(sqlite.cost.total());
        let cpu_goal = Goal::at_most_times(mariadb.cost.total(), twice, cost, " ms", "SQLite");
        [rate.goal(rate_goal), cpu.goal(cpu_goal)]
    }
}

impl Outcome {
    fn rate_cell(&self) -> String {
        format!("{}/s", short(self.rate))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive mean")]
fn whole(mean: f64) -> u64 {
    mean as u64
}

async fn run(bench: &Bench, side: Side, door: Door) -> Result<Outcome> {
    let host = Host::start(bench, side, &Plan::rooms_of(1, 2 * SENDERS)).await?;
    let (unmeasured, rooms) = host.rooms.split_at(SENDERS);
    let mut commits = HashSet::new();
    // A warm-up in rooms of its own, which is checked and not counted.
    let sent = load(&host, unmeasured, door, Instant::now() + WARM_UP).await?;
    read_back::check(&host, unmeasured, &sent, &mut commits).await?;
    commits.clear();

    let (cpu, start) = (host.server.cpu()?, Instant::now());
    let length = Duration::from_secs(bench.either(10, 4));
    let sent = load(&host, rooms, door, start + length).await?;
    let (took, used) = (start.elapsed(), host.server.cpu()?.since(cpu));
    read_back::check(&host, rooms, &sent, &mut commits).await?;
    let total = figure(sent.iter().sum());
    let is_told = matches!(side, Side::Liao(_));
    Ok(Outcome {
        rate: total / took.as_secs_f64(),
        cost: Cost::per_thousand(used, total),
        group: is_told.then(|| total / figure(number(commits.len()))),
    })
}

/// Every room's creator sends until the time is over. Returns the number of messages of each.
async fn load(host: &Host, rooms: &[Room], door: Door, until: Instant) -> Result<Vec<u64>> {
    let (address, side) = (host.server.address, host.side);
    try_join_all(rooms.iter().map(async |room| {
        let person = room.creator()?.clone();
        match door {
            Door::Socket { window } => {
                let sender = Sender { address, side, path: room.socket(), person };
                sender::send(&sender, window, |_| Instant::now() < until).await
            }
            Door::Rest => sender::post(address, room.id, &person, until).await,
        }
    }))
    .await
}
