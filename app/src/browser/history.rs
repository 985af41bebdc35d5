//! Follows links between live pages without loading them, and the browser's back and forward.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use crate::navigation::{CurrentLocation, Location, is_live};

/// The address of the page.
pub fn location() -> Location {
    let location = window().location();
    let query = location.search().unwrap_or_default();
    Location {
        path: location.pathname().unwrap_or_default(),
        query: query.strip_prefix('?').unwrap_or_default().to_owned(),
    }
}

/// Keeps `current` up to date as long as the page lives.
pub fn follow(CurrentLocation(current): CurrentLocation) {
    let update = move || {
        let now = location();
        if current.with_untracked(|current| *current != now) {
            current.set(now);
        }
    };
    let _ = window_event_listener(ev::popstate, move |_| update());
    let _ = window_event_listener(ev::click, move |event| {
        if let Some(link) = live_link(&event) {
            event.prevent_default();
            let is_here = window().location().href().is_ok_and(|href| href == link.href());
            if let (false, Ok(history)) = (is_here, window().history()) {
                let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&link.href()));
            }
            update();
        }
    });
}

/// The link that was clicked, if it leads to a live page in this tab. `rel="external"` leaves it to the browser.
fn live_link(event: &MouseEvent) -> Option<HtmlAnchorElement> {
    let has_modifier = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
    if event.default_prevented() || event.button() != 0 || has_modifier {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let link: HtmlAnchorElement = target.closest("a[href]").ok()??.dyn_into().ok()?;
    let is_ours = window().location().host().is_ok_and(|host| host == link.host());
    let is_for_browser = link.has_attribute("target") || link.rel() == "external";
    (is_ours && !is_for_browser && is_live(&link.pathname())).then_some(link)
}
