//! The memory of an idle socket.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Bench, goals,
    process::{Server, bare, liao},
    report::{Goal, Report, Row, figure, short},
    seed::{Person, Seed},
    socket::{self, Kind},
};

/// Members of a room. Each one that joins is announced to all others.
const ROOM: usize = 100;
/// Upgrades under way at once.
const AT_ONCE: usize = 64;
/// After this time all announcements of joins have been sent.
const CALM: Duration = Duration::from_secs(4);

/// A user and the path of their socket.
type Place = (String, Person);

/// Measures the server and bare, each with so many sockets that the fixed cost of the process counts little.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(
        "**Idle sockets.** Memory of the process (its proportional share) with the sockets open less that before, for \
         each socket. Distinct users, in rooms of 100.",
    );
    let counts = bench.either(vec![5_000, 10_000], vec![5_000]);
    let most = counts.iter().copied().max().context("no counts")?;
    let folder = tempfile::tempdir_in(&bench.run.folder)?;
    let data = folder.path().join("data");
    let places = places(&data, most).await?;
    for count in counts {
        let floor = per_socket(Server::start(&mut bare()?)?, &places[..count]).await?;
        let value = per_socket(Server::start(&mut liao(&bench.run.server, &data))?, &places[..count]).await?;
        report.row(Row {
            what: format!("an idle socket, of {}", short(figure(crate::seed::number(count)))),
            beside: format!("bare {} KiB", short(floor)),
            value: format!("{} KiB", short(value)),
            goal: Some(Goal::at_most(value, goals::SOCKET_KIB, " KiB")),
        });
    }
    Ok(())
}

async fn places(data: &std::path::Path, count: usize) -> Result<Vec<Place>> {
    let mut seed = Seed::open(data).await?;
    let people = seed.people(count).await?;
    let mut places = Vec::with_capacity(count);
    for (number, members) in people.chunks(ROOM).enumerate() {
        let room = seed.room(&format!("room {number}"), members).await?;
        places.extend(members.iter().map(|person| (format!("/ws/chat/{room}/"), person.clone())));
    }
    seed.finish().await?;
    Ok(places)
}

/// KiB for each socket.
async fn per_socket(server: Server, places: &[Place]) -> Result<f64> {
    // One socket first: what the process allocates once is not part of a socket.
    open_all(server.address, &places[..1]).await?;
    tokio::time::sleep(CALM).await;
    let before = server.memory()?.proportional;
    let listening = open_all(server.address, places).await?;
    tokio::time::sleep(CALM).await;
    let after = server.memory()?.proportional;
    let open = Rc::strong_count(&listening) - 1;
    ensure!(open == places.len(), "{open} of {} sockets are open", places.len());
    Ok((figure(after) - figure(before)) / figure(crate::seed::number(places.len())))
}

/// Opens every socket and answers its pings in a task. Each task holds a clone of the returned value while its socket is
/// open. The sockets stay open until the server ends.
async fn open_all(address: SocketAddr, places: &[Place]) -> Result<Rc<()>> {
    let open = Rc::new(());
    stream::iter(places)
        .map(Ok::<_, anyhow::Error>)
        .try_for_each_concurrent(AT_ONCE, |(path, person)| {
            let held = Rc::clone(&open);
            async move {
                let (reader, writer) = socket::open(address, path, &person.token).await?;
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
