//! Browser APIs: document, cookies, clock, storage, randomness, text. All use of `web-sys` is in this module.
//!
//! Built with feature `hydrate` only. Callers are effects, which do not run on the server, or code behind the same
//! feature.

pub mod clipboard;
pub mod clock;
pub mod desktop_notification;
pub mod document;
pub mod history;
pub mod random;
pub mod row_elements;
pub mod scroll;
pub mod storage;
pub mod text;
pub mod textarea;
