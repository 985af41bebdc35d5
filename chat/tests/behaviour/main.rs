//! The domain's rules on real SQLite and MariaDB.
//!
//! Each test is written once and runs on both: see [`support::both`].

#[path = "mariadb.rs"]
mod mariadb;
#[path = "redis.rs"]
mod redis;
mod schema;
mod support;

mod accounts;
mod clock_steps;

mod combined_session;
mod credentials;
mod edits;
mod floor;
mod histories;
mod history;
mod history_page;
mod identities;
mod invitations;
mod isolation;
mod limits;
mod lost_access;
mod lost_commit;
mod members;
mod mentions;
mod messages;
mod migrations;
mod moderation;
mod names;
mod nodes;
mod notification_session;
mod notifications;
mod personal_notifications;
mod profile;
mod reactivation;
mod read_pool;
mod reads;
mod room_list;
mod room_session;
mod rooms;
mod roster;
mod streams;
mod succession;
mod unread;
mod writer_fairness;
