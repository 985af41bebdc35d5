//! One connection to Redis, from connecting to disconnecting.
//!
//! Any error on a connection ends it. A new one starts from scratch: it subscribes to all topics and notifies the
//! listener of each, which then polls the database for what it missed. So one recovery path serves every failure: a
//! server that restarted, one that hangs, a slot that moved to another master, and a process that was frozen itself.

use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::Ordering,
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use redis::{Cmd, PushInfo, PushKind, RedisError, RedisResult, Value, cmd};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    Listener, Shared, Topic,
    connection::{ConnectError, RedisConnection},
    wire::{self, BusMessage, Packet},
};

/// Messages of one batch, and roughly their bytes.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;
/// Subscribe and unsubscribe commands pending at once.
const SUBSCRIBES_MAX: usize = 256;
/// Interval for pinging Redis and for dropping topics whose linger time is over.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// If a tick is late by this much, the process was frozen (stopped, or the machine slept) and its state is outdated.
const FROZEN_AFTER: Duration = Duration::from_secs(5);
/// Timeout for publishing the queue at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) type Queue = crate::queue::Receiver<(Topic, BusMessage)>;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum DisconnectReason {
    #[error("{0}")]
    Connect(#[from] ConnectError),
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("the connection was closed")]
    Closed,
    #[error("a channel moved to another server")]
    ChannelMoved,
    #[error("this process was frozen")]
    ProcessFrozen,
}

/// A command sent and not replied to yet.
enum PendingCommand {
    Publish { messages: u64 },
    Subscribe(Topic),
    Unsubscribe(Topic),
    Ping,
}

/// State of a topic's subscription.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Subscribing,
    Active,
    Unsubscribing,
}

pub(super) struct RedisSession<'a> {
    shared: &'a Shared,
    listener: &'a dyn Listener,
    connection: RedisConnection,
    pending: FuturesUnordered<BoxFuture<'static, (PendingCommand, RedisResult<Value>)>>,
    /// Packets of the current batch that are pending. The next batch gathers meanwhile.
    publishing: usize,
    phases: HashMap<Topic, Phase>,
    /// Topics to subscribe to or unsubscribe from, whichever [`Subscriptions`](super::Subscriptions) says when they
    /// are processed.
    due: VecDeque<Topic>,
    changing: usize,
}

impl<'a> RedisSession<'a> {
    pub(super) fn new(shared: &'a Shared, listener: &'a dyn Listener, connection: RedisConnection) -> Self {
        let due = shared.subscriptions().all().into();
        Self {
            shared,
            listener,
            connection,
            pending: FuturesUnordered::new(),
            publishing: 0,
            phases: HashMap::new(),
            due,
            changing: 0,
        }
    }

