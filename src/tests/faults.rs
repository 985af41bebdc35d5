//! What breaks, with people writing and listening all the while: acknowledged messages lost 0, repeated 0, out of
//! order 0, and the server comes back by itself.

mod clients;
mod crowd;
mod database;
mod disk;
mod nodes;
mod process;
mod stalled;
mod start;
