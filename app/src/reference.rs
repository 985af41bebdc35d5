//! The API reference as a page, rendered from the OpenAPI document and readable without a script. With a [`Console`]
//! it is the page for testers too.
//!
//! It does not depend on OpenAPI: the caller converts the document to the plain types of [`model`].

mod console;
pub mod model;
mod operation;
mod page;
mod rich_text;
mod sockets;
mod tables;

pub use console::Console;
pub use page::reference_page;
