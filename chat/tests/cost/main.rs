//! The cost of calls in the database: statements, query plans, rows written.
//!
//! A separate program whose tests run one at a time: it observes all log events of its process and all statements of
//! its MariaDB.

use tokio::sync::Mutex;

#[path = "../behaviour/mariadb.rs"]
mod mariadb;

mod database;
mod plans;
mod statements;
mod writes;

/// Held by the running test.
static ALONE: Mutex<()> = Mutex::const_new(());
