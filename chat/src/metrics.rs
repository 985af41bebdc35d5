//! What the domain measures of itself, by the `metrics` crate's macros: whoever runs it
//! decides whether the figures are kept, and where.
//!
//! No figure has a label, so none can be multiplied. Handles are looked up once, here, and
//! cost an atomic addition in use.

use ::metrics::{Counter, Gauge, Histogram, Unit};

/// Changes of one commit.
pub const COMMIT_CHANGES: &str = "liao_commit_changes";
/// Frames that a returning socket was sent first.
pub const RESUME_FRAMES: &str = "liao_resume_frames";
/// Where the buckets of [`COMMIT_CHANGES`] and [`RESUME_FRAMES`] end.
pub const SIZES: [f64; 10] = [0.0, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 500.0, 1_000.0];

const COMMIT_SECONDS: &str = "liao_commit_duration_seconds";
const STORED: &str = "liao_messages_stored_total";
const WAITING: &str = "liao_writer_waiting";
const ROOMS: &str = "liao_rooms_in_use";
const FOLLOWED: &str = "liao_rooms_followed";
const OVERLOOKED: &str = "liao_news_overlooked_total";
const RESYNCS: &str = "liao_resyncs_total";
const GAPS: &str = "liao_gaps_filled_total";
const REDIS: &str = "liao_redis_connected";
const PUBLISHED: &str = "liao_bus_published_total";
const RECEIVED: &str = "liao_bus_received_total";
const DROPPED: &str = "liao_bus_dropped_total";

/// Says what each figure is. To be called once a recorder is there, before [`Chat::start`](crate::Chat::start).
pub fn describe() {
    ::metrics::describe_histogram!(COMMIT_CHANGES, "Messages, edits and deletions of one commit");
    ::metrics::describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "Time a batch took, retries included");
    ::metrics::describe_counter!(STORED, "Messages stored");
    ::metrics::describe_gauge!(WAITING, "Changes that wait for the writer");
    ::metrics::describe_gauge!(ROOMS, "Rooms with sockets on this node");
    ::metrics::describe_gauge!(FOLLOWED, "Rooms that sockets for notifications follow on this node");
    ::metrics::describe_counter!(OVERLOOKED, "News that followers had to ask the database for");
    ::metrics::describe_histogram!(RESUME_FRAMES, "Changes that a returning socket had missed");
    ::metrics::describe_counter!(RESYNCS, "Returning sockets that had missed too much and were told to page");
    ::metrics::describe_counter!(
        GAPS,
        "Changes of which no node told, fetched from the database for a room's sockets"
    );
    ::metrics::describe_gauge!(REDIS, "1 while Redis is connected, 0 while it is away or not configured");
    ::metrics::describe_counter!(PUBLISHED, "Messages published for other nodes");
    ::metrics::describe_counter!(RECEIVED, "Messages of other nodes received");
    ::metrics::describe_counter!(
        DROPPED,
        "Messages for or from other nodes that found Redis away or a queue full"
    );
}

/// The handles.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(crate) commit_changes: Histogram,
    pub(crate) commit_seconds: Histogram,
    pub(crate) stored: Counter,
    pub(crate) waiting: Gauge,
    pub(crate) rooms: Gauge,
    pub(crate) followed: Gauge,
    pub(crate) overlooked: Counter,
    pub(crate) resume_frames: Histogram,
    pub(crate) resyncs: Counter,
    pub(crate) gaps: Counter,
    pub(crate) redis: Gauge,
    pub(crate) published: Counter,
    pub(crate) received: Counter,
    pub(crate) dropped: Counter,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            commit_changes: ::metrics::histogram!(COMMIT_CHANGES),
            commit_seconds: ::metrics::histogram!(COMMIT_SECONDS),
            stored: ::metrics::counter!(STORED),
            waiting: ::metrics::gauge!(WAITING),
            rooms: ::metrics::gauge!(ROOMS),
            followed: ::metrics::gauge!(FOLLOWED),
            overlooked: ::metrics::counter!(OVERLOOKED),
            resume_frames: ::metrics::histogram!(RESUME_FRAMES),
            resyncs: ::metrics::counter!(RESYNCS),
            gaps: ::metrics::counter!(GAPS),
            redis: ::metrics::gauge!(REDIS),
            published: ::metrics::counter!(PUBLISHED),
            received: ::metrics::counter!(RECEIVED),
            dropped: ::metrics::counter!(DROPPED),
        }
    }
}

/// A number of things as figures take it.
pub(crate) fn amount(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}
