//! Parts that know nothing of the chat: mark, icons, faces, fields, switches, moments, pages.

pub mod avatar;
pub mod erased;
#[cfg(feature = "ssr")]
pub mod field;
pub mod icon;
pub mod logo;
#[cfg(feature = "ssr")]
pub mod page;
pub mod person;
#[cfg(feature = "ssr")]
pub mod search;
pub mod switches;
pub mod text_area;
pub mod time_format;
