//! Every way of losing access to a room, combined with every entry point: each API call, each page and server function
//! of the UI, each frame, and each way to open a socket.
//!
//! The entry points are read from the program itself: calls from the OpenAPI document of the started server, pages and
//! server functions from their registries, frames by an exhaustive match. A new one fails here until [`operations`],
//! [`values`], [`ui`] or [`frames`] say what it needs. What each of them must answer is in [`expect`] alone.

mod expect;
mod frames;
mod operations;
mod requests;
mod scene;
mod sockets;
mod ui;
mod values;
mod ways;

use serde_json::Value;

use crate::support::{Person, SEED_SECRET, Server, contents::Contents, mariadb_url};

use operations::Operation;
use scene::Scene;
use ways::WAYS;

/// A server with its database, and the people who keep their access.
struct System {
    server: Server,
    contents: Contents,
    operations: Vec<Operation>,
    /// The owner of all rooms.
    amy: Person,
    /// A member of all rooms.
    cat: Person,
    /// A member of the hidden rooms only: her name is as secret as they are.
    eve: Person,
    /// A member of no room, to be invited.
    dan: Person,
}

impl System {
    async fn new(server: Server, contents: Contents) -> Self {
        let operations = operations::of(&server).await;
        let (amy, cat) = (server.person("amy").await, server.person("cat").await);
        let (eve, dan) = (server.person("eve").await, server.person("dan").await);
        Self { server, contents, operations, amy, cat, eve, dan }
    }

    /// Everything stored, without sessions, which are renewed by being used, and without background jobs.
    async fn stored(&self) -> Vec<(String, String)> {
        let tables = self.contents.read().await.into_iter();
        tables.filter(|(name, _)| !name.contains("session") && !name.ends_with("job")).collect()
    }

    async fn assert_unchanged(&self, before: &[(String, String)], what: &str) {
        let lines = |tables: &[(String, String)]| -> Vec<String> {
            let lines =
                tables.iter().flat_map(|(name, rows)| rows.lines().map(move |row| format!("{name}: {row}")));
            lines.collect()
        };
        let (before, after) = (lines(before), lines(&self.stored().await));
        let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
        assert!(new.is_empty() && gone.is_empty(), "{what} changed {gone:#?} to {new:#?}");
    }
}

/// Loses access, then tries every entry point. What is refused has no effect and reveals nothing of the room.
async fn check(scene: Scene<'_>) {
    let what = format!("{:?}", scene.way);
    let mut open = sockets::Open::before_the_loss(&scene).await;
    scene.lose().await;
    if !scene.way.is_at_once() {
        open.assert_closed(&scene).await;
    }
    scene.write_after_the_loss().await;
    let before = scene.system.stored().await;
    open.try_frames(&scene).await;
    // Marks of the muted are allowed, so what is refused is compared from here on.
    let before = if scene.way.may_mark_by_frame() { scene.system.stored().await } else { before };
    requests::try_refused(&scene).await;
    scene.system.assert_unchanged(&before, &format!("{what}: an API call")).await;
    ui::try_all(&scene).await;
    scene.system.assert_unchanged(&before, &format!("{what}: the UI")).await;
    sockets::try_opening(&scene).await;
    scene.system.assert_unchanged(&before, &format!("{what}: a socket")).await;
    open.assert_nothing_heard(&scene).await;
    requests::try_of_account(&scene).await;
    requests::try_allowed(&scene).await;
}

async fn check_every_way(server: Server, contents: Contents) {
    let system = System::new(server, contents).await;
    for way in WAYS {
        check(Scene::new(&system, way).await).await;
    }
}

/// Without the limits that so many calls exceed, and with a secret that the test knows.
fn flags() -> Vec<String> {
    let unlimited = [
        "--writes-per-second=0",
        "--signin-failures-per-account=0",
        "--signin-failures-per-address=0",
        "--invitations-per-hour=0",
    ];
    unlimited.map(str::to_owned).into_iter().chain([format!("--secret-key={SEED_SECRET}")]).collect()
}

fn start(flags: &[String]) -> Server {
    Server::start(&flags.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The code of an error.
fn code(body: &Value) -> Option<&str> {
    body["code"].as_str()
}

#[tokio::test]
async fn who_lost_access_reads_and_writes_by_no_entry_point_on_sqlite() {
    let server = start(&flags());
    let contents = Contents::of_sqlite(&server.data().join("liao.db")).await;
    check_every_way(server, contents).await;
}

#[tokio::test]
async fn who_lost_access_reads_and_writes_by_no_entry_point_on_mariadb() {
    let url = mariadb_url("access").await;
    let mut flags = flags();
    flags.push(format!("--database-url={url}"));
    check_every_way(start(&flags), Contents::of_mariadb(&url).await).await;
}

#[tokio::test]
async fn every_entry_point_is_known() {
    let server = Server::on_sqlite().await;
    let operations = operations::of(server).await;
    assert!(operations.len() > 25, "the document was read: {}", operations.len());
    frames::assert_complete(server).await;
    ui::assert_complete();
}
