//! The connections that speak HTTP.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    metrics::{self, Reason},
    state::{Command, ConnectionState},
};

/// How many connections are examined to find an idle one. Without this limit, each new connection to a busy server
/// would examine all of them.
const SCAN_LIMIT: usize = 64;

/// All connections that speak HTTP, in the order of their accept.
#[derive(Debug, Default)]
pub struct Registry(Mutex<Connections>);

#[derive(Debug, Default)]
struct Connections {
    by_number: BTreeMap<u64, Arc<ConnectionState>>,
    next_number: u64,
    /// Where the next search for an idle connection starts.
    scan_from: u64,
}

/// Removes the connection from the registry when it is dropped.
pub struct RegistryGuard {
    registry: Arc<Registry>,
    number: u64,
}

impl Registry {
    pub fn add(self: &Arc<Self>, connection: Arc<ConnectionState>) -> RegistryGuard {
        let mut connections = self.connections();
        let number = connections.next_number;
        connections.next_number += 1;
        connections.by_number.insert(number, connection);
        RegistryGuard { registry: self.clone(), number }
    }

    /// Closes one of the oldest idle connections. False if none was found.
    pub fn close_idle(&self) -> bool {
        let mut guard = self.connections();
        let connections = &mut *guard;
        let from = connections.scan_from;
        let newer = connections.by_number.range(from..);
        let in_turn = newer.chain(connections.by_number.range(..from)).take(SCAN_LIMIT);
        let mut found = None;
        for (&number, connection) in in_turn {
            connections.scan_from = number + 1;
            if connection.is_waiting() {
                found = Some(number);
                break;
            }
        }
        // Removed at once, so that the next call finds another one.
        let connection = found.and_then(|number| connections.by_number.remove(&number));
        drop(guard);
        let Some(connection) = connection else { return false };
        metrics::ended(Reason::Evicted);
        connection.send_command(Command::Close);
        true
    }

    /// Tells all connections to close after their current response.
    pub fn stop(&self) {
        for connection in self.connections().by_number.values() {
            connection.send_command(Command::Finish);
        }
    }

    /// After a panic of another holder the list is still usable.
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RegistryGuard {
    fn drop(&mut self) {
        let connection = self.registry.connections().by_number.remove(&self.number);
        // Outside of the lock, since dropping the last reference locks the admission.
        drop(connection);
    }
}
