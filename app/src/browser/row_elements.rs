//! The timeline's rows in the document. Each has its row key in `data-key`.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, Node, ScrollIntoViewOptions, ScrollLogicalPosition};

use super::document::element;
use crate::state::timeline::RowKey;

const KEY: &str = "data-key";

/// The row in which an event happened.
pub fn key_at(event: &Event) -> Option<RowKey> {
    key_of(event.target()?.dyn_ref::<Element>()?)
}

/// The row that has the focus.
pub fn focused() -> Option<RowKey> {
    key_of(&document().active_element()?)
}

/// Whether it happened to something that has an action of its own.
pub fn is_control(event: &Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|it| {
        it.closest("a, button, summary, .avatar, .mention, .message-actions")
            .is_ok_and(|control| control.is_some())
    })
}

/// Whether it happened to a button.
pub fn is_button(event: &Event) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|it| it.tag_name() == "BUTTON")
}

fn key_of(element: &Element) -> Option<RowKey> {
    element.closest(&format!("[{KEY}]")).ok()??.get_attribute(KEY)?.parse().ok()
}

pub fn find(key: RowKey) -> Option<HtmlElement> {
    document().query_selector(&format!("[{KEY}=\"{key}\"]")).ok()??.dyn_into().ok()
}

/// Focuses the row, which scrolls it into view.
pub fn focus(key: RowKey) {
    if let Some(row) = find(key) {
        let _ = row.focus();
    }
}

/// Scrolls the row to the middle.
pub fn show(key: RowKey) {
    if let Some(row) = find(key) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Center);
        row.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Takes the links at the messages' times out of the tab order: on a live page the arrow keys move between messages.
/// All rows are changed at once, because rendering each row again takes noticeable time on a phone.
pub fn leave_tab_order() {
    let Ok(links) = document().query_selector_all(&format!("[{KEY}] a:has(> time)")) else { return };
    for link in (0..links.length()).filter_map(|at| links.item(at)?.dyn_into::<HtmlElement>().ok()) {
        link.set_tab_index(-1);
    }
}

/// Clicks the button with this id.
pub fn press(id: &str) {
    if let Some(button) = element(id) {
        button.click();
    }
}

/// Focuses the composer's text area.
pub fn focus_composer() {
    if let Ok(Some(area)) = document().query_selector(".composer textarea")
        && let Ok(area) = area.dyn_into::<HtmlElement>()
    {
        let _ = area.focus();
    }
}

/// The first visible row of `node`, and its distance from the upper edge in pixels.
pub fn first_seen(node: &Element) -> Option<(Element, f64)> {
    let edge = node.get_bounding_client_rect().top();
    let rows = node.query_selector_all(&format!("[{KEY}]")).ok()?;
    (0..rows.length())
        .filter_map(|at| rows.item(at).and_then(|row: Node| row.dyn_into::<Element>().ok()))
        .map(|row| {
            let bounds = row.get_bounding_client_rect();
            (row, bounds.top() - edge, bounds.bottom() - edge)
        })
        .find(|(_, _, bottom)| *bottom > 0.0)
        .map(|(row, top, _)| (row, top))
}
