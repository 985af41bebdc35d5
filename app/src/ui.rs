//! Shared components and formatting: logo, icons, avatars, fields, switches, times, page layout.

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
