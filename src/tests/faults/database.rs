//! The database server is killed and restarted.

use crate::support::{Flush, MariaDb, Nodes, Plan, Server, Traffic, rounds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_killed_and_restarted_in_mid_traffic_loses_nothing() {
    let start = || (MariaDb::start(Flush::AtCommit), "faults");
    let (mut mariadb, name) = tokio::task::spawn_blocking(start).await.expect("MariaDB answers");
    let url = format!("--database-url={}", mariadb.database(name));
    let server = Server::start(&["--writes-per-second=0", "--signin-failures-per-address=0", &url]);
    let nodes = Nodes::default();
    nodes.set([&server]);
    let traffic = Traffic::start(&server, &nodes, Plan::default()).await;
    for _ in 0..rounds(2) {
        traffic.flows(30).await;
        mariadb.kill();
        // Senders get an error at once instead of waiting.
        traffic.is_refused(5).await;
        let restart = move || {
            mariadb.restart();
            mariadb
        };
        mariadb = tokio::task::spawn_blocking(restart).await.expect("MariaDB answers again");
    }
    traffic.flows(30).await;
    let refused = traffic.finish().await;
    assert!(refused.keys().all(|code| code == "unavailable"), "{refused:?}");
}
