//! One file for each of `src/api`, and one for each matter of all of them.

mod accounts;
mod errors;
mod members;
mod messages;
mod notifications;
mod rooms;
mod throttling;
mod tokens;
