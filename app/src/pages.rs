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

/// Whether the page at `path` is hydrated. The others are static pages and forms that load only `page.js`.
pub fn is_live(path: &str) -> bool {
    let room = path.strip_prefix("/rooms/");
    let is_still = |room: &str| matches!(room, "" | "new" | "browse") || room.contains('/');
    path == "/rooms" || room.is_some_and(|room| !is_still(room))
}

/// Sets the response's status on the server, where a page shows an error.
pub(crate) fn answer_with(code: chat::model::Code) {
    #[cfg(feature = "ssr")]
    crate::server::request::set_status(code);
    #[cfg(not(feature = "ssr"))]
    let _ = code;
}

#[cfg(test)]
mod tests {
    use super::is_live;

    #[test]
    fn only_rooms_are_live() {
        for live in ["/rooms", "/rooms/5", "/rooms/abc"] {
            assert!(is_live(live), "{live}");
        }
        for still in [
            "/",
            "/sign-in",
            "/rooms/new",
            "/rooms/browse",
            "/notifications",
            "/rooms/",
            "/rooms//",
            "/rooms/5/",
            "/rooms/5/more",
            "/roomsy",
        ] {
            assert!(!is_live(still), "{still}");
        }
    }
}
