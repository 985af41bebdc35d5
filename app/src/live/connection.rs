//! The browser's half: keeps a socket to one room open for as long as its page is, and hands its frames to the state.
//!
//! A lost connection is tried again with growing waits, at once when the network or the reader returns; each time it
//! resumes after the last change seen, and sends again what is unconfirmed. A line that stays silent is asked, and
//! given up when it does not answer: a laptop that slept does not learn otherwise that its socket is dead.

use std::{pin::pin, time::Duration};

use chat::model::{ClientFrame, Code, MessageId, RoomId, RoomMessage};
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
    stream::{Fuse, SplitSink, SplitStream},
};
use gloo_net::websocket::{Message as Packet, WebSocketError, futures::WebSocket};
use gloo_timers::future::sleep;
use leptos::prelude::*;

use super::{
    Line,
    apply::{Outcome, Position, apply},
    backoff, closed_for_good,
    frames::{self, Heard},
    stay::stay,
};
use crate::{
    browser::{clock::now_ms, document::socket_url, random::chance},
    state::{roster::Roster, timeline::Timeline, typing::Typists},
};

/// After so much silence the server is asked whether it is there.
const ASK_AFTER_MS: f64 = 25_000.0;
/// And after so much more it is given up.
const GIVE_UP_AFTER_MS: f64 = 8_000.0;
/// How often those who stopped typing are looked for, while somebody types.
const TYPISTS_EVERY: Duration = Duration::from_secs(1);

/// What the connection reads and writes.
#[derive(Clone, Copy)]
pub struct Signals {
    /// The messages.
    pub timeline: RwSignal<Timeline>,
    /// Who is typing.
    pub typists: RwSignal<Typists>,
    /// How the line is.
    pub line: RwSignal<Line>,
    /// Who is in the room.
    pub roster: RwSignal<Roster>,
}

/// What a page does about what it hears.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// A message that was not known came in.
    pub fresh: Callback<RoomMessage>,
    /// A message says something else now.
    pub changed: Callback<(MessageId, String)>,
    /// Too much was missed: read the newest page anew.
    pub reload: Callback<()>,
    /// The line stands (again).
    pub established: Callback<()>,
    /// The reader may do more or less now.
    pub moved: Callback<()>,
    /// The server will not have us here any more, and why.
    pub closed: Callback<Code>,
}

/// Follows `room` from change number `rev` until the current owner goes; what is sent into the answer goes to the
/// server while the line stands, and nowhere while it does not (messages wait in the timeline).
pub fn follow(room: RoomId, rev: i64, signals: Signals, hooks: Hooks) -> UnboundedSender<ClientFrame> {
    let (frames, outgoing) = mpsc::unbounded();
    stay(|nudges| {
        let position = Position { rev };
        let (asked_at, reason) = (None, None);
        Connection { room, position, signals, hooks, outgoing, nudges, asked_at, reason }.run()
    });
    frames
}

/// Why a socket is over.
enum End {
    Lost,
    Refused(Code),
}

struct Connection {
    room: RoomId,
    position: Position,
    signals: Signals,
    hooks: Hooks,
    outgoing: UnboundedReceiver<ClientFrame>,
    nudges: UnboundedReceiver<()>,
    /// When the server was asked whether it is there, if it has not answered since.
    asked_at: Option<f64>,
    /// What the server refused just now: where it closes then, that is why, in more detail than the close code.
    reason: Option<Code>,
}

impl Connection {
    async fn run(mut self) {
        let (mut failures, mut has_stood) = (0, false);
        loop {
            let (end, was_open) = self.once().await;
            has_stood |= was_open;
            if let End::Refused(code) = end {
                let code = self.reason.unwrap_or(code);
                self.signals.line.set(Line::Closed(code));
                // Whom the server never let in has a page as new as it gets.
                if has_stood {
                    self.hooks.closed.run(code);
                }
                return;
            }
            failures = if was_open { 0 } else { failures + 1 };
            // The first return is quick, and mostly nobody need know.
            if failures > 0 {
                self.signals.line.set(Line::Lost);
            }
            self.signals.typists.update(Typists::clear);
            let mut wait = pin!(sleep(backoff::wait(failures, chance())).fuse());
            futures::select! {
                () = wait => {},
                _ = self.nudges.next() => {},
            }
        }
    }

    /// One socket, from opening to end; true if it ever stood.
    async fn once(&mut self) -> (End, bool) {
        let path = format!("/ws/chat/{}/?after_rev={}", self.room, self.position.rev);
        let Ok(socket) = WebSocket::open(&socket_url(&path)) else { return (End::Lost, false) };
        let (mut sink, stream) = socket.split();
        let mut stream = stream.fuse();
        let mut is_open = false;
        let end = self.talk(&mut sink, &mut stream, &mut is_open).await;
        (end, is_open)
    }

