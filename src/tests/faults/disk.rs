//! The disk is full for a while.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::Path,
    process::Command,
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Nodes, Plan, Server, Traffic};

/// The size of the small disk: space for the database and its log, which grows to 16 MiB.
const SIZE: usize = 32 * 1024 * 1024;

/// A disk that can be filled.
enum Disk {
    /// A file system of its own. Creating one needs rights that root in a container may not have.
    Small(TempDir),
    /// A limit on the file size of the server, which has the same effect on the database: a write fails.
    Any(TempDir),
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"]).arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            Self::Small(folder)
        } else {
            Self::Any(folder)
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Small(folder) | Self::Any(folder) => folder.path(),
        }
    }

    /// Fills the disk of `server`.
    fn fill(&self, server: &Server) {
        match self {
            Self::Small(folder) => {
                let mut ballast = File::create(folder.path().join("ballast")).expect("made");
                let full = loop {
                    if let Err(error) = ballast.write_all(&[1; 4_096]) {
                        break error;
                    }
                };
                assert_eq!(full.kind(), ErrorKind::StorageFull);
            }
            Self::Any(_) => {
                let log = fs::metadata(server.data().join("liao.db-wal")).expect("it has written").len();
                limit(server, &log.to_string());
            }
        }
    }

    /// Frees the space.
    fn free(&self, server: &Server) {
        match self {
            Self::Small(folder) => fs::remove_file(folder.path().join("ballast")).expect("removed"),
            Self::Any(_) => limit(server, "unlimited"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Small(folder) = self {
            let _ = Command::new("umount").arg(folder.path()).status();
        }
    }
}

/// Sets the server's soft limit on file sizes.
fn limit(server: &Server, bytes: &str) {
    let mut prlimit = Command::new("prlimit");
    let set = prlimit.args(["--pid", server.pid(), &format!("--fsize={bytes}:")]).status();
    assert!(set.expect("prlimit runs").success(), "the limit was not set");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_reported_and_the_server_recovers() {
    let disk = Disk::new();
    let server = Server::start_on(&disk.folder().join("data"), &["--writes-per-second=0"]);
    let nodes = Nodes::default();
    nodes.set([&server]);
    let traffic = Traffic::start(&server, &nodes, Plan::default()).await;
    traffic.flows(10).await;
    disk.fill(&server);
    traffic.is_refused(20).await;
    // Reading still works, and the server stays ready.
    let (reader, path) = (traffic.reader(), format!("/api/chat/rooms/{}/messages/", traffic.room()));
    reader.client.get(&path).await.expect(200);
    let answer = reader.client.post(&path, &json!({"content": "does not fit"})).await;
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    answer.expect_error(503, "unavailable");
    disk.free(&server);
    traffic.flows(30).await;
    let refused = traffic.finish().await;
    assert!(refused.keys().all(|code| code == "unavailable"), "{refused:?}");
}
