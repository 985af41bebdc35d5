//! One file for each module of `src/api`, and one for each cross-cutting topic.

mod accounts;
mod bans;
mod coercion;
mod errors;
mod history;
mod invalid_requests;
mod limits;
mod members;
mod membership;
mod messages;
mod names;
mod notification_rules;
mod notifications;
mod races;
mod room_list;
mod rooms;
mod sending;
mod throttling;
mod tokens;
