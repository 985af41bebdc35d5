//! What the calls cost in the database: which statements they make, how these are carried
//! out, how much is written.
//!
//! A program of its own, whose tests wait for each other: it looks at everything that its
//! process says and that its MariaDB does.

use tokio::sync::Mutex;

#[path = "../behaviour/mariadb.rs"]
mod mariadb;

mod database;
mod plans;
mod statements;
mod writes;

/// Held by the one test that is running.
static ALONE: Mutex<()> = Mutex::const_new(());
