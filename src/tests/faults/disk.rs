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

/// A small disk: the database with room for its log, which grows to 16 MiB, and more.
const SIZE: usize = 32 * 1024 * 1024;

/// A disk that can be filled.
enum Disk {
    /// A file system of its own. To make one takes rights that root has, and not root in every container.
    Small(TempDir),
    /// Elsewhere no file of the server may grow any more, which the database meets in the same place: a write that
    /// does not fit.
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

    /// Leaves no byte to `server`.
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

    /// Gives the room back.
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

/// The largest size to which the server may make a file grow; the hard limit stays, so that it can be lifted.
fn limit(server: &Server, bytes: &str) {
    let mut prlimit = Command::new("prlimit");
    let set = prlimit.args(["--pid", server.pid(), &format!("--fsize={bytes}:")]).status();
    assert!(set.expect("prlimit runs").success(), "the limit was not set");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_passes() {
    let disk = Disk::new();
    let server = Server::start_on(&disk.folder().join("data"), &["--writes-per-second=0"]);
    let nodes = Nodes::default();
    nodes.set([&server]);
    let traffic = Traffic::start(&server, &nodes, Plan::default()).await;
    traffic.flows(10).await;
    disk.fill(&server);
    traffic.is_refused(20).await;
    // What is there can be read all the while, and the server knows that it is well otherwise.
    let (reader, path) = (traffic.reader(), format!("/api/chat/rooms/{}/messages/", traffic.room()));
    reader.client.get(&path).await.expect(200);
    let answer = reader.client.post(&path, &json!({"content": "does not fit"})).await;
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    answer.expect_refusal(503, "unavailable");
    disk.free(&server);
    traffic.flows(30).await;
    let refused = traffic.finish().await;
    assert!(refused.keys().all(|code| code == "unavailable"), "{refused:?}");
}
