//! The domain's rules, against the real SQLite and the real MariaDB.
//!
//! Each test is written once and runs on both: see [`support::both`].

#[path = "mariadb.rs"]
mod mariadb;
mod support;

mod accounts;
mod history;
mod messages;
mod migrations;
mod rooms;
mod sockets;
