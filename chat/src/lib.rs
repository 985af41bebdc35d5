//! Liao's domain: who may do what, what is stored, and who is told.
//!
//! The crate knows no HTTP and no HTML. Its three doors (REST handlers, socket
//! frames and the UI's server functions) all call [`Chat`], so a rule is written
//! once. Built without features it is the [`model`] alone, which also compiles
//! to wasm; the feature `server` adds the rest.
//!
//! What the crate promises:
//! - a message's `seq` is 1, 2, 3 … in its room without a hole, and ids rise with it;
//! - every stored change of a room takes the next `rev` in the transaction that stores it;
//! - a sender is answered, and an event handed to the hub, only after the commit;
//! - every queue is bounded, and a full one is told to the caller.
//!
//! Reading order: [`model`], then `service` (the rules), `writer` (group commit),
//! `store` (SQL), `hub` (fan-out), `bus` (other nodes).

// What handlers and the UI are written against is documented whole. Inside the crate and in the binary a doc comment
// stands where it says more than the name does.
#![warn(missing_docs)]

pub mod model;

#[cfg(feature = "server")]
pub mod bus;
#[cfg(feature = "server")]
pub mod credential;
#[cfg(feature = "server")]
pub mod error;
#[cfg(feature = "server")]
pub mod hub;
#[cfg(feature = "server")]
pub mod metrics;
#[cfg(feature = "server")]
pub mod password;
#[cfg(feature = "server")]
mod queue;
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
