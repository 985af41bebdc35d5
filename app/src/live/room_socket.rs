//! Client of `/ws/chat/{id}/`, connected as long as the room's page is open; it applies frames to the page's signals.
//!
//! Reconnects with exponential backoff, and at once when the network or the user returns. Each reconnect resumes
//! after the last `rev` received and sends unconfirmed messages again. A silent connection is pinged, and dropped
//! when there is no pong: a laptop that slept has no other way to learn that its connection is dead.

use std::{pin::pin, time::Duration};

use chat::model::{Code, MessageId, RoomId, RoomMessage};
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
    stream::{Fuse, SplitSink, SplitStream},
};
use gloo_net::websocket::{Message as Packet, WebSocketError, futures::WebSocket};
use gloo_timers::future::sleep;
use leptos::{ev, prelude::*};

use super::{
    ConnectionState,
    apply::{Outcome, Position, apply},
    backoff,
    client_frames::RoomClientFrame,
    permanent_close_code,
    room_frames::{self, MembersChanged, RoomFrame},
    run_until_cleanup::run_until_cleanup,
};
use crate::{
    browser::{clock::now_ms, document::socket_url, random::jitter},
    state::{roster::Roster, timeline::Timeline, typing::Typists},
};

/// A ping is sent after so much silence.
const PING_AFTER_MS: f64 = 25_000.0;
/// A connection without a response to the ping is dropped after this.
const PONG_TIMEOUT_MS: f64 = 8_000.0;
/// How often expired typists are removed, while there are any.
const TYPISTS_CHECK_EVERY: Duration = Duration::from_secs(1);

/// The signals that frames are applied to.
#[derive(Clone, Copy)]
pub struct Signals {
    pub timeline: RwSignal<Timeline>,
    pub typists: RwSignal<Typists>,
    pub connection: RwSignal<ConnectionState>,
    pub roster: RwSignal<Roster>,
}

/// Callbacks of the page.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// A message that was not known before.
    pub new_message: Callback<RoomMessage>,
    /// A message was edited or deleted; the new content.
    pub message_changed: Callback<(MessageId, String)>,
    /// Too much was missed: load the newest page again.
    pub reload: Callback<()>,
    pub established: Callback<()>,
    /// What the current user may do in the room has changed.
    pub permissions_changed: Callback<()>,
    /// Closed by the server for good, after the connection had been established.
    pub closed: Callback<Code>,
}

/// Follows `room` from `rev` until the current owner is cleaned up. Frames sent to the returned channel go to the
/// server while connected, and are dropped otherwise (messages stay pending in the timeline).
pub fn follow(room: RoomId, rev: i64, signals: Signals, hooks: Hooks) -> UnboundedSender<RoomClientFrame> {
    let (frames, outgoing) = mpsc::unbounded();
    // The browser knows at once; the connection itself would notice only by a ping without a pong.
    let offline = window_event_listener(ev::offline, move |_| {
        if signals.connection.get_untracked() == ConnectionState::Open {
            signals.connection.set(ConnectionState::Lost);
        }
    });
    on_cleanup(move || offline.remove());
    run_until_cleanup(|wakeups| {
        let position = Position { rev };
        let (pinged_at, last_error, loss) = (None, None, None);
        RoomSocket { room, position, signals, hooks, outgoing, wakeups, pinged_at, last_error, loss }.run()
    });
    frames
}

enum Disconnect {
    Lost,
    Rejected(Code),
}

struct RoomSocket {
    room: RoomId,
    position: Position,
    signals: Signals,
    hooks: Hooks,
    outgoing: UnboundedReceiver<RoomClientFrame>,
    wakeups: UnboundedReceiver<()>,
    /// When the unanswered ping was sent.
    pinged_at: Option<f64>,
    /// The last error frame, if nothing followed it. Before a close it gives the reason in more detail than the close
    /// code.
    last_error: Option<Code>,
    /// How the current user lost the room, by the last change of their membership. A hidden room closes as not found then.
    loss: Option<Code>,
}

impl RoomSocket {
    async fn run(mut self) {
        let (mut failures, mut was_connected) = (0, false);
        loop {
            let (end, was_open) = self.run_once().await;
            was_connected |= was_open;
            if let Disconnect::Rejected(code) = end {
                let code = match self.last_error.unwrap_or(code) {
                    Code::NotFound => self.loss.unwrap_or(Code::NotFound),
                    code => code,
                };
                self.signals.connection.set(ConnectionState::Closed(code));
                // A page whose connection was rejected at once is as new as a reload would be.
                if was_connected {
                    self.hooks.closed.run(code);
                }
                return;
            }
            failures = if was_open { 0 } else { failures + 1 };
            // The first reconnect is quick and mostly succeeds, so nothing is shown.
            if failures > 0 {
                self.signals.connection.set(ConnectionState::Lost);
            }
            self.signals.typists.update(Typists::clear);
            let mut wait = pin!(sleep(backoff::wait(failures, jitter())).fuse());
            futures::select! {
                () = wait => {},
                _ = self.wakeups.next() => {},
            }
        }
    }

    /// Runs one connection until it ends; true if it was established.
    async fn run_once(&mut self) -> (Disconnect, bool) {
        let path = format!("/ws/chat/{}/?after_rev={}", self.room, self.position.rev);
        let Ok(socket) = WebSocket::open(&socket_url(&path)) else { return (Disconnect::Lost, false) };
        let (mut sink, stream) = socket.split();
        let mut stream = stream.fuse();
        let mut is_open = false;
        let end = self.run_socket(&mut sink, &mut stream, &mut is_open).await;
        (end, is_open)
    }

