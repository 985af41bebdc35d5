//! WebSockets (RFC 6455), the server's side: the upgrade, frames, and a [`Socket`] over a connection of this server.
//!
//! A library for this exists, but it holds on to its buffers: a socket that was once sent a burst kept as much memory as
//! all its other state. Here an idle socket has no buffer at all, and a burst is written with one call.
//!
//! No extensions, so no compression; the only subprotocol is `bearer`.

mod decoder;
mod frame;
mod socket;
mod upgrade;

#[cfg(test)]
mod tests;

pub use frame::encode_texts;
pub use socket::{Socket, SocketError};
pub use upgrade::Upgrade;

/// RFC 6455's code for an endpoint that goes away.
pub const GOING_AWAY: u16 = 1001;
/// RFC 6455's code for a violation of the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// RFC 6455's code for text that is not UTF-8.
pub const NOT_UTF8: u16 = 1007;

/// A message from the client. Pings and closes are answered by [`Socket`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(String),
    /// Without its content, which nobody asks for.
    Binary,
    /// Its payload, for the pong.
    Ping(Vec<u8>),
    Pong,
    /// Its code, if it has one.
    Close(Option<u16>),
}

/// Why input is no message. The socket reads nothing after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Not RFC 6455.
    Protocol,
    /// A message above the limit, or in too many fragments.
    TooLarge,
    /// Text, or the reason of a close, that is not UTF-8.
    NotUtf8,
}
