//! The metrics of sockets. Label values are fixed here, so that clients cannot multiply them.

use std::sync::LazyLock;

use chat::model::ClientFrame;
use metrics::{Counter, Gauge};

const OPEN: &str = "liao_sockets";
const SENT: &str = "liao_frames_sent_total";
const RECEIVED: &str = "liao_frames_received_total";
const CLOSED: &str = "liao_socket_closes_total";

static METRICS: LazyLock<SocketMetrics> = LazyLock::new(SocketMetrics::new);

/// Describes each metric and registers it with the value 0.
pub fn describe() {
    metrics::describe_gauge!(OPEN, "Open sockets, by what they are for");
    metrics::describe_counter!(SENT, "Frames of rooms and notifications handed to sockets");
    metrics::describe_counter!(RECEIVED, "Frames that clients sent, by type");
    metrics::describe_counter!(CLOSED, "Sockets closed, by the server's close code; 'peer': the client went");
    LazyLock::force(&METRICS);
}

/// The kind of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// One room.
    Room,
    /// A user's notifications.
    Notifications,
    /// A user's notifications and subscriptions.
    Combined,
}

/// The handles, kept because looking one up costs more than counting.
struct SocketMetrics {
    rooms: Gauge,
    notifications: Gauge,
    combined: Gauge,
    sent: Counter,
    chat_message: Counter,
    typing: Counter,
    user_join: Counter,
    user_leave: Counter,
    message_read: Counter,
    subscribe: Counter,
    unsubscribe: Counter,
    ping: Counter,
    authenticate: Counter,
    bad: Counter,
}

impl SocketMetrics {
    fn new() -> Self {
        let open = |kind: &'static str| metrics::gauge!(OPEN, "kind" => kind);
        let received = |frame: &'static str| metrics::counter!(RECEIVED, "type" => frame);
        // Alerts on slow readers need the series before the first one.
        metrics::counter!(CLOSED, "code" => "4408").increment(0);
        Self {
            rooms: open("room"),
            notifications: open("notifications"),
            combined: open("combined"),
            sent: metrics::counter!(SENT),
            chat_message: received("chat_message"),
            typing: received("typing"),
            user_join: received("user_join"),
            user_leave: received("user_leave"),
            message_read: received("message_read"),
            subscribe: received("subscribe"),
            unsubscribe: received("unsubscribe"),
            ping: received("ping"),
            authenticate: received("authenticate"),
            bad: received("bad"),
        }
    }
}

/// Guard that counts one open socket until it is dropped.
pub struct Open(&'static Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Counts a socket as open.
pub fn open(kind: SocketKind) -> Open {
    let gauge = match kind {
        SocketKind::Room => &METRICS.rooms,
        SocketKind::Notifications => &METRICS.notifications,
        SocketKind::Combined => &METRICS.combined,
    };
    gauge.increment(1);
    Open(gauge)
}

/// Counts frames written to one socket.
pub fn sent(frames: u64) {
    METRICS.sent.increment(frames);
}

/// Counts a frame from a client. `None`: it was not a valid frame.
pub fn received(frame: Option<&ClientFrame>) {
    let counter = match frame {
        None => &METRICS.bad,
        Some(ClientFrame::ChatMessage { .. }) => &METRICS.chat_message,
        Some(ClientFrame::Typing { .. }) => &METRICS.typing,
        Some(ClientFrame::UserJoin { .. }) => &METRICS.user_join,
        Some(ClientFrame::UserLeave { .. }) => &METRICS.user_leave,
        Some(ClientFrame::MessageRead { .. }) => &METRICS.message_read,
        Some(ClientFrame::Subscribe(_)) => &METRICS.subscribe,
        Some(ClientFrame::Unsubscribe { .. }) => &METRICS.unsubscribe,
        Some(ClientFrame::Ping) => &METRICS.ping,
        Some(ClientFrame::Authenticate { .. }) => &METRICS.authenticate,
    };
    counter.increment(1);
}

/// Counts a socket closed by the server.
pub fn closed(code: u16) {
    metrics::counter!(CLOSED, "code" => code.to_string()).increment(1);
}

/// Counts a socket closed or abandoned by its client.
pub fn lost() {
    metrics::counter!(CLOSED, "code" => "peer").increment(1);
}
