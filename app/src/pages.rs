//! The pages, one file each; the parts of a page are in the folder of its name.
//!
//! Only the rooms are hydrated; pages behind `ssr` are not in the wasm.

#[cfg(feature = "ssr")]
pub mod auth_layout;
#[cfg(feature = "ssr")]
pub mod browse;
#[cfg(feature = "ssr")]
pub mod error_page;
#[cfg(feature = "ssr")]
pub mod home;
pub mod load_error;
#[cfg(feature = "ssr")]
pub mod members;
#[cfg(feature = "ssr")]
pub mod new_room;
#[cfg(feature = "ssr")]
pub mod not_found;
#[cfg(feature = "ssr")]
pub mod notifications;
#[cfg(feature = "ssr")]
pub mod offline;
#[cfg(feature = "ssr")]
pub mod person_names;
pub mod redirect;
pub mod room;
pub mod room_list;
#[cfg(feature = "ssr")]
pub mod room_settings;
pub mod rooms;
#[cfg(feature = "ssr")]
pub mod settings;
#[cfg(feature = "ssr")]
pub mod sign_in;
#[cfg(feature = "ssr")]
pub mod sign_up;
pub mod title;

use title::PageTitle;

/// Whether the error means that nobody is signed in.
pub(crate) fn needs_sign_in(code: chat::model::Code) -> bool {
    use chat::model::Code::{NotAuthenticated, TokenNotValid, UserInactive, UserNotFound};
    matches!(code, NotAuthenticated | TokenNotValid | UserInactive | UserNotFound)
}

/// Sets the response's status on the server, where a page shows an error.
pub(crate) fn answer_with(code: chat::model::Code) {
    #[cfg(feature = "ssr")]
    crate::server::request::set_status(code);
    #[cfg(not(feature = "ssr"))]
    let _ = code;
}
