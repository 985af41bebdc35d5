//! Contract tests against the started binary, over HTTP and WebSockets.
//!
//! `routes` mirrors `src/api`, `sockets` mirrors `src/ws`. `operations` starts, stops and kills the process; `faults`
//! injects faults under traffic. Tests run in parallel against shared systems: one server on SQLite, one on MariaDB,
//! and three nodes with a Redis Cluster. Each test creates its own users and rooms.

mod access;
mod calls;
mod clients;
mod cors;
mod demo;
mod documents;
mod faults;
mod malformed;
mod metrics;
mod operations;
mod pages;
mod readme;
mod routes;
mod sockets;
mod statements;
mod support;
