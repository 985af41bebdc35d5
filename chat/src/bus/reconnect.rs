//! The reconnect loop.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::mpsc, time::sleep};

use super::{
    Listener, Shared,
    connection::RedisConnection,
    session::{DisconnectReason, Queue, RedisSession},
};

/// Capacity for push messages not processed yet; more are dropped.
const PUSHES: usize = 16_384;
/// Backoff between attempts: short after a disconnect, then doubled.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connects, and reconnects after each disconnect, until the bus is closed.
pub(super) async fn run(shared: Arc<Shared>, mut queue: Queue, listener: Arc<dyn Listener>) {
    let mut pause = FIRST_PAUSE;
    // Logged once per change: an hour without Redis is two lines in the log.
    let mut is_logged = false;
    loop {
        let (pushes, mut push_queue) = mpsc::channel(PUSHES);
        let opened = shared
            .closing
            .run_until_cancelled(RedisConnection::open(&shared.addresses, pushes, &shared.metrics.dropped))
            .await;
        let reason = match opened {
            None => return,
            Some(Err(error)) => DisconnectReason::from(error),
            Some(Ok(connection)) => {
                let mut session = RedisSession::new(&shared, &*listener, connection);
                let ended = session.serve(&mut queue, &mut push_queue).await;
                shared.is_up.store(false, Ordering::Relaxed);
                shared.subscriptions().set_all_inactive();
                let was_connected = shared.is_connected.send_replace(false);
                shared.metrics.redis.set(0.0);
                // Queued messages would be delivered too late.
                while queue.try_recv().is_some() {
                    shared.metrics.dropped.increment(1);
                }
                if was_connected {
                    (pause, is_logged) = (FIRST_PAUSE, false);
                }
                match ended {
                    Ok(()) => return,
                    Err(reason) => reason,
                }
            }
        };
        if is_logged {
            tracing::debug!(error = %reason, "Redis is still away");
        } else {
            tracing::warn!(error = %reason, "Redis is away; changes of other nodes are polled from the database");
            is_logged = true;
        }
        if shared.closing.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
