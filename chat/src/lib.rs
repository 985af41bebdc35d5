//! Liao's domain: permissions, storage, and delivery of events.
//!
//! The crate has no HTTP and no HTML. REST handlers, sockets and the UI's server functions all call [`Chat`], so each
//! rule is written once. Without features the crate contains only [`model`], which also compiles to wasm; the feature
//! `server` adds the rest.
//!
//! Invariants:
//! - a message's `seq` is 1, 2, 3 … in its room, without gaps, and ids increase with it;
//! - every stored change of a room takes the next `rev` in the transaction that stores it;
//! - a sender gets its response, and the hub gets the event, only after the commit;
//! - every queue is bounded, and the caller gets an error when one is full.
//!
//! A module imports only from those left of it: [`model`] < [`fold`], `change`, `event` < `store` (SQL), `bus` (other nodes) < `rules` <
//! `hub` (fan-out) < `writer` (group commit) < `service` (the calls). A test checks it.

// The public API needs complete documentation. Elsewhere a doc comment is optional and must say more than the name.
#![warn(missing_docs)]

pub mod model;

#[cfg(feature = "server")]
pub mod bus;
#[cfg(feature = "server")]
mod change;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod credential;
#[cfg(feature = "server")]
pub mod error;
#[cfg(feature = "server")]
pub mod event;
#[cfg(feature = "server")]
pub mod fold;
#[cfg(feature = "server")]
pub mod hub;
#[cfg(feature = "server")]
pub mod metrics;
#[cfg(feature = "server")]
pub mod owned_task;
#[cfg(feature = "server")]
pub mod password;
#[cfg(feature = "server")]
mod queue;
#[cfg(feature = "server")]
pub mod rules;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod writer;

#[cfg(feature = "server")]
pub use error::{Error, Result};
#[cfg(feature = "server")]
pub use service::{Chat, Settings};
