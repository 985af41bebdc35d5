//! The contract, spoken to the started binary over HTTP and sockets.
//!
//! `routes` mirrors `src/api`, `sockets` mirrors `src/ws`; `operations` starts, stops
//! and kills the process; `faults` does so, and worse, while people write and listen. Tests run in parallel against
//! shared systems: one server on SQLite, one on MariaDB, and three nodes with a Redis Cluster; each makes people and
//! rooms of its own.

mod calls;
mod clients;
mod cors;
mod demo;
mod documents;
mod faults;
mod losses;
mod malformed;
mod metrics;
mod operations;
mod pages;
mod readme;
mod routes;
mod sockets;
mod statements;
mod support;
