//! The rows of the timeline, as the document has them: each is marked with its key.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, Node, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::state::timeline::RowKey;

const KEY: &str = "data-key";

/// The row that something happened in.
pub fn key_at(event: &Event) -> Option<RowKey> {
    key_of(event.target()?.dyn_ref::<Element>()?)
}

/// The row that the keyboard is in.
pub fn focused() -> Option<RowKey> {
    key_of(&document().active_element()?)
}

fn key_of(element: &Element) -> Option<RowKey> {
    element.closest(&format!("[{KEY}]")).ok()??.get_attribute(KEY)?.parse().ok()
}

/// The row's element.
pub fn find(key: RowKey) -> Option<HtmlElement> {
    document().query_selector(&format!("[{KEY}=\"{key}\"]")).ok()??.dyn_into().ok()
}

/// Gives the row the keyboard, which brings it into view.
pub fn focus(key: RowKey) {
    if let Some(row) = find(key) {
        let _ = row.focus();
    }
}

/// Shows the row in the middle.
pub fn show(key: RowKey) {
    if let Some(row) = find(key) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Center);
        row.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Takes the links at the messages' times out of the order of Tab: the live page has arrow keys for the messages, and need
/// not have a stop at each. Done to all at once, since to draw each row anew for it would cost a phone a moment.
pub fn leave_tab_order() {
    let Ok(links) = document().query_selector_all(&format!("[{KEY}] a:has(> time)")) else { return };
    for link in (0..links.length()).filter_map(|at| links.item(at)?.dyn_into::<HtmlElement>().ok()) {
        link.set_tab_index(-1);
    }
}

/// Presses what has this id, where that is a button.
pub fn press(id: &str) {
    if let Some(button) = document().get_element_by_id(id).and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        button.click();
    }
}

/// Gives the keyboard to where one writes.
pub fn focus_composer() {
    if let Ok(Some(area)) = document().query_selector(".composer textarea")
        && let Ok(area) = area.dyn_into::<HtmlElement>()
    {
        let _ = area.focus();
    }
}

/// The first row that is seen in `node`, and how far below its upper edge.
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
