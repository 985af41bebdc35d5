//! One file for each kind of socket.

mod moderation;
mod notifications;
mod room;
