//! From the first try to the next loss, again and again.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use redis::RedisError;
use tokio::{sync::mpsc, time::sleep};

use super::{
    Listener, Shared,
    link::{Link, LinkError},
    session::{Queue, Session},
};

/// What Redis says to us and nobody has read yet; more is lost.
const PUSHES: usize = 16_384;
/// Pauses between tries: short after a loss, then longer.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Loss {
    #[error("{0}")]
    Link(#[from] LinkError),
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("the connection was closed")]
    Closed,
    #[error("a channel moved to another server")]
    Moved,
    #[error("this process stood still")]
    StoodStill,
}

/// Connects, and connects anew after each loss, until the bus is closed.
pub(super) async fn run(shared: Arc<Shared>, mut queue: Queue, listener: Arc<dyn Listener>) {
    let mut pause = FIRST_PAUSE;
    // Said once for each change: an hour without Redis is two lines in the log.
    let mut is_told = false;
    loop {
        let (pushes, mut heard) = mpsc::channel(PUSHES);
        let opened = shared
            .closing
            .run_until_cancelled(Link::open(&shared.addresses, pushes, &shared.metrics.dropped))
            .await;
        let loss = match opened {
            None => return,
            Some(Err(error)) => Loss::from(error),
            Some(Ok(link)) => {
                let mut session = Session::new(&shared, &*listener, link);
                let ended = session.serve(&mut queue, &mut heard).await;
                shared.is_up.store(false, Ordering::Relaxed);
                shared.wishes().set_deaf();
                let was_connected = shared.is_connected.send_replace(false);
                shared.metrics.redis.set(0.0);
                // What waited would come too late.
                while queue.try_recv().is_some() {
                    shared.metrics.dropped.increment(1);
                }
                if was_connected {
                    (pause, is_told) = (FIRST_PAUSE, false);
                }
                match ended {
                    Ok(()) => return,
                    Err(loss) => loss,
                }
            }
        };
        if is_told {
            tracing::debug!(error = %loss, "Redis is still away");
        } else {
            tracing::warn!(error = %loss, "Redis is away; other nodes' messages come by way of the database");
            is_told = true;
        }
        if shared.closing.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
