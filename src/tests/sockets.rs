//! One file for each kind of socket, and one for what floods them.

mod closing;
mod credentials;
mod flood;
mod garbage;
mod moderation;
mod notifications;
mod room;
