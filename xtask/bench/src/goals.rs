//! The goals.
//!
//! Most are multiples of what was measured in the same run: of a comparable server in Node (`xtask/peers/node`), of the bare
//! broadcast, and of SQLite alone.

/// Durable messages by socket, one under way, as a multiple of Node's.
pub(crate) const SENDS_OF_NODE: f64 = 1.2;
/// The same as a share of what SQLite alone commits in groups of the same size.
pub(crate) const SENDS_OF_DISK: f64 = 0.6;
/// Their CPU as a share of Node's.
pub(crate) const SEND_CPU_OF_NODE: f64 = 0.65;
/// Durable messages a second by socket, 32 under way.
pub(crate) const SENDS_IN_WINDOWS: f64 = 68_000.0;
/// Durable messages by REST as a multiple of Node's.
pub(crate) const POSTS_OF_NODE: f64 = 1.5;
/// Their CPU as a share of Node's.
pub(crate) const POST_CPU_OF_NODE: f64 = 0.6;

/// CPU of a delivery as a multiple of the bare broadcast's, to which the goal of storing its message is added.
pub(crate) const FANOUT_CPU_OF_BARE: f64 = 2.0;
/// The same as a share of Node's.
pub(crate) const FANOUT_CPU_OF_NODE: f64 = 0.5;
/// The 99th percentile of latency as a multiple of the bare broadcast's, to which that of a commit is added.
pub(crate) const FANOUT_P99_OF_BARE: f64 = 1.5;

/// CPU of a room list as a share of Node's.
pub(crate) const LIST_CPU_OF_NODE: f64 = 0.1;
/// Pages of history as a multiple of Node's.
pub(crate) const PAGES_OF_NODE: f64 = 10.0;
/// Last pages of history as a share of first pages.
pub(crate) const LAST_OF_FIRST: f64 = 0.85;

/// Memory of an idle socket of [`SOCKETS`], in KiB.
pub(crate) const SOCKET_KIB: f64 = 4.5;
pub(crate) const SOCKETS: usize = 5_000;
/// Memory of an idle server, in MiB.
pub(crate) const IDLE_MIB: f64 = 22.0;
/// From the start of the process to its first response, creating the database included, in milliseconds.
pub(crate) const FIRST_ANSWER_MS: f64 = 100.0;

/// Durable messages a second by socket, one under way, of the Django system that Liao replaces, on MariaDB; measured once.
pub(crate) const DJANGO_SENDS: f64 = 555.0;
/// Their CPU in milliseconds per 1,000.
pub(crate) const DJANGO_SEND_CPU: f64 = 3_042.0;
/// Liao's messages on MariaDB as a multiple of Django's.
pub(crate) const SENDS_OF_DJANGO: f64 = 3.0;
/// Their CPU as a share of Django's.
pub(crate) const SEND_CPU_OF_DJANGO: f64 = 1.0 / 3.0;
/// Rates on MariaDB as a share of those on SQLite.
pub(crate) const RATE_OF_SQLITE: f64 = 0.5;
/// Times, CPU and memory on MariaDB as a multiple of those on SQLite.
pub(crate) const COST_OF_SQLITE: f64 = 2.0;
