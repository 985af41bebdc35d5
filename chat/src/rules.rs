//! The rules of the chat: who may do what, and what names, passwords and texts may be.
//!
//! Pure functions of the model. Service and writer apply them; nothing here reads the database.

pub mod access;
pub mod account;
pub(crate) mod confusable;
pub(crate) mod mention;
pub(crate) mod validate;
pub(crate) mod visible;