    async fn talk(
        &mut self,
        sink: &mut SplitSink<WebSocket, Packet>,
        stream: &mut Fuse<SplitStream<WebSocket>>,
        is_open: &mut bool,
    ) -> End {
        let mut heard_at = now_ms();
        self.asked_at = None;
        loop {
            let mut tick = pin!(sleep(self.nap()).fuse());
            futures::select! {
                packet = stream.next() => {
                    heard_at = now_ms();
                    self.asked_at = None;
                    let outcome = match packet {
                        Some(Ok(Packet::Text(text))) => self.hear(&text),
                        Some(Ok(Packet::Bytes(_))) => Outcome::Nothing,
                        Some(Err(WebSocketError::ConnectionClose(close))) => return end_of(close.code),
                        Some(Err(_)) | None => return End::Lost,
                    };
                    if outcome == Outcome::Established {
                        *is_open = true;
                        self.signals.line.set(Line::Open);
                        for draft in self.signals.timeline.with_untracked(Timeline::unconfirmed) {
                            if send(sink, &ClientFrame::ChatMessage(draft)).await.is_err() {
                                return End::Lost;
                            }
                        }
                    }
                    self.reason = if let Outcome::Refused(code) = outcome { Some(code) } else { None };
                    self.report(outcome);
                }
                frame = self.outgoing.next() => {
                    if let Some(frame) = frame
                        && *is_open
                        && send(sink, &frame).await.is_err()
                    {
                        return End::Lost;
                    }
                }
                _ = self.nudges.next() => {
                    if self.ask(sink).await.is_err() {
                        return End::Lost;
                    }
                }
                () = tick => {
                    if !self.signals.typists.with_untracked(Typists::is_empty) {
                        self.signals.typists.maybe_update(|typists| typists.lapse(now_ms()));
                    }
                    if self.asked_at.is_some_and(|asked| now_ms() - asked >= GIVE_UP_AFTER_MS) {
                        return End::Lost;
                    }
                    if now_ms() - heard_at >= ASK_AFTER_MS && self.ask(sink).await.is_err() {
                        return End::Lost;
                    }
                }
            }
        }
    }

    fn hear(&mut self, text: &str) -> Outcome {
        let Self { position, signals, .. } = self;
        let heard = frames::read(text);
        if heard == Heard::Other {
            return Outcome::Nothing;
        }
        match &heard {
            Heard::Joined(user) => signals.roster.update(|roster| roster.presence(user, true)),
            Heard::Left(user) => signals.roster.update(|roster| roster.presence(user, false)),
            Heard::Member(changed) => {
                signals.roster.update(|roster| roster.change(changed.clone()));
                if changed.moves(signals.timeline.with_untracked(Timeline::me)) {
                    self.hooks.moved.run(());
                }
            }
            _ => {}
        }
        let mut typists = signals.typists.get_untracked();
        let mut outcome = Outcome::Nothing;
        signals.timeline.maybe_update(|timeline| {
            outcome = apply(heard, timeline, &mut typists, position, now_ms());
            outcome != Outcome::Nothing
        });
        if signals.typists.with_untracked(|known| *known != typists) {
            signals.typists.set(typists);
        }
        outcome
    }

    fn report(&self, outcome: Outcome) {
        match outcome {
            Outcome::Established => self.hooks.established.run(()),
            Outcome::Fresh(message) => self.hooks.fresh.run(*message),
            Outcome::Changed { id, content } => self.hooks.changed.run((id, content)),
            Outcome::Reload => self.hooks.reload.run(()),
            Outcome::Nothing | Outcome::Done | Outcome::Refused(_) => {}
        }
    }

    async fn ask(&mut self, sink: &mut SplitSink<WebSocket, Packet>) -> Result<(), WebSocketError> {
        if self.asked_at.is_none() {
            self.asked_at = Some(now_ms());
        }
        send(sink, &ClientFrame::Ping).await
    }

    fn nap(&self) -> Duration {
        if !self.signals.typists.with_untracked(Typists::is_empty) {
            TYPISTS_EVERY
        } else if self.asked_at.is_some() {
            Duration::from_secs_f64(GIVE_UP_AFTER_MS / 1_000.0)
        } else {
            Duration::from_secs_f64(ASK_AFTER_MS / 1_000.0)
        }
    }
}

async fn send(sink: &mut SplitSink<WebSocket, Packet>, frame: &ClientFrame) -> Result<(), WebSocketError> {
    match serde_json::to_string(frame) {
        Ok(text) => sink.send(Packet::Text(text)).await,
        Err(_) => Ok(()),
    }
}

fn end_of(close_code: u16) -> End {
    closed_for_good(close_code).map_or(End::Lost, End::Refused)
}
