//! Attributes of `<html>`, cookies, page visibility, navigation.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition, VisibilityState};

use crate::preferences::InitialPreferences;

/// The preferences that the server rendered this page with.
pub fn initial_preferences() -> InitialPreferences {
    let root = document().document_element();
    InitialPreferences::from_attributes(|name| root.as_ref().and_then(|root| root.get_attribute(name)))
}

/// Sets an attribute of `<html>`, or removes it.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    if let Some(root) = document().document_element() {
        // Fails only for invalid names.
        let _ = match value {
            Some(value) => root.set_attribute(name, value),
            None => root.remove_attribute(name),
        };
    }
}

/// Sets a cookie for a year that scripts and the server can read.
pub fn set_cookie(name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        // Where cookies are disabled the value is not kept; nothing depends on it.
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax"));
    }
}

pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Adds the unread dot to the favicon, or removes it.
pub fn mark_icon(is_marked: bool) {
    let file = if is_marked { "/favicon-unread.svg" } else { "/favicon.svg" };
    if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
        let _ = link.set_attribute("href", file);
    }
}

/// The WebSocket URL of `path` on this server.
pub fn socket_url(path: &str) -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{path}", location.host().unwrap_or_default())
}

/// The element with this id.
pub fn element(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

pub fn reload() {
    // Fails only while the document is being unloaded.
    let _ = window().location().reload();
}

/// Navigates to `path` with a full page load.
pub fn go(path: &str) {
    let _ = window().location().set_href(path);
}

/// Whether the main pointer is a mouse or a touchpad, and so the keyboard a real one.
pub fn has_fine_pointer() -> bool {
    window().match_media("(pointer: fine)").is_ok_and(|query| query.is_some_and(|query| query.matches()))
}

/// Scrolls the list of rooms as far as the open room needs to be seen.
pub fn reveal_open_room() {
    if let Ok(Some(link)) = document().query_selector(".room-link[aria-current]") {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        link.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