    /// Runs until the connection is lost or the bus is closed.
    pub(super) async fn serve(
        &mut self,
        queue: &mut Queue,
        pushes: &mut mpsc::Receiver<PushInfo>,
    ) -> Result<(), DisconnectReason> {
        let mut ticks = interval(PING_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_tick = Instant::now();
        let mut is_connected = false;
        let mut received = Vec::new();
        self.shared.is_up.store(true, Ordering::Relaxed);
        loop {
            self.subscribe_due();
            if !is_connected && self.due.is_empty() && self.changing == 0 {
                is_connected = true;
                self.shared.is_connected.send_replace(true);
                self.shared.metrics.redis.set(1.0);
                tracing::info!("Redis is connected");
            }
            tokio::select! {
                count = pushes.recv_many(&mut received, BATCH) => {
                    if count == 0 {
                        return Err(DisconnectReason::Closed);
                    }
                    for push in received.drain(..) {
                        self.receive(push)?;
                    }
                }
                Some((pending, result)) = self.pending.next() => {
                    if let (Err(_), PendingCommand::Publish { messages }) = (&result, &pending) {
                        self.shared.metrics.dropped.increment(*messages);
                    }
                    result?;
                    self.complete(&pending);
                }
                Some(first) = queue.recv(), if self.publishing == 0 => self.publish(first, queue),
                () = self.shared.subscriptions_changed.notified() => {
                    self.due.extend(self.shared.subscriptions().take_changed());
                }
                now = ticks.tick() => {
                    if now.duration_since(last_tick) > PING_INTERVAL + FROZEN_AFTER {
                        return Err(DisconnectReason::ProcessFrozen);
                    }
                    last_tick = now;
                    self.tick(now);
                }
                () = self.shared.closing.cancelled() => {
                    self.drain(queue).await;
                    return Ok(());
                }
            }
        }
    }

    fn send(&self, pending: PendingCommand, command: Cmd) {
        let mut connection = self.connection.clone();
        self.pending.push(Box::pin(async move {
            let answer = connection.query(&command).await;
            (pending, answer)
        }));
    }

    /// Handles the successful reply to a command.
    fn complete(&mut self, pending: &PendingCommand) {
        match *pending {
            PendingCommand::Publish { messages } => {
                self.publishing -= 1;
                self.shared.metrics.published.increment(messages);
            }
            PendingCommand::Subscribe(topic) => {
                self.changing -= 1;
                self.phases.insert(topic, Phase::Active);
                let is_resubscribed = self.shared.subscriptions().set_active(topic);
                self.listener.subscribed(topic, is_resubscribed);
                // It may have been released meanwhile.
                self.due.push_back(topic);
            }
            PendingCommand::Unsubscribe(topic) => {
                self.changing -= 1;
                self.phases.remove(&topic);
                self.due.push_back(topic);
            }
            PendingCommand::Ping => {}
        }
    }

    /// Sends the subscribe and unsubscribe commands that are due, up to the limit of pending ones.
    fn subscribe_due(&mut self) {
        while self.changing < SUBSCRIBES_MAX
            && let Some(topic) = self.due.pop_front()
        {
            let is_subscribed = self.shared.subscriptions().contains(topic);
            let (phase, pending, command) = match (is_subscribed, self.phases.get(&topic)) {
                (true, None) => (Phase::Subscribing, PendingCommand::Subscribe(topic), "SSUBSCRIBE"),
                (false, Some(Phase::Active)) => {
                    (Phase::Unsubscribing, PendingCommand::Unsubscribe(topic), "SUNSUBSCRIBE")
                }
                // Nothing to do, or a command is pending and the topic is checked again after its reply.
                (true, Some(_)) | (false, _) => continue,
            };
            self.phases.insert(topic, phase);
            self.changing += 1;
            let channel = topic.channel(&self.shared.system);
            self.send(pending, cmd(command).arg(channel).take());
        }
    }

    /// Publishes the queued messages, one packet per topic.
    fn publish(&mut self, first: (Topic, BusMessage), queue: &mut Queue) {
        let mut packets: HashMap<Topic, (Packet, u64)> = HashMap::new();
        let (mut count, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some((topic, message)) = next {
            count += 1;
            bytes += message.bytes();
            let (packet, messages) =
                packets.entry(topic).or_insert_with(|| (Packet::new(self.shared.node), 0));
            packet.push(&message);
            *messages += 1;
            next = if count < BATCH && bytes < BATCH_BYTES { queue.try_recv() } else { None };
        }
        for (topic, (packet, messages)) in packets {
            self.publishing += 1;
            let channel = topic.channel(&self.shared.system);
            let command = cmd("SPUBLISH").arg(channel).arg(packet.into_bytes()).take();
            self.send(PendingCommand::Publish { messages }, command);
        }
    }

    fn receive(&mut self, push: PushInfo) -> Result<(), DisconnectReason> {
        match push.kind {
            PushKind::SMessage => {
                self.deliver(push.data);
                Ok(())
            }
            PushKind::Disconnection => Err(DisconnectReason::Closed),
            // Unsolicited: in a cluster, the channel's slot moved to another server.
            PushKind::SUnsubscribe if !self.phases.values().any(|phase| *phase == Phase::Unsubscribing) => {
                Err(DisconnectReason::ChannelMoved)
            }
            // Replies, which the pending command also gets, and kinds we do not use.
            _ => Ok(()),
        }
    }

    fn deliver(&self, data: Vec<Value>) {
        let Ok([Value::BulkString(channel), Value::BulkString(packet)]) = <[Value; 2]>::try_from(data) else {
            return;
        };
        let channel = String::from_utf8_lossy(&channel);
        let Some(topic) = Topic::from_channel(&self.shared.system, &channel) else { return };
        let Some((sender, messages)) = wire::decode(Bytes::from(packet)) else { return };
        if sender != self.shared.node {
            self.shared.metrics.received.increment(messages.len() as u64);
            self.listener.received(topic, sender, messages);
        }
    }

    fn tick(&mut self, now: Instant) {
        let mut subscriptions = self.shared.subscriptions();
        subscriptions.remove_expired(now);
        self.due.extend(subscriptions.take_changed());
        drop(subscriptions);
        // In a cluster this pings every master. One that does not reply ends the session.
        self.send(PendingCommand::Ping, cmd("PING"));
    }

    /// Publishes what is left in the queue.
    async fn drain(&mut self, queue: &mut Queue) {
        let drained = async {
            loop {
                if self.publishing == 0 {
                    let Some(first) = queue.try_recv() else { return };
                    self.publish(first, queue);
                }
                match self.pending.next().await {
                    Some((pending, Ok(_))) => self.complete(&pending),
                    Some((_, Err(_))) | None => return,
                }
            }
        };
        let _ = timeout(DRAIN_TIMEOUT, drained).await;
    }
}
