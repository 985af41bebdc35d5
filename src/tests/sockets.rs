//! One file for each kind of socket.

mod garbage;
mod moderation;
mod notifications;
mod room;
