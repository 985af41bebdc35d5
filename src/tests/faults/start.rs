//! Many nodes start at the same time.

use futures::future::join_all;
use serde_json::json;

use crate::support::{Server, mariadb_url, rounds, schema};

/// The number of nodes, started without any order.
const NODES: usize = 10;
/// Rounds in `cargo xtask soak`. Fewer than other tests, since each starts twenty processes.
const MOST_ROUNDS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_nodes_start_at_once_on_a_new_database_and_on_an_older_one() {
    for _ in 0..rounds(2).min(MOST_ROUNDS) {
        for is_older in [false, true] {
            let url = mariadb_url("ten_nodes").await;
            if is_older {
                schema::make_previous(&url, &[]).await;
            }
            let flags = [
                "--demo".to_owned(),
                format!("--database-url={url}"),
                format!("--secret-key={}", "k".repeat(40)),
            ];
            let start = || {
                let flags = flags.clone();
                tokio::task::spawn_blocking(move || Server::start(&flags.each_ref().map(String::as_str)))
            };
            let nodes = join_all((0..NODES).map(|_| start())).await;
            let nodes: Vec<Server> = nodes.into_iter().map(|node| node.expect("it serves")).collect();
            let told = nodes.iter().filter(|node| node.greeting.contains("developer123")).count();
            assert_eq!(told, 1, "one of them made the demo account");
            let credentials = json!({"username": "developer", "password": "developer123"});
            for node in &nodes {
                node.anyone().post("/api/token/", &credentials).await.expect(200);
            }
        }
    }
}
