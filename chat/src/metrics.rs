//! Metrics of the domain, recorded with the macros of the `metrics` crate. The application chooses the recorder.
//!
//! No metric has labels. The handles are looked up once, here; recording is then one atomic addition.

use ::metrics::{Counter, Gauge, Histogram, Unit};

/// Name of the histogram of changes per commit.
pub const COMMIT_CHANGES: &str = "liao_commit_changes";
/// Name of the histogram of frames replayed when a socket resumes.
pub const RESUME_FRAMES: &str = "liao_resume_frames";
/// Bucket bounds of [`COMMIT_CHANGES`] and [`RESUME_FRAMES`].
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

/// Registers the descriptions. Call it after installing the recorder and before [`Chat::start`](crate::Chat::start).
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

#[derive(Clone)]
pub(crate) struct Metrics {
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

impl Default for Metrics {
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

/// Converts a count for a gauge or histogram.
pub(crate) fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
