//! The connections that speak HTTP.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    metrics::{self, Reason},
    state::{Command, ConnectionState},
};

/// Connections looked at to find one without a request under way. In a server full of requests each new connection
/// would otherwise look at all of them.
const SCAN_LIMIT: usize = 64;

/// All of them, in the order in which they came.
#[derive(Debug, Default)]
pub struct Registry(Mutex<Connections>);

#[derive(Debug, Default)]
struct Connections {
    by_number: BTreeMap<u64, Arc<ConnectionState>>,
    next_number: u64,
    /// Where the search for an idle one goes on.
    scan_from: u64,
}

/// Among them until it is dropped.
pub struct RegistryGuard {
    registry: Arc<Registry>,
    number: u64,
}

impl Registry {
    /// Adds a new one.
    pub fn add(self: &Arc<Self>, connection: Arc<ConnectionState>) -> RegistryGuard {
        let mut connections = self.connections();
        let number = connections.next_number;
        connections.next_number += 1;
        connections.by_number.insert(number, connection);
        RegistryGuard { registry: self.clone(), number }
    }

    /// Has one of the oldest that have no request under way closed; false where none was found.
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
        // Out of the list at once, so that the next one is another.
        let connection = found.and_then(|number| connections.by_number.remove(&number));
        drop(guard);
        let Some(connection) = connection else { return false };
        metrics::ended(Reason::Evicted);
        connection.send_command(Command::Close);
        true
    }

    /// Tells all to end once they have answered.
    pub fn stop(&self) {
        for connection in self.connections().by_number.values() {
            connection.send_command(Command::Finish);
        }
    }

    /// A panic while the lock was held leaves a list that is right enough.
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RegistryGuard {
    fn drop(&mut self) {
        let connection = self.registry.connections().by_number.remove(&self.number);
        // Not under the lock: the last part of a connection to go gives its permit back.
        drop(connection);
    }
}