    async fn run_socket(
        &mut self,
        sink: &mut SplitSink<WebSocket, Packet>,
        stream: &mut Fuse<SplitStream<WebSocket>>,
        is_open: &mut bool,
    ) -> Disconnect {
        let mut received_at = now_ms();
        self.pinged_at = None;
        loop {
            let mut tick = pin!(sleep(self.next_tick()).fuse());
            futures::select! {
                packet = stream.next() => {
                    received_at = now_ms();
                    self.pinged_at = None;
                    // The network was away, and the connection is alive.
                    if *is_open && self.signals.connection.get_untracked() == ConnectionState::Lost {
                        self.signals.connection.set(ConnectionState::Open);
                    }
                    let outcome = match packet {
                        Some(Ok(Packet::Text(text))) => self.on_frame(&text),
                        Some(Ok(Packet::Bytes(_))) => Outcome::Nothing,
                        Some(Err(WebSocketError::ConnectionClose(close))) => return disconnect_reason(close.code),
                        Some(Err(_)) | None => return Disconnect::Lost,
                    };
                    if outcome == Outcome::Established {
                        *is_open = true;
                        self.signals.connection.set(ConnectionState::Open);
                        for draft in self.signals.timeline.with_untracked(Timeline::unconfirmed) {
                            if send(sink, &RoomClientFrame::ChatMessage(draft)).await.is_err() {
                                return Disconnect::Lost;
                            }
                        }
                    }
                    self.last_error = if let Outcome::Error(code) = outcome { Some(code) } else { None };
                    self.run_hooks(outcome);
                }
                frame = self.outgoing.next() => {
                    if let Some(frame) = frame
                        && *is_open
                        && send(sink, &frame).await.is_err()
                    {
                        return Disconnect::Lost;
                    }
                }
                _ = self.wakeups.next() => {
                    if self.ping(sink).await.is_err() {
                        return Disconnect::Lost;
                    }
                }
                () = tick => {
                    if !self.signals.typists.with_untracked(Typists::is_empty) {
                        self.signals.typists.maybe_update(|typists| typists.remove_expired(now_ms()));
                    }
                    if self.pinged_at.is_some_and(|pinged| now_ms() - pinged >= PONG_TIMEOUT_MS) {
                        return Disconnect::Lost;
                    }
                    if now_ms() - received_at >= PING_AFTER_MS && self.ping(sink).await.is_err() {
                        return Disconnect::Lost;
                    }
                }
            }
        }
    }

    fn on_frame(&mut self, text: &str) -> Outcome {
        let Self { position, signals, .. } = self;
        let frame = room_frames::decode(text);
        if frame == RoomFrame::Other {
            return Outcome::Nothing;
        }
        match &frame {
            RoomFrame::Joined(user) => signals.roster.update(|roster| roster.set_presence(user, true)),
            RoomFrame::Left(user) => signals.roster.update(|roster| roster.set_presence(user, false)),
            RoomFrame::Member(changed) => {
                signals.roster.update(|roster| roster.change(changed.clone()));
                let is_me = changed.user.id == signals.timeline.with_untracked(Timeline::me);
                if is_me {
                    self.loss = match (changed.is_present, changed.is_banned) {
                        (_, true) => Some(Code::Banned),
                        (false, false) => Some(Code::NotAMember),
                        (true, false) => None,
                    };
                    if self.loss.is_none() {
                        self.hooks.permissions_changed.run(());
                    }
                }
            }
            RoomFrame::Members(MembersChanged { member_count, .. }) => {
                signals.roster.update(|roster| roster.count = *member_count);
            }
            _ => {}
        }
        let mut typists = signals.typists.get_untracked();
        let mut outcome = Outcome::Nothing;
        signals.timeline.maybe_update(|timeline| {
            outcome = apply(frame, timeline, &mut typists, position, now_ms());
            outcome != Outcome::Nothing
        });
        if signals.typists.with_untracked(|known| *known != typists) {
            signals.typists.set(typists);
        }
        outcome
    }

    fn run_hooks(&self, outcome: Outcome) {
        match outcome {
            Outcome::Established => self.hooks.established.run(()),
            Outcome::NewMessage(message) => self.hooks.new_message.run(*message),
            Outcome::MessageChanged { id, content } => self.hooks.message_changed.run((id, content)),
            Outcome::Reload => self.hooks.reload.run(()),
            Outcome::Nothing | Outcome::Updated | Outcome::Error(_) => {}
        }
    }

    async fn ping(&mut self, sink: &mut SplitSink<WebSocket, Packet>) -> Result<(), WebSocketError> {
        if self.pinged_at.is_none() {
            self.pinged_at = Some(now_ms());
        }
        send(sink, &RoomClientFrame::Ping).await
    }

    fn next_tick(&self) -> Duration {
        if !self.signals.typists.with_untracked(Typists::is_empty) {
            TYPISTS_CHECK_EVERY
        } else if self.pinged_at.is_some() {
            Duration::from_secs_f64(PONG_TIMEOUT_MS / 1_000.0)
        } else {
            Duration::from_secs_f64(PING_AFTER_MS / 1_000.0)
        }
    }
}

async fn send(
    sink: &mut SplitSink<WebSocket, Packet>,
    frame: &RoomClientFrame,
) -> Result<(), WebSocketError> {
    match serde_json::to_string(frame) {
        Ok(text) => sink.send(Packet::Text(text)).await,
        Err(_) => Ok(()),
    }
}

fn disconnect_reason(close_code: u16) -> Disconnect {
    permanent_close_code(close_code).map_or(Disconnect::Lost, Disconnect::Rejected)
}
