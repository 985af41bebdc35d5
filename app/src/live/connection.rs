//! Client of `/ws/`, connected as long as the page is open.
//!
//! Reconnects with exponential backoff, and at once when the network or the user returns. A silent connection is pinged,
//! and dropped when there is no pong: a laptop that slept has no other way to learn that its connection is dead.

use std::{pin::pin, time::Duration};

use chat::model::Code;
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use gloo_net::websocket::{Message as Packet, WebSocketError, futures::WebSocket};
use gloo_timers::future::sleep;
use leptos::{ev, prelude::*};

use super::{
    backoff, client_frames::ClientFrame, permanent_close_code, run_until_cleanup::run_until_cleanup,
};
use crate::browser::{clock::now_ms, document::socket_url, random::jitter};

/// A ping is sent after so much silence.
const PING_AFTER_MS: f64 = 25_000.0;
/// A connection without a response to the ping is dropped after this.
const PONG_TIMEOUT_MS: f64 = 8_000.0;

const PING: &str = r#"{"type":"ping"}"#;

/// A connection that has lasted so long ends a series of failures.
const STABLE_MS: f64 = 2_000.0;

/// What happened to the connection.
pub enum Event {
    /// A frame came. The first of a connection is `connection_established`.
    Frame(String),
    /// There is no connection; the next attempt follows by itself.
    Lost,
    /// The server will not have this user any more.
    Rejected(Code),
}

/// Frames for the server. While there is no connection they are dropped.
#[derive(Clone)]
pub struct Frames(UnboundedSender<String>);

impl Frames {
    pub fn send(&self, frame: &ClientFrame<'_>) {
        if let Ok(json) = serde_json::to_string(frame) {
            // Fails only when the page was closed.
            let _ = self.0.unbounded_send(json);
        }
    }
}

/// Connects until the current owner is cleaned up.
pub fn connect(on_event: impl Fn(Event) + Clone + 'static) -> Frames {
    let (frames, outgoing) = mpsc::unbounded();
    // The browser knows at once; the connection itself would notice only by a ping without a pong.
    let offline = window_event_listener(ev::offline, {
        let on_event = on_event.clone();
        move |_| on_event(Event::Lost)
    });
    on_cleanup(move || offline.remove());
    run_until_cleanup(|wakeups| reconnect_loop(wakeups, outgoing, on_event));
    Frames(frames)
}

enum SocketEnd {
    /// Closed before the first frame.
    NeverOpened,
    /// Closed after at least one frame.
    Lost,
    /// Closed with a code after which a client must not reconnect.
    Rejected(Code),
}

async fn reconnect_loop(
    mut wakeups: UnboundedReceiver<()>,
    mut outgoing: UnboundedReceiver<String>,
    on_event: impl Fn(Event),
) {
    let mut failures = 0;
    loop {
        let began_at = now_ms();
        failures = match run_once(&mut wakeups, &mut outgoing, &on_event).await {
            SocketEnd::Rejected(code) => return on_event(Event::Rejected(code)),
            // The first reconnect is quick and mostly succeeds, so nothing is shown.
            SocketEnd::Lost if now_ms() - began_at >= STABLE_MS => 0,
            SocketEnd::Lost | SocketEnd::NeverOpened => failures + 1,
        };
        if failures > 0 {
            on_event(Event::Lost);
        }
        let mut wait = pin!(sleep(backoff::wait(failures, jitter())).fuse());
        futures::select! {
            () = wait => {},
            _ = wakeups.next() => {},
        }
    }
}

/// Runs one connection until it ends.
async fn run_once(
    wakeups: &mut UnboundedReceiver<()>,
    outgoing: &mut UnboundedReceiver<String>,
    on_event: &impl Fn(Event),
) -> SocketEnd {
    let Ok(socket) = WebSocket::open(&socket_url("/ws/")) else { return SocketEnd::NeverOpened };
    let (mut sink, stream) = socket.split();
    let mut stream = stream.fuse();
    let (mut end, mut is_open, mut is_pinged) = (SocketEnd::NeverOpened, false, false);
    let mut due_at = now_ms() + PING_AFTER_MS;
    loop {
        // What is sent does not put it off: a dead connection takes frames too.
        let silence = Duration::from_secs_f64((due_at - now_ms()).max(0.0) / 1_000.0);
        let mut silence = pin!(sleep(silence).fuse());
        let frame = futures::select! {
            packet = stream.next() => match packet {
                Some(Ok(packet)) => {
                    (is_pinged, due_at) = (false, now_ms() + PING_AFTER_MS);
                    if let Packet::Text(text) = packet {
                        (end, is_open) = (SocketEnd::Lost, true);
                        on_event(Event::Frame(text));
                    }
                    continue;
                }
                Some(Err(WebSocketError::ConnectionClose(close))) => {
                    return permanent_close_code(close.code).map_or(end, SocketEnd::Rejected);
                }
                Some(Err(_)) | None => return end,
            },
            frame = outgoing.next() => frame.filter(|_| is_open),
            _ = wakeups.next() => Some(PING.to_owned()),
            () = silence => {
                if is_pinged {
                    return end;
                }
                Some(PING.to_owned())
            }
        };
        let Some(frame) = frame else { continue };
        if frame == PING && !is_pinged {
            (is_pinged, due_at) = (true, now_ms() + PONG_TIMEOUT_MS);
        }
        if sink.send(Packet::Text(frame)).await.is_err() {
            return end;
        }
    }
}
