//! Being connected: one connection's life.
//!
//! Whatever goes wrong with a connection ends it, and a new one begins from nothing: subscribe
//! to all that is wanted, and tell the listener topic by topic, which then looks into the
//! database for what it missed. That is one way to recover for every kind of trouble: a server
//! that restarted, one that hangs, a slot that moved to another master, and ourselves having
//! stood still.

use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::Ordering,
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use redis::{Cmd, PushInfo, PushKind, RedisResult, Value, cmd};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    Listener, Shared, Topic,
    link::Link,
    reconnect::Loss,
    wire::{self, Message, Parcel},
};

/// Messages of one batch, and about how many bytes of them.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;
/// Subscriptions asked for at once.
const ASKED: usize = 256;
/// How often we ask whether Redis is there, and give up topics that nobody wants.
const TICK: Duration = Duration::from_secs(2);
/// Whoever was late by so much for their own tick stood still (a stopped process, a sleeping
/// machine), and what they know is old.
const STOOD_STILL: Duration = Duration::from_secs(5);
/// How long the last messages may take when we leave.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) type Queue = crate::queue::Receiver<(Topic, Message)>;

/// What is under way on the connection.
enum Flight {
    Publish { messages: u64 },
    Subscribe(Topic),
    Unsubscribe(Topic),
    Ping,
}

/// How far a subscription is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Asked,
    Heard,
    Leaving,
}

