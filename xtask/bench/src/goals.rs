//! The goals, and the source of each number.
//!
//! Most goals are a multiple of the bare broadcast or of the disk, measured in the same run. The others are multiples of a
//! comparable server in Node 20 (`ws`, fastify, better-sqlite3 with WAL, `synchronous=FULL` and group commit). It was
//! measured once, on a similar machine, not in this run; of its range, the better end counts.

/// Server CPU for fan-out at few deliveries a second, as a multiple of bare.
pub(crate) const FANOUT_CALM: f64 = 2.0;
/// The same at many deliveries a second.
pub(crate) const FANOUT_BUSY: f64 = 1.5;
/// The highest rate of deliveries, as a share of bare.
pub(crate) const FANOUT_RATE: f64 = 0.8;

/// Durable messages a second by socket: 3 × Node's 12,000.
pub(crate) const SENDS_BY_SOCKET: f64 = 36_000.0;
/// Server CPU, in milliseconds per 1,000 of them.
pub(crate) const SEND_CPU_BY_SOCKET: f64 = 25.0;
/// As a share of what SQLite alone commits in groups of the same size.
pub(crate) const SENDS_OF_DISK: f64 = 0.5;
/// Durable messages a second by REST: 3 × Node's 5,700.
pub(crate) const SENDS_BY_REST: f64 = 17_100.0;
/// Server CPU, in milliseconds per 1,000 of them.
pub(crate) const SEND_CPU_BY_REST: f64 = 60.0;

/// History pages a second: 10 × Node's 670 for its first page; the last page is to be the same.
pub(crate) const PAGES: f64 = 6_700.0;
/// Server CPU, in milliseconds per 1,000 pages.
pub(crate) const PAGE_CPU: f64 = 150.0;
/// Room lists a second: 10 × Node's 700.
pub(crate) const LISTS: f64 = 7_000.0;

/// Memory of an idle socket, in KiB.
pub(crate) const SOCKET_KIB: f64 = 6.0;
/// Memory of an idle server, in MiB.
pub(crate) const IDLE_MIB: f64 = 25.0;
/// From the start of the process to its first response, creating the database included, in milliseconds.
pub(crate) const FIRST_ANSWER_MS: f64 = 150.0;
