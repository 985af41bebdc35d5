//! One file for each of `src/api`.

mod accounts;
mod members;
mod messages;
mod notifications;
mod rooms;
mod tokens;