pub(super) struct Session<'a> {
    shared: &'a Shared,
    listener: &'a dyn Listener,
    link: Link,
    flights: FuturesUnordered<BoxFuture<'static, (Flight, RedisResult<Value>)>>,
    /// Parcels of the batch under way: the next one gathers meanwhile.
    publishing: usize,
    phases: HashMap<Topic, Phase>,
    /// To be subscribed to or given up, as the wishes are when their turn comes.
    due: VecDeque<Topic>,
    asked: usize,
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, listener: &'a dyn Listener, link: Link) -> Self {
        let due = shared.wishes().all().into();
        Self {
            shared,
            listener,
            link,
            flights: FuturesUnordered::new(),
            publishing: 0,
            phases: HashMap::new(),
            due,
            asked: 0,
        }
    }

    /// Serves the connection until it is lost, or the bus closed.
    pub(super) async fn serve(
        &mut self,
        queue: &mut Queue,
        pushes: &mut mpsc::Receiver<PushInfo>,
    ) -> Result<(), Loss> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_tick = Instant::now();
        let mut is_connected = false;
        let mut heard = Vec::new();
        self.shared.is_up.store(true, Ordering::Relaxed);
        loop {
            self.subscribe_due();
            if !is_connected && self.due.is_empty() && self.asked == 0 {
                is_connected = true;
                self.shared.is_connected.send_replace(true);
                self.shared.metrics.redis.set(1.0);
                tracing::info!("Redis is connected");
            }
            tokio::select! {
                count = pushes.recv_many(&mut heard, BATCH) => {
                    if count == 0 {
                        return Err(Loss::Closed);
                    }
                    for push in heard.drain(..) {
                        self.hear(push)?;
                    }
                }
                Some((flight, result)) = self.flights.next() => {
                    if let (Err(_), Flight::Publish { messages }) = (&result, &flight) {
                        self.shared.metrics.dropped.increment(*messages);
                    }
                    result?;
                    self.land(&flight);
                }
                Some(first) = queue.recv(), if self.publishing == 0 => self.publish(first, queue),
                () = self.shared.wishes_changed.notified() => {
                    self.due.extend(self.shared.wishes().take_touched());
                }
                now = ticks.tick() => {
                    if now.duration_since(last_tick) > TICK + STOOD_STILL {
                        return Err(Loss::StoodStill);
                    }
                    last_tick = now;
                    self.tick(now);
                }
                () = self.shared.closing.cancelled() => {
                    self.leave(queue).await;
                    return Ok(());
                }
            }
        }
    }

    fn send(&self, flight: Flight, command: Cmd) {
        let mut link = self.link.clone();
        self.flights.push(Box::pin(async move {
            let answer = link.ask(&command).await;
            (flight, answer)
        }));
    }

    /// What was under way has succeeded.
    fn land(&mut self, flight: &Flight) {
        match *flight {
            Flight::Publish { messages } => {
                self.publishing -= 1;
                self.shared.metrics.published.increment(messages);
            }
            Flight::Subscribe(topic) => {
                self.asked -= 1;
                self.phases.insert(topic, Phase::Heard);
                let is_again = self.shared.wishes().set_heard(topic);
                self.listener.heard(topic, is_again);
                // It may have been given up meanwhile.
                self.due.push_back(topic);
            }
            Flight::Unsubscribe(topic) => {
                self.asked -= 1;
                self.phases.remove(&topic);
                self.due.push_back(topic);
            }
            Flight::Ping => {}
        }
    }

    /// Brings subscriptions in line with the wishes, as many at once as may be.
    fn subscribe_due(&mut self) {
        while self.asked < ASKED
            && let Some(topic) = self.due.pop_front()
        {
            let is_wanted = self.shared.wishes().contains(topic);
            let (phase, flight, command) = match (is_wanted, self.phases.get(&topic)) {
                (true, None) => (Phase::Asked, Flight::Subscribe(topic), "SSUBSCRIBE"),
                (false, Some(Phase::Heard)) => (Phase::Leaving, Flight::Unsubscribe(topic), "SUNSUBSCRIBE"),
                // As it should be, or looked at again when what is under way has ended.
                (true, Some(_)) | (false, _) => continue,
            };
            self.phases.insert(topic, phase);
            self.asked += 1;
            let channel = topic.channel(&self.shared.system);
            self.send(flight, cmd(command).arg(channel).take());
        }
    }

    /// Publishes what has gathered, one parcel a topic.
    fn publish(&mut self, first: (Topic, Message), queue: &mut Queue) {
        let mut parcels: HashMap<Topic, (Parcel, u64)> = HashMap::new();
        let (mut count, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some((topic, message)) = next {
            count += 1;
            if let Message::Frame(frame) = &message {
                bytes += frame.json.len();
            }
            let (parcel, messages) =
                parcels.entry(topic).or_insert_with(|| (Parcel::new(self.shared.node), 0));
            parcel.put(&message);
            *messages += 1;
            next = if count < BATCH && bytes < BATCH_BYTES { queue.try_recv() } else { None };
        }
        for (topic, (parcel, messages)) in parcels {
            self.publishing += 1;
            let channel = topic.channel(&self.shared.system);
            let command = cmd("SPUBLISH").arg(channel).arg(parcel.into_bytes()).take();
            self.send(Flight::Publish { messages }, command);
        }
    }

    fn hear(&mut self, push: PushInfo) -> Result<(), Loss> {
        match push.kind {
            PushKind::SMessage => {
                self.deliver(push.data);
                Ok(())
            }
            PushKind::Disconnection => Err(Loss::Closed),
            // Not asked for: in a cluster, the channel's slot has gone elsewhere.
            PushKind::SUnsubscribe if !self.phases.values().any(|phase| *phase == Phase::Leaving) => {
                Err(Loss::Moved)
            }
            // Answers, which the command's own future has as well, and what we never asked for.
            _ => Ok(()),
        }
    }

    fn deliver(&self, data: Vec<Value>) {
        let Ok([Value::BulkString(channel), Value::BulkString(parcel)]) = <[Value; 2]>::try_from(data) else {
            return;
        };
        let channel = String::from_utf8_lossy(&channel);
        let Some(topic) = Topic::from_channel(&self.shared.system, &channel) else { return };
        let Some((sender, messages)) = wire::open(Bytes::from(parcel)) else { return };
        if sender != self.shared.node {
            self.shared.metrics.received.increment(messages.len() as u64);
            self.listener.received(topic, sender, messages);
        }
    }

    fn tick(&mut self, now: Instant) {
        let mut wishes = self.shared.wishes();
        wishes.fade(now);
        self.due.extend(wishes.take_touched());
        drop(wishes);
        // In a cluster it goes to every master; one that does not answer ends the session.
        self.send(Flight::Ping, cmd("PING"));
    }

    /// Sends what is left in the queue.
    async fn leave(&mut self, queue: &mut Queue) {
        let farewell = async {
            loop {
                if self.publishing == 0 {
                    let Some(first) = queue.try_recv() else { return };
                    self.publish(first, queue);
                }
                match self.flights.next().await {
                    Some((flight, Ok(_))) => self.land(&flight),
                    Some((_, Err(_))) | None => return,
                }
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}
