//! The metrics of connections. Label values are fixed here, so that clients cannot multiply them.

use std::sync::LazyLock;

use metrics::{Counter, Gauge};

use super::limits::LimitReached;

const OPEN: &str = "liao_connections";
const REJECTED: &str = "liao_connections_refused_total";
const ENDED: &str = "liao_connections_ended_total";

static METRICS: LazyLock<ConnectionMetrics> = LazyLock::new(ConnectionMetrics::new);

/// The handles, kept because looking one up costs more than counting.
struct ConnectionMetrics {
    open: Gauge,
    total: Counter,
    address: Counter,
    header: Counter,
    body: Counter,
    keep_alive: Counter,
    write: Counter,
    evicted: Counter,
}

/// Why the server closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The head of a request timed out.
    Header,
    /// The body of a request stalled.
    Body,
    /// It was idle for too long.
    KeepAlive,
    /// A write stalled.
    Write,
    /// It was idle, and a new connection needed its permit.
    Evicted,
}

impl ConnectionMetrics {
    fn new() -> Self {
        let rejected = |cap: &'static str| metrics::counter!(REJECTED, "cap" => cap);
        let ended = |reason: &'static str| metrics::counter!(ENDED, "reason" => reason);
        Self {
            open: metrics::gauge!(OPEN),
            total: rejected("total"),
            address: rejected("address"),
            header: ended("header"),
            body: ended("body"),
            keep_alive: ended("keep_alive"),
            write: ended("write"),
            evicted: ended("evicted"),
        }
    }
}

/// Describes each metric and registers it with the value 0.
pub fn describe() {
    metrics::describe_gauge!(OPEN, "Open connections, WebSockets among them");
    metrics::describe_counter!(REJECTED, "Connections closed at once, by the cap that was reached");
    metrics::describe_counter!(ENDED, "Connections closed for keeping the server waiting, by the reason");
    LazyLock::force(&METRICS);
}

/// Counts an admitted connection.
pub fn opened() {
    METRICS.open.increment(1);
}

/// Counts the end of an admitted connection.
pub fn closed() {
    METRICS.open.decrement(1);
}

/// Counts a rejected connection.
pub fn rejected(limit: LimitReached) {
    match limit {
        LimitReached::Total => &METRICS.total,
        LimitReached::Address => &METRICS.address,
    }
    .increment(1);
}

/// Counts a connection closed by the server.
pub fn ended(reason: Reason) {
    match reason {
        Reason::Header => &METRICS.header,
        Reason::Body => &METRICS.body,
        Reason::KeepAlive => &METRICS.keep_alive,
        Reason::Write => &METRICS.write,
        Reason::Evicted => &METRICS.evicted,
    }
    .increment(1);
}
