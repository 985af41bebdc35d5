//! Fan-out: one room of many sockets of distinct users, one of whom writes at a fixed rate.
//!
//! Latency is counted from the time at which a message was due (so a late generator counts too) until each socket has
//! received it. At each point the bare broadcast is measured first, then the server.

mod crowd;

use std::{path::Path, time::Duration};

use anyhow::Result;

use crate::{
    Bench, goals,
    process::{Server, bare, liao},
    report::{Goal, Report, Row, figure, short},
    seed::{Person, Seed, number},
};
use crowd::{Crowd, Outcome};

/// The size of the room whose highest rate is searched.
const SEARCHED: usize = 100;
/// The limit of the 99th percentile of latency at the highest rate.
const PATIENCE: Duration = Duration::from_millis(250);
/// The rate at which the search begins, in deliveries a second.
const SEARCH_FROM: f64 = 20_000.0;
/// The factor of each step up, and how often the last step is then halved.
const SEARCH_STEP: f64 = 1.5;
const SEARCH_HALVINGS: usize = 2;

/// A room and a rate.
struct Point {
    members: usize,
    /// Deliveries a second.
    rate: f64,
    length: Duration,
    /// The goal, as a multiple of bare.
    goal: f64,
}

impl Point {
    fn new(members: usize, rate: f64, seconds: u64, goal: f64) -> Self {
        Self { members, rate, length: Duration::from_secs(seconds), goal }
    }
}

/// The server under load.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Bare,
    Liao,
}

/// The people, and a database with them and their rooms.
struct Rooms<'a> {
    bench: &'a Bench,
    folder: tempfile::TempDir,
    people: Vec<Person>,
}

/// Measures every point, then the highest rate.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let points = bench.either(
        vec![
            Point::new(100, 1_000.0, 20, goals::FANOUT_CALM),
            Point::new(10, 40_000.0, 10, goals::FANOUT_BUSY),
            Point::new(100, 40_000.0, 10, goals::FANOUT_BUSY),
            Point::new(1_000, 40_000.0, 10, goals::FANOUT_BUSY),
            Point::new(5_000, 40_000.0, 10, goals::FANOUT_BUSY),
        ],
        vec![
            Point::new(100, 1_000.0, 8, goals::FANOUT_CALM),
            Point::new(100, 40_000.0, 5, goals::FANOUT_BUSY),
            Point::new(1_000, 40_000.0, 5, goals::FANOUT_BUSY),
        ],
    );
    let most = points.iter().map(|point| point.members).max().unwrap_or(SEARCHED);
    let rooms = Rooms::new(bench, most).await?;
    report.section(&format!(
        "**Fan-out.** One room, a socket for each member, one of them writing {}-byte messages, each stored before it is \
         delivered. Server CPU in seconds per million deliveries, user and kernel; latency from when a message was \
         due.",
        crate::message::LENGTH
    ));
    for point in &points {
        let floor = rooms.run(Side::Bare, point).await?;
        let value = rooms.run(Side::Liao, point).await?;
        report.row(point.row(&floor, &value));
    }
    let floor = rooms.highest(Side::Bare).await?;
    let value = rooms.highest(Side::Liao).await?;
    report.row(Row {
        what: format!("room of {SEARCHED}: highest rate with p99 under {} ms", PATIENCE.as_millis()),
        beside: format!("bare {}/s", short(floor)),
        value: format!("{}/s", short(value)),
        goal: Some(
            Goal::at_least(value, goals::FANOUT_RATE * floor, "/s")
                .that_is(&format!("{} × bare", goals::FANOUT_RATE)),
        ),
    });
    Ok(())
}

impl Point {
    fn row(&self, floor: &Outcome, value: &Outcome) -> Row {
        let limit = self.goal * floor.cpu_per_million();
        let mut goal =
            Goal::at_most(value.cpu_per_million(), limit, " s").that_is(&format!("{} × bare", self.goal));
        goal.is_met &= value.held();
        Row {
            what: format!(
                "room of {}, {} deliveries/s",
                short(figure(number(self.members))),
                short(self.rate)
            ),
            beside: format!("bare {floor}"),
            value: value.to_string(),
            goal: Some(goal),
        }
    }
}

impl<'a> Rooms<'a> {
    async fn new(bench: &'a Bench, most: usize) -> Result<Self> {
        let folder = tempfile::tempdir_in(&bench.run.folder)?;
        let mut seed = Seed::open(&folder.path().join("data")).await?;
        let people = seed.people(most).await?;
        seed.finish().await?;
        Ok(Self { bench, folder, people })
    }

    /// A server and a new room of it with this many sockets open.
    async fn crowd(&self, side: Side, members: usize) -> Result<(Server, Crowd)> {
        let people = &self.people[..members];
        let data = self.folder.path().join("data");
        match side {
            Side::Bare => {
                let server = Server::start(&mut bare()?)?;
                let crowd = Crowd::gather(server.address, "/ws/", people, crowd::bare_frame).await?;
                Ok((server, crowd))
            }
            Side::Liao => {
                let path = format!("/ws/chat/{}/", room(&data, people).await?);
                let server = Server::start(&mut liao(&self.bench.run.server, &data))?;
                let crowd = Crowd::gather(server.address, &path, people, crate::message::frame).await?;
                Ok((server, crowd))
            }
        }
    }

    async fn run(&self, side: Side, point: &Point) -> Result<Outcome> {
        let (server, mut crowd) = self.crowd(side, point.members).await?;
        // A warm-up, which is not counted.
        crowd.load(&server, point.rate, Duration::from_secs(1)).await?;
        crowd.load(&server, point.rate, point.length).await
    }

    /// The highest rate that holds, in deliveries a second.
    async fn highest(&self, side: Side) -> Result<f64> {
        let length = Duration::from_secs(self.bench.either(4, 2));
        let mut gathered = None;
        let (mut held, mut failed) = (0.0, None::<f64>);
        let mut halvings = 0;
        while halvings < SEARCH_HALVINGS || held == 0.0 {
            let rate = match failed {
                None => (held * SEARCH_STEP).max(SEARCH_FROM),
                Some(failed) => f64::midpoint(held, failed),
            };
            // A crowd with closed sockets or late messages is replaced.
            let (server, mut crowd) = match gathered.take() {
                Some(gathered) => gathered,
                None => self.crowd(side, SEARCHED).await?,
            };
            let outcome = crowd.load(&server, rate, length).await?;
            if outcome.held() && outcome.p99() < PATIENCE {
                held = rate;
                gathered = Some((server, crowd));
            } else {
                failed = Some(rate);
            }
            halvings += usize::from(failed.is_some());
        }
        Ok(held)
    }
}

async fn room(data: &Path, people: &[Person]) -> Result<chat::model::RoomId> {
    let mut seed = Seed::open(data).await?;
    let room = seed.room("a full room", people).await?;
    seed.finish().await?;
    Ok(room)
}
