//! The time until a new server responds, and the memory of an idle server.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    Bench, beside, goals,
    http::{self, Connection},
    process::{self, Server},
    report::{Column, Goal, Report, Row, figure, short},
    side::{Database, Side},
};

/// The number of starts; the median counts.
const TRIES: usize = 5;
/// After this time a new server is idle.
const CALM: Duration = Duration::from_secs(3);

/// What is measured of a server.
struct Outcome {
    /// Milliseconds; `None` for a server that was not started here.
    first: Option<f64>,
    /// MiB.
    resident: f64,
}

/// Measures both.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(
        "**Start.** From starting the process on an empty folder, through making the database and the demo account, to \
         the answer of `/readyz`; the median of five. Memory three seconds later, after that one request; of the server \
         of `--beside`, as it runs.",
    );
    let (mut first, mut resident) =
        (Row::new("first answer after the start, database made"), Row::new("idle server, resident memory"));
    for side in [Side::Node, Side::Beside] {
        let outcome = bench.peer(side, run(bench, side)).await;
        first = first.put(side.column(), outcome.cell(Outcome::first_cell));
        resident = resident.put(side.column(), outcome.cell(Outcome::resident_cell));
    }
    let liao = run(bench, Side::Liao(Database::Sqlite)).await?;
    let milliseconds = liao.first.context("Liao was started")?;
    let goal = Goal::at_most(milliseconds, goals::FIRST_ANSWER_MS, " ms");
    report.row(first.put(Column::Liao, liao.first_cell()).goal(goal));
    let goal = Goal::at_most(liao.resident, goals::IDLE_MIB, " MiB");
    report.row(resident.put(Column::Liao, liao.resident_cell()).goal(goal));
    if bench.has(Side::Liao(Database::Mariadb)) {
        let mariadb = run(bench, Side::Liao(Database::Mariadb)).await?;
        let twice =
            |value, base, unit| Goal::at_most_times(value, goals::COST_OF_SQLITE, Some(base), unit, "SQLite");
        let goal = twice(mariadb.first.context("Liao was started")?, milliseconds, " ms");
        let row = Row::new("MariaDB: first answer after the start, tables made");
        report.row(row.put(Column::Liao, mariadb.first_cell()).goal(goal));
        let row = Row::new("MariaDB: idle server, resident memory without mariadbd");
        let goal = twice(mariadb.resident, liao.resident, " MiB");
        report.row(row.put(Column::Liao, mariadb.resident_cell()).goal(goal));
    }
    Ok(())
}

impl Outcome {
    fn first_cell(&self) -> String {
        self.first.map_or(String::new(), |first| format!("{} ms", short(first)))
    }

    fn resident_cell(&self) -> String {
        format!("{} MiB", short(self.resident))
    }
}

async fn run(bench: &Bench, side: Side) -> Result<Outcome> {
    if side == Side::Beside {
        let url = bench.run.beside.as_ref().context("no server was named with --beside")?;
        return Ok(Outcome { first: None, resident: resident(&beside::server(url)?)? });
    }
    let mut starts = Vec::new();
    let mut mib = 0.0;
    for _ in 0..TRIES {
        let folder = tempfile::tempdir_in(&bench.run.folder)?;
        let (mut command, database) = command(bench, side, &folder)?;
        let start = Instant::now();
        let server = Server::start(&mut command, database)?;
        let mut connection = Connection::open(server.address).await?;
        let (status, _) = connection.call(&http::get(server.address, "/readyz", "")).await?;
        ensure!(status == 200, "/readyz says {status}");
        starts.push(start.elapsed());
        if starts.len() == TRIES {
            tokio::time::sleep(CALM).await;
            mib = resident(&server)?;
        }
    }
    starts.sort();
    Ok(Outcome { first: Some(starts[TRIES / 2].as_secs_f64() * 1_000.0), resident: mib })
}

/// The command line on an empty database, and the process of the database, when that is another.
fn command(bench: &Bench, side: Side, folder: &tempfile::TempDir) -> Result<(Command, Option<u32>)> {
    let data = folder.path().join("data");
    let Side::Liao(database) = side else {
        let node = bench.run.node.as_ref().context("Node is not part of this run")?;
        return Ok((process::node(node, &folder.path().join("chat.db")), None));
    };
    let (url, process) = bench.database(database, &data)?;
    let mut command = process::liao(&bench.run.server, &data, &url);
    command.arg("--demo");
    Ok((command, process))
}

/// MiB.
fn resident(server: &Server) -> Result<f64> {
    Ok(figure(server.memory()?.resident) / 1_024.0)
}
