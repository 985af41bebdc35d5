//! The API's reference as a page, rendered on the server from what the OpenAPI document
//! says, and readable without a script; with a [`Console`], testers' page too.
//!
//! It must not know OpenAPI: whoever serves the page says what there is in the plain
//! shapes of [`model`].

mod console;
pub mod model;
mod operation;
mod page;
mod rich_text;
mod sockets;
mod tables;

pub use console::Console;
pub use page::reference_page;
