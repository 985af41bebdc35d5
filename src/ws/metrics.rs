//! What sockets measure of themselves. Labels have the values that stand here and no others.

use std::sync::LazyLock;

use chat::model::ClientFrame;
use metrics::{Counter, Gauge};

const OPEN: &str = "liao_sockets";
const SENT: &str = "liao_frames_sent_total";
const RECEIVED: &str = "liao_frames_received_total";
const CLOSED: &str = "liao_socket_closes_total";

static METRICS: LazyLock<SocketMetrics> = LazyLock::new(SocketMetrics::new);

/// Says what each figure is, and starts them at nought.
pub fn describe() {
    metrics::describe_gauge!(OPEN, "Open sockets, by what they are for");
    metrics::describe_counter!(SENT, "Frames of rooms and notifications handed to sockets");
    metrics::describe_counter!(RECEIVED, "Frames that clients sent, by type");
    metrics::describe_counter!(CLOSED, "Sockets closed, by the server's close code; 'peer': the client went");
    LazyLock::force(&METRICS);
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// One room.
    Room,
    /// A user's notifications.
    Notifications,
}

/// The handles: to look one up costs more than to count.
struct SocketMetrics {
    rooms: Gauge,
    notifications: Gauge,
    sent: Counter,
    chat_message: Counter,
    typing: Counter,
    user_join: Counter,
    user_leave: Counter,
    message_read: Counter,
    ping: Counter,
    authenticate: Counter,
    bad: Counter,
}

impl SocketMetrics {
    fn new() -> Self {
        let open = |kind: &'static str| metrics::gauge!(OPEN, "kind" => kind);
        let received = |frame: &'static str| metrics::counter!(RECEIVED, "type" => frame);
        // That readers are too slow is asked for before the first one was.
        metrics::counter!(CLOSED, "code" => "4408").increment(0);
        Self {
            rooms: open("room"),
            notifications: open("notifications"),
            sent: metrics::counter!(SENT),
            chat_message: received("chat_message"),
            typing: received("typing"),
            user_join: received("user_join"),
            user_leave: received("user_leave"),
            message_read: received("message_read"),
            ping: received("ping"),
            authenticate: received("authenticate"),
            bad: received("bad"),
        }
    }
}

/// Counts as an open socket until it is dropped.
pub struct Open(&'static Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Counts a socket that opens.
pub fn open(kind: SocketKind) -> Open {
    let gauge = match kind {
        SocketKind::Room => &METRICS.rooms,
        SocketKind::Notifications => &METRICS.notifications,
    };
    gauge.increment(1);
    Open(gauge)
}

/// Counts frames handed to one socket at once.
pub fn sent(frames: u64) {
    METRICS.sent.increment(frames);
}

/// Counts a frame that a client sent; `None`: one that is no frame of the contract.
pub fn received(frame: Option<&ClientFrame>) {
    let counter = match frame {
        None => &METRICS.bad,
        Some(ClientFrame::ChatMessage(_)) => &METRICS.chat_message,
        Some(ClientFrame::Typing { .. }) => &METRICS.typing,
        Some(ClientFrame::UserJoin) => &METRICS.user_join,
        Some(ClientFrame::UserLeave) => &METRICS.user_leave,
        Some(ClientFrame::MessageRead { .. }) => &METRICS.message_read,
        Some(ClientFrame::Ping) => &METRICS.ping,
        Some(ClientFrame::Authenticate { .. }) => &METRICS.authenticate,
    };
    counter.increment(1);
}

/// Counts a socket that the server closes.
pub fn closed(code: u16) {
    metrics::counter!(CLOSED, "code" => code.to_string()).increment(1);
}

/// Counts a socket whose client went, or is gone.
pub fn lost() {
    metrics::counter!(CLOSED, "code" => "peer").increment(1);
}
