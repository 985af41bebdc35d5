//! The domain's rules, against the real SQLite and the real MariaDB.
//!
//! Each test is written once and runs on both: see [`support::both`].

#[path = "mariadb.rs"]
mod mariadb;
#[path = "redis.rs"]
mod redis;
mod schema;
mod support;

mod accounts;
mod changes;
mod claims;
mod credentials;
mod histories;
mod history;
mod inbox;
mod isolation;
mod limits;
mod losses;
mod lost_commit;
mod members;
mod messages;
mod migrations;
mod moderation;
mod nodes;
mod notifications;
mod profile;
mod reads;
mod room_list;
mod rooms;
mod roster;
mod sockets;
mod succession;
mod turns;
mod unread;

mod window;
