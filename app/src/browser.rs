//! The browser's own things: document, cookies, clock, randomness. All of `web-sys` is here, so that nobody else
//! needs to know it.
//!
//! Only built for the browser; callers are either effects, which do not run on the server, or built for it alone.

pub mod clipboard;
pub mod clock;
pub mod desktop_notification;
pub mod document;
pub mod random;
pub mod row_elements;
pub mod scroll;
pub mod storage;
pub mod textarea;
