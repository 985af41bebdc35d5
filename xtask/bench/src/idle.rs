//! The memory of an idle socket.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Bench, goals,
    host::{Host, Plan},
    report::{Column, Goal, Report, Row, figure, short},
    seed::number,
    side::{Database, Side},
    socket::{self, Kind},
};

/// Members of a room. Each one that joins is announced to all others.
const ROOM: usize = 100;
/// Upgrades under way at once.
const AT_ONCE: usize = 64;
/// After this time all announcements of joins have been sent.
const CALM: Duration = Duration::from_secs(4);

/// The path and the token of a socket.
type Place = (String, String);

/// Measures every server, each with so many sockets that the fixed cost of the process counts little.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(
        "**Idle sockets.** Memory of the process (its proportional share) with the sockets open less that before, for \
         each socket. Distinct users, in rooms of 100.",
    );
    for count in bench.either(vec![goals::SOCKETS, 2 * goals::SOCKETS], vec![goals::SOCKETS]) {
        let what = format!("an idle socket, of {}", short(figure(number(count))));
        let cell = |kib: &f64| format!("{} KiB", short(*kib));
        let mut row = Row::new(&*what);
        for side in [Side::Bare, Side::Node, Side::Beside] {
            let peer = bench.peer(side, per_socket(bench, side, count)).await;
            row = row.put(side.column(), peer.cell(cell));
        }
        let value = per_socket(bench, Side::Liao(Database::Sqlite), count).await?;
        row = row.put(Column::Liao, cell(&value));
        if count == goals::SOCKETS {
            row = row.goal(Goal::at_most(value, goals::SOCKET_KIB, " KiB"));
        }
        report.row(row);
        if bench.has(Side::Liao(Database::Mariadb)) {
            let mariadb = per_socket(bench, Side::Liao(Database::Mariadb), count).await?;
            let twice = goals::COST_OF_SQLITE;
            let goal = Goal::at_most_times(mariadb, twice, Some(value), " KiB", "SQLite");
            let row = Row::new(format!("MariaDB: {what}"));
            report.row(row.put(Column::Liao, cell(&mariadb)).goal(goal));
        }
    }
    Ok(())
}

/// KiB for each socket.
async fn per_socket(bench: &Bench, side: Side, count: usize) -> Result<f64> {
    let mut host = Host::start(bench, side, &Plan::rooms_of(ROOM, count)).await?;
    host.restart(bench)?;
    let places: Vec<Place> = host
        .rooms
        .iter()
        .flat_map(|room| room.members.iter().map(|member| (room.socket(), member.token.clone())))
        .collect();
    let server = &host.server;
    // One socket first: what the process allocates once is not part of a socket.
    open_all(server.address, &places[..1]).await?;
    tokio::time::sleep(CALM).await;
    let before = server.memory()?.proportional;
    let listening = open_all(server.address, &places).await?;
    tokio::time::sleep(CALM).await;
    let after = server.memory()?.proportional;
    let open = Rc::strong_count(&listening) - 1;
    ensure!(open == places.len(), "{open} of {} sockets are open", places.len());
    Ok((figure(after) - figure(before)) / figure(number(places.len())))
}

/// Opens every socket and answers its pings in a task. Each task holds a clone of the returned value while its socket is
/// open. The sockets stay open until the server ends.
async fn open_all(address: SocketAddr, places: &[Place]) -> Result<Rc<()>> {
    let open = Rc::new(());
    stream::iter(places)
        .map(Ok::<_, anyhow::Error>)
        .try_for_each_concurrent(AT_ONCE, |(path, token)| {
            let held = Rc::clone(&open);
            async move {
                let (reader, writer) = socket::open(address, path, token).await?;
                tokio::task::spawn_local(async move {
                    // The connection ends with the server.
                    let _ = answer_pings(reader, writer).await;
                    drop(held);
                });
                Ok(())
            }
        })
        .await?;
    Ok(open)
}

async fn answer_pings(mut reader: socket::Reader, mut writer: tokio::net::tcp::OwnedWriteHalf) -> Result<()> {
    let mut pong = Vec::new();
    while let Some((kind, payload)) = reader.frame().await? {
        match kind {
            Kind::Ping => {
                pong.clear();
                socket::put_pong(&mut pong, payload);
                tokio::io::AsyncWriteExt::write_all(&mut writer, &pong).await?;
            }
            Kind::Close => break,
            Kind::Text | Kind::Other => {}
        }
    }
    Ok(())
}
