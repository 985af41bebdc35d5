//! One file for each of `src/api`.

mod accounts;
mod messages;
mod rooms;
mod tokens;
