//! What the page knows, apart from how it looks: plain values and pure functions on them.
//!
//! It must not touch the document, the network or the clock; whoever calls passes those in. That is why
//! it is tested on the host, without a browser.

pub mod composer_mode;
pub mod draft;
pub mod file;
#[cfg(feature = "ssr")]
pub mod fuzzy;
pub mod local_time;
pub mod mention;
pub mod rooms;
pub mod roster;
pub mod timeline;
pub mod typing;
#[cfg(feature = "ssr")]
pub mod user_agent;
