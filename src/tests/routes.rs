//! One file for each of `src/api`, and one for each matter of all of them.

mod accounts;
mod bans;
mod coercion;
mod errors;
mod foreign;
mod history;
mod limits;
mod members;
mod membership;
mod messages;
mod names;
mod notices;
mod notifications;
mod races;
mod room_list;
mod rooms;
mod sending;
mod throttling;
mod tokens;
