//! The timeouts and connection limits in force.

use std::time::Duration;

use ipnet::IpNet;

use crate::config::Config;

/// File descriptors reserved for everything but connections: the database, Redis, the log.
const RESERVE: usize = 128;

/// The limit that a new connection would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// The limit on all connections.
    Total,
    /// The limit of the peer's address.
    Address,
}

/// Timeouts and limits of connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the connect, or from the first byte of a later head, to the end of the head.
    pub header: Duration,
    /// How long a request's body may make no progress while the server waits for it.
    pub body: Duration,
    /// How long a connection may be idle between two requests.
    pub keep_alive: Duration,
    /// How long a write may make no progress.
    pub write: Duration,
    /// Open connections in total.
    pub connections: usize,
    /// Open connections per address.
    pub per_address: usize,
    /// Trusted reverse proxies. They serve many clients, so they are not limited by address.
    pub proxies: Vec<IpNet>,
}

impl Limits {
    /// The limits of the settings, for a process that may have `open_files` open.
    pub fn new(config: &Config, open_files: u64) -> Self {
        let open_files = usize::try_from(open_files).unwrap_or(usize::MAX);
        // With very few descriptors, connections get half of them.
        let room = open_files.saturating_sub(RESERVE).max(open_files / 2).max(1);
        let limit = |count: Option<u32>| count.and_then(|count| usize::try_from(count).ok());
        let connections = limit(config.connections.0).unwrap_or(usize::MAX).min(room);
        // One address never gets more than half, so that it cannot lock others out.
        let half = connections.div_ceil(2);
        Self {
            header: config.header_timeout,
            body: config.body_timeout,
            keep_alive: config.keep_alive_timeout,
            write: config.write_timeout,
            connections,
            per_address: limit(config.connections_per_address.0).map_or(usize::MAX, |count| count.min(half)),
            proxies: config.trusted_proxies.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(settings: &[(&'static str, &str)], open_files: u64) -> (usize, usize) {
        let limits = Limits::new(&Config::of(settings), open_files);
        (limits.connections, limits.per_address)
    }

    #[test]
    fn descriptors_are_left_for_the_database_and_half_of_all_for_other_addresses() {
        assert_eq!(
            caps(&[("connections", "0"), ("connections_per_address", "0")], 20_000),
            (19_872, usize::MAX)
        );
        assert_eq!(caps(&[("connections", "500"), ("connections_per_address", "20")], 20_000), (500, 20));
        assert_eq!(caps(&[("connections", "500"), ("connections_per_address", "400")], 20_000), (500, 250));
        assert_eq!(caps(&[("connections", "5000"), ("connections_per_address", "4000")], 400), (272, 136));
        assert_eq!(caps(&[("connections", "0"), ("connections_per_address", "0")], 64), (32, usize::MAX));
    }
}
