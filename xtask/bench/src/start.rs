//! The time until a new server responds, and the memory of an idle server.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::{
    Bench, goals,
    http::{self, Connection},
    process::{Server, liao},
    report::{Goal, Report, Row, figure, short},
};

/// The number of starts; the median counts.
const TRIES: usize = 5;
/// After this time a new server is idle.
const CALM: Duration = Duration::from_secs(3);

/// Measures both.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(
        "**Start.** From starting the process on an empty folder, through making the database and the demo account, to \
         the answer of `/readyz`; the median of five. Memory three seconds later, after that one request.",
    );
    let mut starts = Vec::new();
    let mut resident = 0;
    for _ in 0..TRIES {
        let folder = tempfile::tempdir_in(&bench.run.folder)?;
        let start = Instant::now();
        let server = Server::start(liao(&bench.run.server, &folder.path().join("data")).arg("--demo"))?;
        let mut connection = Connection::open(server.address).await?;
        let (status, _) = connection.call(&http::get(server.address, "/readyz", "")).await?;
        ensure!(status == 200, "/readyz says {status}");
        starts.push(start.elapsed());
        if starts.len() == TRIES {
            tokio::time::sleep(CALM).await;
            resident = server.memory()?.resident;
        }
    }
    starts.sort();
    let first = starts[TRIES / 2].as_secs_f64() * 1_000.0;
    report.row(Row {
        what: "first answer after the start, database made".into(),
        beside: String::new(),
        value: format!("{} ms", short(first)),
        goal: Some(Goal::at_most(first, goals::FIRST_ANSWER_MS, " ms")),
    });
    let mib = figure(resident) / 1_024.0;
    report.row(Row {
        what: "idle server, resident memory".into(),
        beside: String::new(),
        value: format!("{} MiB", short(mib)),
        goal: Some(Goal::at_most(mib, goals::IDLE_MIB, " MiB")),
    });
    Ok(())
}
