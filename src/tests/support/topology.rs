//! The systems that a contract test can run against. Each is shared by all tests of this program.

use tokio::sync::OnceCell;

use super::{Server, mariadb_url, process::shared, redis::Cluster};

/// One server with its SQLite file.
pub async fn sqlite() -> &'static Server {
    Server::on_sqlite().await
}

/// One server on MariaDB.
pub async fn mariadb() -> &'static Server {
    Server::on_mariadb().await
}

/// Three servers on one MariaDB database with a Redis Cluster of three masters. Each client and each socket uses
/// another one of them.
pub async fn three_nodes() -> &'static Server {
    static SYSTEM: OnceCell<(Server, Cluster)> = OnceCell::const_new();
    let start = async || {
        let redis = tokio::task::spawn_blocking(Cluster::start).await.expect("Redis starts");
        let flags = flags(&mariadb_url("three_nodes").await, &redis.url());
        (three(|| shared(flags.to_vec())).await, redis)
    };
    &SYSTEM.get_or_init(start).await.0
}

/// Three servers for one test, on this new database and this Redis.
pub async fn three_nodes_on(database: &'static str, redis: &str) -> Server {
    let flags = flags(&mariadb_url(database).await, redis);
    let unhurried = ["--writes-per-second=0", "--signin-failures-per-address=0"];
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(unhurried).collect();
    three(|| Server::start(&flags)).await
}

fn flags(database: &str, redis: &str) -> [String; 3] {
    [
        format!("--database-url={database}"),
        format!("--redis-url={redis}"),
        format!("--secret-key={}", "k".repeat(40)),
    ]
}

async fn three(start: impl Fn() -> Server) -> Server {
    let system = start().with_siblings((0..2).map(|_| start()).collect());
    system.until_ready().await;
    system
}
