//! Where the page is, and how the live pages follow links.
//!
//! Only `/rooms` and the rooms are live (see [`is_live`]), so the browser needs no router: it has the address as a signal
//! and renders the page of that address. Any other link is a full load. The server routes with `leptos_router`.

use chat::model::RoomId;
use leptos::prelude::*;

/// The path of the list of rooms.
pub const ROOMS: &str = "/rooms";

/// An address on this server, without its fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    pub path: String,
    /// Without the `?`.
    pub query: String,
}

impl Location {
    /// A parameter of the query as it stands there: those of live pages are ids and plain words.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// The room whose page this is.
    pub fn room(&self) -> Option<RoomId> {
        self.path.strip_prefix("/rooms/")?.parse().ok().and_then(RoomId::checked)
    }

    /// Path and query.
    pub fn to_path(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { [&self.path, "?", &self.query].concat() }
    }
}

/// Where the page is. Provided as context.
#[derive(Clone, Copy)]
pub struct CurrentLocation(pub RwSignal<Location>);

impl CurrentLocation {
    pub fn provide(location: Location) -> Self {
        let current = Self(RwSignal::new(location));
        provide_context(current);
        current
    }

    /// The room that is open, for code that runs on events.
    #[cfg(feature = "hydrate")]
    pub fn open_room(self) -> Option<RoomId> {
        self.0.with_untracked(Location::room)
    }
}

/// Whether the page at `path` is hydrated. The others are static pages and forms that load only `page.js`.
pub fn is_live(path: &str) -> bool {
    let room = path.strip_prefix("/rooms/");
    let is_still = |room: &str| matches!(room, "" | "new" | "browse") || room.contains('/');
    path == ROOMS || room.is_some_and(|room| !is_still(room))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn parameters_are_found_by_their_whole_name() {
        let location = Location { path: "/rooms/5".into(), query: "message=12&do=reply&panel=".into() };
        assert_eq!(location.parameter("message"), Some("12"));
        assert_eq!(location.parameter("do"), Some("reply"));
        assert_eq!(location.parameter("panel"), Some(""));
        assert_eq!(location.parameter("mess"), None);
        assert_eq!(location.room(), Some(RoomId(5)));
        assert_eq!(location.to_path(), "/rooms/5?message=12&do=reply&panel=");
        let bare = Location { path: "/rooms/05x".into(), query: String::new() };
        assert_eq!(
            (bare.room(), bare.parameter("message"), bare.to_path().as_str()),
            (None, None, "/rooms/05x")
        );
    }
}
