//! The sockets of one room: opens them, sends, and checks every delivery.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use tokio::{
    io::AsyncWriteExt as _,
    net::tcp::OwnedWriteHalf,
    sync::mpsc,
    time::{sleep, sleep_until},
};

use crate::{
    cost::Cost,
    host::Host,
    message::{self, since},
    process::{Cpu, Server},
    report::{figure, short},
    seed::number,
    side::Side,
    socket::{self, Kind, Reader},
};

/// Upgrades under way at once.
const AT_ONCE: usize = 64;
/// How long no frame may arrive for the room to count as idle, and the timeout for that.
const CALM: Duration = Duration::from_millis(500);
const GATHERING: Duration = Duration::from_mins(3);
/// The timeout of the last deliveries.
const DRAINING: Duration = Duration::from_secs(10);

/// The upper end of the latency histogram, in microseconds.
const LONGEST: u64 = 60_000_000;

/// A room full of open sockets.
pub(super) struct Crowd {
    members: u64,
    sender: mpsc::UnboundedSender<Vec<u8>>,
    /// The frame of a message, for this server.
    frame: fn(u64, u64) -> String,
    tally: Rc<RefCell<Tally>>,
    /// Messages sent so far.
    sent: u64,
}

/// The result of one load.
pub(super) struct Outcome {
    deliveries: u64,
    cpu: Cpu,
    latencies: Histogram<u64>,
    /// Deliveries that were late or lost.
    outstanding: u64,
    /// Sockets that the server closed.
    closed: u64,
}

/// What all sockets have received.
struct Tally {
    /// Whether messages have a change number.
    has_rev: bool,
    latencies: Histogram<u64>,
    deliveries: u64,
    /// Frames that are not messages: announcements of joins.
    others: u64,
    closed: u64,
    /// The first wrong delivery.
    wrong: Option<String>,
}

/// The frame that a bare broadcast sends on: the same that Liao makes of the message.
fn bare_frame(number: u64, moment: u64) -> String {
    format!(
        r#"{{"type":"chat_message","message":{{"id":{id},"content":"{}","message_type":"text","timestamp":"2026-01-25T15:30:00.123456Z","created_at":"2026-01-25T15:30:00.123456Z","sender":{{"id":1,"username":"person00000","first_name":"","last_name":""}},"reply_to":null,"file_url":null,"file_name":null,"file_size":null,"is_edited":false,"is_deleted":false,"client_id":null}},"rev":{id}}}"#,
        message::text(number, moment),
        id = number + 1,
    )
}

impl Crowd {
    /// Opens a socket for each member of the server's only room, and waits until all joins have been announced.
    pub(super) async fn gather(host: &Host) -> Result<Self> {
        let (address, room) = (host.server.address, host.room()?);
        let (path, people) = (room.socket(), &room.members);
        let tally = Rc::new(RefCell::new(Tally {
            has_rev: host.side.has_rev(),
            latencies: Histogram::new_with_max(LONGEST, 3)?,
            deliveries: 0,
            others: 0,
            closed: 0,
            wrong: None,
        }));
        let first = Cell::new(None);
        stream::iter(people)
            .map(Ok::<_, anyhow::Error>)
            .try_for_each_concurrent(AT_ONCE, |person| {
                let (tally, first, path) = (Rc::clone(&tally), &first, &path);
                async move {
                    let (reader, writer) = socket::open(address, path, &person.token).await?;
                    let (sender, queue) = mpsc::unbounded_channel();
                    tokio::task::spawn_local(write(writer, queue));
                    first.set(Some(sender.clone()));
                    tokio::task::spawn_local(listen(reader, sender, tally));
                    Ok(())
                }
            })
            .await?;
        let sender = first.take().context("nobody came")?;
        let frame = if host.side == Side::Bare { bare_frame } else { message::frame };
        let mut crowd = Self { members: number(people.len()), sender, frame, tally, sent: 0 };
        crowd.calm_down().await?;
        Ok(crowd)
    }

    async fn calm_down(&mut self) -> Result<()> {
        let deadline = Instant::now() + GATHERING;
        loop {
            let before = self.tally.borrow().others;
            sleep(CALM).await;
            if self.tally.borrow().others == before {
                break;
            }
            ensure!(Instant::now() < deadline, "the room does not come to rest");
        }
        let closed = self.tally.borrow().closed;
        ensure!(closed == 0, "{closed} of {} sockets were closed while the room gathered", self.members);
        Ok(())
    }

