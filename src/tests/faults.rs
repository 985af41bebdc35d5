//! Fault injection under traffic. No acknowledged message may be lost, duplicated or out of order, and the server must
//! recover by itself.

mod clients;
mod database;
mod disk;
mod mass_reconnect;
mod nodes;
mod process;
mod stalled;
mod start;
