//! The connection to Redis, either to a single server or to a cluster.
//!
//! The crate `redis` has a client for each; its cluster client tracks the slots. They differ only in how they are
//! opened. One connection publishes and receives (RESP3).

use std::time::Duration;

use metrics::Counter;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ProtocolVersion, PushInfo, RedisError, RedisResult, Value,
    aio::MultiplexedConnection, cluster::ClusterClientBuilder, cluster_async::ClusterConnection,
};
use tokio::sync::mpsc;

use super::address::{Addresses, host_port};

/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Timeout for a reply. Redis normally replies in less than a millisecond.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// An open connection. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub(super) enum RedisConnection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Why connecting failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{server}: {error}")]
    Refused { server: String, error: RedisError },
    #[error("{server} is a single server, but several addresses are set, as for a cluster")]
    NoCluster { server: String },
    #[error("no address is set")]
    NoAddress,
}

impl RedisConnection {
    /// Connects to the first address that responds. Push messages are sent to `pushes`; they are dropped while it is
    /// full.
    pub(super) async fn open(
        addresses: &Addresses,
        pushes: mpsc::Sender<PushInfo>,
        dropped: &Counter,
    ) -> Result<Self, ConnectError> {
        let mut refused = ConnectError::NoAddress;
        for info in addresses.infos() {
            let server = host_port(info.addr());
            let push_forwarder = push_forwarder(pushes.clone(), dropped.clone());
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_TIMEOUT))
                .set_response_timeout(Some(RESPONSE_TIMEOUT))
                .set_push_sender(push_forwarder);
            let opened = async {
                let client = Client::open(info.clone())?;
                let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
                let info_reply: String =
                    redis::cmd("INFO").arg("cluster").query_async(&mut connection).await?;
                Ok((connection, info_reply.contains("cluster_enabled:1")))
            };
            match opened.await {
                Ok((_, true)) => {
                    let cluster = open_cluster(addresses, pushes, dropped).await;
                    return cluster
                        .map(Self::Cluster)
                        .map_err(|error| ConnectError::Refused { server, error });
                }
                Ok((connection, false)) if addresses.infos().len() == 1 => return Ok(Self::One(connection)),
                Ok((_, false)) => return Err(ConnectError::NoCluster { server }),
                Err(error) => refused = ConnectError::Refused { server, error },
            }
        }
        Err(refused)
    }

    /// Sends one command and waits for the reply.
    pub(super) async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// Forwards push messages to the channel, and counts those dropped because it is full.
fn push_forwarder(
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
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT)
        // Every caller handles a failure itself, so waiting longer does not help.
        .retries(2)
        .push_sender(push_forwarder(pushes, dropped.clone()))
        .build()?
        .get_async_connection()
        .await
}
