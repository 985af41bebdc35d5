//! The state of a page, without its view: plain values and pure functions.
//!
//! It does not use the document, the network or the clock; callers pass those values in. So its tests run on the
//! host, without a browser.

pub mod composer_mode;
pub mod draft;
pub mod file;
#[cfg(feature = "ssr")]
pub mod fuzzy;
pub mod local_time;
pub mod mention;
pub mod outbox;
pub mod room_signals;
pub mod rooms;
pub mod roster;
pub mod timeline;
pub mod typing;
#[cfg(feature = "ssr")]
pub mod user_agent;
