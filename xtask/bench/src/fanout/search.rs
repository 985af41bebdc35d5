//! The highest rate of deliveries in one room.

use std::time::Duration;

use anyhow::Result;

use super::crowd::Crowd;
use crate::{
    Bench, goals,
    host::{Host, Plan},
    report::{Column, Goal, Report, Row, short},
    side::{Database, Side},
};

/// The size of the room.
const MEMBERS: usize = 100;
/// The limit of the 99th percentile of latency.
const PATIENCE: Duration = Duration::from_millis(250);
/// The rate at which the search begins, in deliveries a second.
const FROM: f64 = 20_000.0;
/// The factor of each step up, and how often the last step is then halved.
const STEP: f64 = 1.5;
const HALVINGS: usize = 2;

/// Searches it on every server. It is a figure without a goal, except that of MariaDB.
pub(super) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let what = format!("room of {MEMBERS}: highest rate with p99 under {} ms", PATIENCE.as_millis());
    let cell = |rate: &f64| format!("{}/s", short(*rate));
    let mut row = Row::new(&*what);
    for side in [Side::Bare, Side::Node, Side::Beside] {
        let peer = bench.peer(side, highest(bench, side)).await;
        row = row.put(side.column(), peer.cell(cell));
    }
    let sqlite = highest(bench, Side::Liao(Database::Sqlite)).await?;
    report.row(row.put(Column::Liao, cell(&sqlite)));
    if bench.has(Side::Liao(Database::Mariadb)) {
        let mariadb = highest(bench, Side::Liao(Database::Mariadb)).await?;
        let half = goals::RATE_OF_SQLITE;
        let goal = Goal::at_least_times(mariadb, half, Some(sqlite), "/s", "SQLite");
        let row = Row::new(format!("MariaDB: {what}"));
        report.row(row.put(Column::Liao, cell(&mariadb)).goal(goal));
    }
    Ok(())
}

/// The highest rate that holds, in deliveries a second.
async fn highest(bench: &Bench, side: Side) -> Result<f64> {
    let length = Duration::from_secs(bench.either(4, 2));
    let mut gathered = None;
    let (mut held, mut failed) = (0.0, None::<f64>);
    let mut halvings = 0;
    let mut is_second = false;
    while halvings < HALVINGS || held == 0.0 {
        let rate = match failed {
            None => (held * STEP).max(FROM),
            Some(failed) => f64::midpoint(held, failed),
        };
        // A crowd with closed sockets or late messages is replaced.
        let (host, mut crowd) = match gathered.take() {
            Some(gathered) => gathered,
            None => gather(bench, side).await?,
        };
        let outcome = crowd.load(&host.server, rate, length).await?;
        if outcome.held() && outcome.p99() < PATIENCE {
            held = rate;
            gathered = Some((host, crowd));
        } else if !is_second {
            // One stall of the disk does not end the search: the same rate again.
            is_second = true;
            continue;
        } else {
            failed = Some(rate);
        }
        is_second = false;
        halvings += usize::from(failed.is_some());
    }
    Ok(held)
}

async fn gather(bench: &Bench, side: Side) -> Result<(Host, Crowd)> {
    let host = Host::start(bench, side, &Plan::one_room(MEMBERS)).await?;
    let crowd = Crowd::gather(&host).await?;
    Ok((host, crowd))
}