    /// Sends at `rate` deliveries a second for `length`, then waits for the last delivery.
    ///
    /// # Errors
    /// When a delivery was lost, duplicated, out of order or had the wrong text.
    pub(super) async fn load(&mut self, server: &Server, rate: f64, length: Duration) -> Result<Outcome> {
        {
            let mut tally = self.tally.borrow_mut();
            tally.latencies.reset();
            tally.deliveries = 0;
        }
        let cpu = server.cpu()?;
        let sent = self.send(rate / figure(self.members), length).await?;
        let expected = sent * self.members;
        let deadline = Instant::now() + DRAINING;
        while self.tally.borrow().is_waiting(expected) && Instant::now() < deadline {
            sleep(Duration::from_millis(5)).await;
        }
        let tally = self.tally.borrow();
        if let Some(wrong) = &tally.wrong {
            bail!("a delivery was wrong: {wrong}");
        }
        Ok(Outcome {
            deliveries: tally.deliveries,
            cpu: server.cpu()?.since(cpu),
            latencies: tally.latencies.clone(),
            outstanding: expected - tally.deliveries,
            closed: tally.closed,
        })
    }

    /// Sends at `rate` messages a second. Returns their number.
    async fn send(&mut self, rate: f64, length: Duration) -> Result<u64> {
        let start = Instant::now();
        let due = |n: u64| start + Duration::from_secs_f64(figure(n) / rate);
        let mut sent = 0;
        while due(sent) < start + length {
            let now = Instant::now();
            let mut frames = Vec::new();
            while due(sent) <= now && due(sent) < start + length {
                socket::put_text(&mut frames, &(self.frame)(self.sent, message::moment(due(sent))));
                self.sent += 1;
                sent += 1;
            }
            if !frames.is_empty() {
                self.sender.send(frames).ok().context("the sender's socket was closed")?;
            }
            if self.tally.borrow().closed > 0 {
                break;
            }
            sleep_until(due(sent).into()).await;
        }
        Ok(sent)
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn listen(mut reader: Reader, sender: mpsc::UnboundedSender<Vec<u8>>, tally: Rc<RefCell<Tally>>) {
    let mut next = 0;
    loop {
        let mut is_over = false;
        while let Some((kind, frame)) = reader.ready() {
            match kind {
                Kind::Text if message::is_message(frame) => {
                    tally.borrow_mut().hear(frame, next);
                    next += 1;
                }
                Kind::Text => tally.borrow_mut().others += 1,
                Kind::Ping => {
                    let mut pong = Vec::new();
                    socket::put_pong(&mut pong, frame);
                    is_over |= sender.send(pong).is_err();
                }
                Kind::Close => is_over = true,
                Kind::Other => {}
            }
        }
        if is_over || !matches!(reader.fill().await, Ok(true)) {
            tally.borrow_mut().closed += 1;
            return;
        }
    }
}

impl Tally {
    /// Whether deliveries are still missing.
    fn is_waiting(&self, expected: u64) -> bool {
        self.deliveries < expected && self.closed == 0
    }

    /// One delivery, which must be message `number`.
    fn hear(&mut self, frame: &[u8], number: u64) {
        self.deliveries += 1;
        let content = message::content(frame).map(|content| message::check(content, number));
        match content {
            // A room starts empty, so its change number follows from the message's.
            Some(Ok(moment)) if !self.has_rev || message::rev(frame) == Some(number + 1) => {
                let latency = u64::try_from(since(moment).as_micros()).unwrap_or(u64::MAX);
                self.latencies.saturating_record(latency);
            }
            other => {
                let frame = String::from_utf8_lossy(frame);
                self.wrong
                    .get_or_insert_with(|| format!("{other:?} where message {number} was to come: {frame}"));
            }
        }
    }
}

impl Outcome {
    /// Server CPU, in seconds per million deliveries.
    pub(super) fn cost(&self) -> Cost {
        Cost::per_million(self.cpu, figure(self.deliveries.max(1)))
    }

    /// Whether every socket stayed open and received everything.
    pub(super) fn held(&self) -> bool {
        self.outstanding == 0 && self.closed == 0
    }

    /// The 99th percentile of latency.
    pub(super) fn p99(&self) -> Duration {
        self.at(0.99)
    }

    fn at(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.latencies.value_at_quantile(quantile))
    }

    /// Cost, and what did not hold.
    pub(super) fn cost_cell(&self) -> String {
        let cost = self.cost().to_string();
        if self.held() {
            return cost;
        }
        format!("{cost}; not held: {} sockets closed, {} deliveries late", self.closed, self.outstanding)
    }

    /// Latencies.
    pub(super) fn latency_cell(&self) -> String {
        let milliseconds = |quantile| short(self.at(quantile).as_secs_f64() * 1_000.0);
        format!("p50 {} ms, p99 {} ms", milliseconds(0.5), milliseconds(0.99))
    }
}
