//! `<html>`, cookies, and whether anybody is looking.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, VisibilityState};

use crate::preferences::InitialPreferences;

/// What the server rendered this page with.
pub fn initial_preferences() -> InitialPreferences {
    let root = document().document_element();
    InitialPreferences::from_attributes(|name| root.as_ref().and_then(|root| root.get_attribute(name)))
}

/// Sets an attribute of `<html>`, or takes it away.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    if let Some(root) = document().document_element() {
        // Fails only for names that are no names.
        let _ = match value {
            Some(value) => root.set_attribute(name, value),
            None => root.remove_attribute(name),
        };
    }
}

/// Keeps a word for a year, where scripts and the server can read it.
pub fn set_cookie(name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        // A browser without cookies forgets; that is its right.
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax"));
    }
}

/// Is the tab in front?
pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Puts a dot on the tab's icon, or takes it away.
pub fn mark_icon(is_marked: bool) {
    let file = if is_marked { "/favicon-unread.svg" } else { "/favicon.svg" };
    if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
        let _ = link.set_attribute("href", file);
    }
}

/// The address of the socket at `path` on this page's server.
pub fn socket_url(path: &str) -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{path}", location.host().unwrap_or_default())
}

/// Loads the page anew.
pub fn reload() {
    // Fails only in a document that is going away.
    let _ = window().location().reload();
}

/// Leaves for `path`.
pub fn go(path: &str) {
    let _ = window().location().set_href(path);
}
