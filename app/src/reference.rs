//! The API's reference as a page, rendered on the server from what the OpenAPI document
//! says, and readable without a script.
//!
//! It must not know OpenAPI: whoever serves the page says what there is in the plain
//! shapes of [`model`].

pub mod model;
mod operation;
mod page;
mod shapes;
mod sockets;
mod words;

pub use page::reference_page;
