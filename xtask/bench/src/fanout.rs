//! Fan-out: one room of many sockets of distinct users, one of whom writes at a fixed rate.
//!
//! Latency is counted from the time at which a message was due (so a late generator counts too) until each socket has
//! received it. At each point the bare broadcast is measured first, then the others, then Liao.

mod crowd;
mod search;

use std::time::Duration;

use anyhow::Result;

use crate::{
    Bench, durable, goals,
    host::{Host, Plan},
    report::{Column, Goal, Report, Row, figure, short},
    seed::number,
    side::{Database, Peer, Side},
};
use crowd::{Crowd, Outcome};

/// The duration of the load of few deliveries, in seconds: the kernel counts CPU time in steps of 10 ms, of which the bare
/// broadcast needs about 30 in this time.
const CALM: u64 = 40;

/// A room and a rate.
struct Point {
    members: usize,
    /// Deliveries a second.
    rate: f64,
    length: Duration,
}

impl Point {
    fn new(members: usize, rate: f64, seconds: u64) -> Self {
        Self { members, rate, length: Duration::from_secs(seconds) }
    }
}

/// What goals add to the figures of the bare broadcast, since Liao also stores what it delivers.
struct Storing {
    /// Milliseconds of CPU that a thousand messages may take (microseconds for one); `None` where Node was not measured.
    cpu: Option<f64>,
    /// The 99th percentile of a commit of SQLite alone.
    p99: Duration,
}

/// The figures of one point.
struct Figures {
    peers: Vec<(Side, Peer<Outcome>)>,
    liao: Outcome,
}

/// Measures every point, then the highest rate.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let points = bench.either(
        vec![
            Point::new(100, 1_000.0, CALM),
            Point::new(10, 40_000.0, 10),
            Point::new(100, 40_000.0, 10),
            Point::new(1_000, 40_000.0, 10),
            Point::new(5_000, 40_000.0, 10),
        ],
        vec![
            Point::new(100, 1_000.0, CALM / 2),
            Point::new(10, 40_000.0, 5),
            Point::new(100, 40_000.0, 5),
            Point::new(1_000, 40_000.0, 5),
        ],
    );
    let commit = bench.commit()?;
    let node = durable::node_one_by_one(bench).await;
    let cpu = node.measured().map(|node| goals::SEND_CPU_OF_NODE * node.cost.total());
    let storing = Storing { cpu, p99: commit.p99 };
    report.section(&format!(
        "**Fan-out.** One room, a socket for each member, one of them writing {}-byte messages, each stored before it is \
         delivered. Server CPU in seconds per million deliveries, user and kernel; latency from when a message was due. \
         Goals add to the bare server's figures what storing may take: {} × Node's CPU of a message by socket, shared \
         by its deliveries, and the 99th percentile of a commit of SQLite alone, {} ms in this run.",
        crate::message::LENGTH,
        goals::SEND_CPU_OF_NODE,
        short(milliseconds(storing.p99)),
    ));
    for point in &points {
        let mut peers = Vec::new();
        for side in [Side::Bare, Side::Node, Side::Beside] {
            peers.push((side, bench.peer(side, point.run(bench, side)).await));
        }
        let liao = point.run(bench, Side::Liao(Database::Sqlite)).await?;
        let figures = Figures { peers, liao };
        point.rows(&figures, &storing).into_iter().for_each(|row| report.row(row));
        if bench.has(Side::Liao(Database::Mariadb)) {
            let mariadb = point.run(bench, Side::Liao(Database::Mariadb)).await?;
            point.mariadb_rows(&mariadb, &figures.liao).into_iter().for_each(|row| report.row(row));
        }
    }
    search::measure(bench, report).await
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

impl Figures {
    fn of(&self, side: Side) -> Option<&Outcome> {
        self.peers.iter().find(|(of, _)| *of == side).and_then(|(_, peer)| peer.measured())
    }
}

impl Point {
    async fn run(&self, bench: &Bench, side: Side) -> Result<Outcome> {
        let host = Host::start(bench, side, &Plan::one_room(self.members)).await?;
        let mut crowd = Crowd::gather(&host).await?;
        // A warm-up, which is not counted.
        crowd.load(&host.server, self.rate, Duration::from_secs(1)).await?;
        crowd.load(&host.server, self.rate, self.length).await
    }

    fn name(&self) -> String {
        format!("room of {}, {} deliveries/s", short(figure(number(self.members))), short(self.rate))
    }

    fn rows(&self, figures: &Figures, storing: &Storing) -> [Row; 2] {
        let liao = &figures.liao;
        let mut cpu = Row::new(format!("{}: server CPU", self.name())).put(Column::Liao, liao.cost_cell());
        let mut latency =
            Row::new(format!("{}: latency", self.name())).put(Column::Liao, liao.latency_cell());
        for (side, peer) in &figures.peers {
            cpu = cpu.put(side.column(), peer.cell(Outcome::cost_cell));
            latency = latency.put(side.column(), peer.cell(Outcome::latency_cell));
        }
        let (total, bare) = (liao.cost().total(), figures.of(Side::Bare));
        let factor = goals::FANOUT_CPU_OF_BARE;
        // Microseconds for a message are seconds for a million: its deliveries share them.
        let share = storing.cpu.map(|cpu| cpu / figure(number(self.members)));
        let of_bare = match bare.map(|bare| bare.cost().total()).zip(share) {
            Some((bare, share)) => Goal::at_most(total, factor * bare + share, " s")
                .that_is(&format!("{factor} × bare + {} s to store", short(share))),
            None => Goal::open(&format!("≤ {factor} × bare + storing")),
        };
        let node = figures.of(Side::Node).map(|node| node.cost().total());
        let of_node = Goal::at_most_times(total, goals::FANOUT_CPU_OF_NODE, node, " s", "Node");
        let factor = goals::FANOUT_P99_OF_BARE;
        let p99 = match bare {
            Some(bare) => {
                let limit = factor * milliseconds(bare.p99()) + milliseconds(storing.p99);
                Goal::at_most(milliseconds(liao.p99()), limit, " ms")
                    .that_is(&format!("p99: {factor} × bare + a commit"))
            }
            None => Goal::open(&format!("p99 ≤ {factor} × bare + a commit")),
        };
        [cpu.goal(of_bare.only_if(liao.held())).goal(of_node), latency.goal(p99.only_if(liao.held()))]
    }

    fn mariadb_rows(&self, mariadb: &Outcome, sqlite: &Outcome) -> [Row; 2] {
        let twice = |value, base, unit| {
            let goal = Goal::at_most_times(value, goals::COST_OF_SQLITE, Some(base), unit, "SQLite");
            goal.only_if(mariadb.held())
        };
        let cpu = twice(mariadb.cost().total(), sqlite.cost().total(), " s");
        let p99 = twice(milliseconds(mariadb.p99()), milliseconds(sqlite.p99()), " ms");
        let name = format!("MariaDB: {}", self.name());
        [
            Row::new(format!("{name}: server CPU")).put(Column::Liao, mariadb.cost_cell()).goal(cpu),
            Row::new(format!("{name}: latency")).put(Column::Liao, mariadb.latency_cell()).goal(p99),
        ]
    }
}
