//! One file for each kind of socket.

mod room;
