//! What is counted of connections. Labels have the values that stand here and no others.

use std::sync::LazyLock;

use metrics::{Counter, Gauge};

use super::admission::LimitReached;

const OPEN: &str = "liao_connections";
const REJECTED: &str = "liao_connections_refused_total";
const ENDED: &str = "liao_connections_ended_total";

static METRICS: LazyLock<ConnectionMetrics> = LazyLock::new(ConnectionMetrics::new);

/// The handles: to look one up costs more than to count.
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

/// What ended a connection that kept the server waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The head of a request did not come.
    Header,
    /// The body of a request stopped coming.
    Body,
    /// No other request came.
    KeepAlive,
    /// The peer took nothing.
    Write,
    /// It had no request under way, and another connection needed its permit.
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

/// Says what each is, and starts them at nought.
pub fn describe() {
    metrics::describe_gauge!(OPEN, "Open connections, WebSockets among them");
    metrics::describe_counter!(REJECTED, "Connections closed at once, by the cap that was reached");
    metrics::describe_counter!(ENDED, "Connections closed for keeping the server waiting, by the reason");
    LazyLock::force(&METRICS);
}

/// A connection was taken.
pub fn opened() {
    METRICS.open.increment(1);
}

/// One that was taken has ended.
pub fn closed() {
    METRICS.open.decrement(1);
}

/// A connection was refused.
pub fn rejected(limit: LimitReached) {
    match limit {
        LimitReached::Total => &METRICS.total,
        LimitReached::Address => &METRICS.address,
    }
    .increment(1);
}

/// The server has ended a connection that kept it waiting.
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
