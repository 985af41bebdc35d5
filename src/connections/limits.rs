//! The deadlines and caps in force.

use std::time::Duration;

use ipnet::IpNet;

use crate::config::Config;

/// Open files that connections leave for everything else: the database's connections and files, Redis, the log.
const RESERVE: usize = 128;

/// Deadlines and caps of connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a client may take from connecting, or from a head's first byte, to the head's end.
    pub header: Duration,
    /// How long nothing may come of a request's body while the server waits for it.
    pub body: Duration,
    /// How long a connection may be idle between two requests.
    pub keep_alive: Duration,
    /// How long the peer may take nothing of what is sent.
    pub write: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub per_address: usize,
    /// Whose connections are not counted by address: reverse proxies, each of which speaks for many.
    pub proxies: Vec<IpNet>,
}

impl Limits {
    /// By the settings, where the process may have so many open files.
    pub fn new(config: &Config, open_files: u64) -> Self {
        let open_files = usize::try_from(open_files).unwrap_or(usize::MAX);
        // A system that allows hardly any files is shared in halves.
        let room = open_files.saturating_sub(RESERVE).max(open_files / 2).max(1);
        let limit = |count: Option<u32>| count.and_then(|count| usize::try_from(count).ok());
        let connections = limit(config.connections.0).unwrap_or(usize::MAX).min(room);
        // Whatever the setting says, one address never has more than half: others get in beside it.
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
