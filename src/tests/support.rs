//! Starting the binary, and speaking to it as its clients do.

mod client;
#[path = "../../chat/tests/behaviour/mariadb.rs"]
mod mariadb;
mod process;
mod socket;

pub use client::{Answer, Client, PASSWORD, Person};
pub use process::{Server, mariadb_url, run, spawn, wait};
pub use socket::Socket;

/// Declares a test that runs against the binary on SQLite and on MariaDB.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: &Server) $body:block)*) => {
        $(
            $(#[$doc])*
            async fn $name($server: &$crate::support::Server) $body

            mod $name {
                #[tokio::test]
                async fn sqlite() {
                    super::$name($crate::support::Server::on_sqlite().await).await;
                }

                #[tokio::test]
                async fn mariadb() {
                    super::$name($crate::support::Server::on_mariadb().await).await;
                }
            }
        )*
    };
}
pub(crate) use both;
