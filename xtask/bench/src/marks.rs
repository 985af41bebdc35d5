//! The time of a `POST` while the members of a large room mark its messages as read.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use chat::model::RoomId;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::tcp::OwnedWriteHalf, time::sleep_until};

use crate::{
    Bench,
    host::{Host, Plan, PlannedRoom},
    http::{self, Connection},
    message,
    report::{Column, Goal, Report, Row, figure, short},
    seed::{Person, number},
    side::{Database, Side},
    socket,
};

/// Members of the room, each with a socket open.
const MEMBERS: usize = 5_000;
/// Upgrades under way at once.
const AT_ONCE: usize = 64;
/// Each member marks one message further in each of these.
const ROUND: Duration = Duration::from_secs(1);
/// The pause from one `POST`'s response to the next request.
const PAUSE: Duration = Duration::from_millis(10);
/// The upper end of the latency histogram, in microseconds.
const LONGEST: u64 = 60_000_000;
/// A `POST`'s 99th percentile at most, as a multiple of the one without marks.
const GOAL: f64 = 2.0;

/// Measures `POST`s to a small room, first while all sockets are idle.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section(&format!(
        "**Read marks.** A room of {} with a socket for each member. Each member marks one message further every second, at \
         any moment of it; meanwhile somebody posts to another room, one message at a time.",
        short(figure(number(MEMBERS)))
    ));
    let rounds = bench.either(20_u32, 8);
    let rooms = vec![
        PlannedRoom { members: 0..MEMBERS, messages: usize::try_from(rounds)? },
        PlannedRoom { members: 0..1, messages: 0 },
    ];
    let plan = Plan { people: MEMBERS, rooms };
    let host = Host::start(bench, Side::Liao(Database::Sqlite), &plan).await?;
    let [large, small] = host.rooms.as_slice() else { bail!("two rooms were planned") };
    let (server, poster) = (&host.server, small.creator()?);

    let marked = message_ids(server.address, large.id, poster).await?;
    let mut writers = open_all(server.address, large.id, &large.members).await?;
    let idle = post(server.address, small.id, poster, Instant::now() + ROUND * rounds).await?;
    let cpu = server.cpu()?;
    let until = Instant::now() + ROUND * rounds;
    let marking = mark(&mut writers, &marked);
    let (busy, ()) = futures::try_join!(post(server.address, small.id, poster, until), marking)?;
    let cpu = server.cpu()?.since(cpu).server.as_secs_f64() / (ROUND * rounds).as_secs_f64();
    let milliseconds = |latencies: &Histogram<u64>, quantile| {
        let value = u32::try_from(latencies.value_at_quantile(quantile)).unwrap_or(u32::MAX);
        f64::from(value) / 1_000.0
    };
    let row = |latencies| {
        let at = |quantile| short(milliseconds(latencies, quantile));
        format!("p50 {} ms, p99 {} ms", at(0.5), at(0.99))
    };
    let limit = GOAL * milliseconds(&idle, 0.99);
    let goal = Goal::at_most(milliseconds(&busy, 0.99), limit, " ms").that_is(&format!("{GOAL} × idle"));
    report.row(Row::new("a POST while all are idle").put(Column::Liao, row(&idle)));
    let what = format!("a POST while {} members mark", short(figure(number(MEMBERS))));
    let value = format!("{}; {} of a core", row(&busy), short(cpu));
    report.row(Row::new(what).put(Column::Liao, value).goal(goal));
    Ok(())
}

/// The ids of the room's messages, oldest first.
async fn message_ids(address: SocketAddr, room: RoomId, reader: &Person) -> Result<Vec<i64>> {
    let path = format!("/api/chat/rooms/{room}/messages/?page_size=100&after_id=0");
    let mut connection = Connection::open(address).await?;
    let (status, body) = connection.call(&http::get(address, &path, &reader.token)).await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(body));
    let page: Value = serde_json::from_slice(body)?;
    let messages = page["messages"].as_array().context("no messages")?;
    messages.iter().map(|message| message["id"].as_i64().context("a message without an id")).collect()
}

/// Opens a socket for each of these people. What they receive is read and dropped.
async fn open_all(address: SocketAddr, room: RoomId, people: &[Person]) -> Result<Vec<OwnedWriteHalf>> {
    let path = format!("/ws/chat/{room}/");
    stream::iter(people)
        .map(|person| {
            let path = &path;
            async move {
                let (mut reader, writer) = socket::open(address, path, &person.token).await?;
                // It ends with the server. A ping is not answered: the run is shorter than that takes.
                tokio::task::spawn_local(async move { while let Ok(Some(_)) = reader.frame().await {} });
                Ok(writer)
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// All members mark these messages, one each [`ROUND`].
async fn mark(writers: &mut [OwnedWriteHalf], messages: &[i64]) -> Result<()> {
    let start = Instant::now();
    let pace = ROUND / u32::try_from(writers.len())?;
    let mut marks = 0;
    for id in messages {
        let mut frame = Vec::new();
        socket::put_text(&mut frame, &format!(r#"{{"type":"message_read","message_id":{id}}}"#));
        for writer in &mut *writers {
            sleep_until((start + pace * marks).into()).await;
            writer.write_all(&frame).await.context("a socket was closed")?;
            marks += 1;
        }
    }
    Ok(())
}

/// Posts until the time is over. Returns the latencies in microseconds.
async fn post(address: SocketAddr, room: RoomId, person: &Person, until: Instant) -> Result<Histogram<u64>> {
    let path = format!("/api/chat/rooms/{room}/messages/");
    let mut latencies = Histogram::new_with_max(LONGEST, 3)?;
    let mut connection = Connection::open(address).await?;
    while Instant::now() < until {
        let json = format!(r#"{{"content":"{}"}}"#, message::text(0, message::now()));
        let start = Instant::now();
        let (status, body) = connection.call(&http::post(address, &path, &person.token, &json)).await?;
        ensure!(status == 201, "{status}: {}", String::from_utf8_lossy(body));
        latencies.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(LONGEST));
        tokio::time::sleep(PAUSE).await;
    }
    Ok(latencies)
}
