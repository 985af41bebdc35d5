//! The connection to Redis, to one server or to a cluster.
//!
//! Both are of the crate `redis`, whose cluster client knows the slots and follows them; for us
//! the two differ in their opening alone. One connection publishes and receives (RESP3).

use std::time::Duration;

use metrics::Counter;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ProtocolVersion, PushInfo, RedisError, RedisResult, Value,
    aio::MultiplexedConnection, cluster::ClusterClientBuilder, cluster_async::ClusterConnection,
};
use tokio::sync::mpsc;

use super::address::{Addresses, place};

/// How long a server may take to accept us.
const CONNECT: Duration = Duration::from_secs(3);
/// How long it may take to answer. It answers in less than a millisecond.
const ANSWER: Duration = Duration::from_secs(3);

/// An open connection. Cheap to clone; all clones are one connection.
#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("{place}: {error}")]
    Refused { place: String, error: RedisError },
    #[error("{place} is a single server, but several addresses are set, as for a cluster")]
    NoCluster { place: String },
    #[error("no address is set")]
    NoAddress,
}

impl Link {
    /// Connects to the first address that answers. What is said to us goes to `pushes`; when
    /// that is full, it is lost.
    pub(super) async fn open(
        addresses: &Addresses,
        pushes: mpsc::Sender<PushInfo>,
        dropped: &Counter,
    ) -> Result<Self, LinkError> {
        let mut refused = LinkError::NoAddress;
        for info in addresses.infos() {
            let place = place(info.addr());
            let hand_on = hand_on(pushes.clone(), dropped.clone());
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(ANSWER))
                .set_push_sender(hand_on);
            let opened = async {
                let client = Client::open(info.clone())?;
                let mut link = client.get_multiplexed_async_connection_with_config(&config).await?;
                let about: String = redis::cmd("INFO").arg("cluster").query_async(&mut link).await?;
                Ok((link, about.contains("cluster_enabled:1")))
            };
            match opened.await {
                Ok((_, true)) => {
                    let cluster = open_cluster(addresses, pushes, dropped).await;
                    return cluster.map(Self::Cluster).map_err(|error| LinkError::Refused { place, error });
                }
                Ok((link, false)) if addresses.infos().len() == 1 => return Ok(Self::One(link)),
                Ok((_, false)) => return Err(LinkError::NoCluster { place }),
                Err(error) => refused = LinkError::Refused { place, error },
            }
        }
        Err(refused)
    }

    /// Sends one command and waits for its answer.
    pub(super) async fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(link) => command.query_async(link).await,
            Self::Cluster(link) => command.query_async(link).await,
        }
    }
}

/// Hands on what is said to us, and counts what finds the queue full.
fn hand_on(
    pushes: mpsc::Sender<PushInfo>,
    dropped: Counter,
) -> impl Fn(PushInfo) -> Result<(), ()> + Send + Sync + 'static {
    move |push| pushes.try_send(push).map_err(|_| dropped.increment(1))
}

async fn open_cluster(
    addresses: &Addresses,
    pushes: mpsc::Sender<PushInfo>,
    dropped: &Counter,
) -> RedisResult<ClusterConnection> {
    ClusterClientBuilder::new(addresses.infos().to_vec())
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(CONNECT)
        .response_timeout(ANSWER)
        // Whoever asks has a remedy of their own for each failure; waiting is none.
        .retries(2)
        .push_sender(hand_on(pushes, dropped.clone()))
        .build()?
        .get_async_connection()
        .await
}
