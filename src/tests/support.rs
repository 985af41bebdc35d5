//! Starts the binary, and has clients for it.

mod client;
#[path = "../../chat/tests/behaviour/contents.rs"]
pub mod contents;
#[path = "../../chat/tests/behaviour/mariadb.rs"]
mod mariadb;
mod process;
mod proxy;
#[path = "../../chat/tests/behaviour/redis.rs"]
pub mod redis;
#[path = "../../chat/tests/behaviour/schema.rs"]
pub mod schema;
mod seed;
mod socket;
pub mod topology;
mod traffic;

pub use client::{Answer, Client, PASSWORD, Person};
pub use mariadb::{Flush, MariaDb};
pub use process::{Server, failure, mariadb_url, run, spawn, wait};
pub use proxy::Proxy;
pub use seed::{SECRET as SEED_SECRET, rooms as seed_rooms};
pub use socket::Socket;
pub use traffic::{Nodes, Plan, Traffic};

/// How often a fault is injected: `usual` times in `cargo xtask test`, more often in `cargo xtask soak`.
pub fn rounds(usual: u64) -> u64 {
    std::env::var("LIAO_ROUNDS").map_or(usual, |rounds| rounds.parse().expect("LIAO_ROUNDS is a number"))
}

/// Declares a test that runs against one server on SQLite and one on MariaDB.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: &Server) $body:block)*) => {
        $(
            $(#[$doc])*
            async fn $name($server: &$crate::support::Server) $body

            mod $name {
                $crate::support::on!($name: sqlite mariadb);
            }
        )*
    };
}
pub(crate) use both;

/// Declares a test that also runs against three nodes and a Redis Cluster.
macro_rules! everywhere {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: &Server) $body:block)*) => {
        $(
            $(#[$doc])*
            async fn $name($server: &$crate::support::Server) $body

            mod $name {
                $crate::support::on!($name: sqlite mariadb three_nodes);
            }
        )*
    };
}
pub(crate) use everywhere;

macro_rules! on {
    ($name:ident: $($topology:ident)*) => {
        $(
            #[tokio::test]
            async fn $topology() {
                super::$name($crate::support::topology::$topology().await).await;
            }
        )*
    };
}
pub(crate) use on;
