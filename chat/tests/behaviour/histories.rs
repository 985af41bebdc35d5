//! The property behind all of real time, under random histories: whatever happens in a
//! room, and however often a client drops and comes back, what it built up from events is
//! what a fresh client reads; each message reached it once, and in order.
//!
//! A history is made by proptest, which also finds the shortest one that fails. Histories
//! tried: 50 on each database, or as many as `LIAO_HISTORIES` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chat::model::{MessageId, User};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::{runtime::Runtime, time::timeout};

use crate::support::World;

mod client;
mod moves;

use client::Client;
use moves::{CLIENTS, History, PEOPLE, Stage, history};

/// Histories of an ordinary run, on each database.
const HISTORIES: u32 = 50;
/// Tries to make a failing history shorter: each runs it again.
const SHRINKS: u32 = 300;
/// For all that one history needs; beyond it, something waits for what never comes.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn clients_end_up_with_what_is_stored_on_sqlite() {
    hold(World::sqlite());
}

#[test]
fn clients_end_up_with_what_is_stored_on_mariadb() {
    hold(World::mariadb());
}

fn hold(world: impl Future<Output = World>) {
    let runtime = Runtime::new().expect("a runtime");
    let (world, people) = runtime.block_on(async {
        let world = world.await;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            people.push(world.person(&format!("person{number}")).await);
        }
        (world, people)
    });
    let told = std::env::var("LIAO_HISTORIES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: told.unwrap_or(HISTORIES),
        max_shrink_iters: SHRINKS,
        // A history that failed is printed; times and threads are not in it, so a file of them proves nothing.
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&history(), |history| {
        let played = runtime.block_on(async { timeout(PATIENCE, play(&world, &people, history)).await });
        let played = played.unwrap_or_else(|_| Err("something waits for what never comes".into()));
        played.map_err(TestCaseError::fail)
    });
    runtime.block_on(world.chat.stop());
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Plays a history in a room of its own, and compares in the end.
async fn play(world: &World, people: &[User], history: History) -> Result<(), String> {
    let mut stage = Stage::open(world, people).await;
    let mut clients: Vec<Client> = CLIENTS
        .iter()
        .map(|person| Client::new(world.chat.clone(), people[*person].clone(), stage.room))
        .collect();
    for step in history {
        stage.play(step, &mut clients).await?;
    }
    let last = stage.end().await;
    let fresh = stage.read().await;
    acknowledged_once(&stage.acknowledged, fresh.keys().copied())?;
    for client in &mut clients {
        // Who was shut out meanwhile knows nothing false, and hears nothing more.
        if stage.is_in(&client.user).await {
            client.catch_up(last).await?;
            client.agrees_with(&fresh, &stage.members().await)?;
        }
    }
    Ok(())
}

/// What was acknowledged is stored, and nothing else is.
fn acknowledged_once(
    acknowledged: &BTreeMap<MessageId, String>,
    stored: impl Iterator<Item = MessageId>,
) -> Result<(), String> {
    let stored: Vec<MessageId> = stored.collect();
    let of: BTreeSet<MessageId> = acknowledged.keys().copied().collect();
    if stored.len() == of.len() && stored.iter().all(|id| of.contains(id)) {
        return Ok(());
    }
    Err(format!("acknowledged {of:?}, stored {stored:?}"))
}
