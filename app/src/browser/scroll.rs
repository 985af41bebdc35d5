//! Scrolling of boxes with `column-reverse`: `scrollTop` is 0 at the end and negative above it.

use leptos::{html, prelude::*, task::spawn_local};
use web_sys::Element;

use super::row_elements;

pub fn to_end(node: NodeRef<html::Div>) {
    if let Some(node) = node.get_untracked() {
        node.set_scroll_top(0);
    }
}

/// Scrolls up to the first element that matches `selector`, if it is above the view. Returns how far the view is from the
/// end then, in pixels.
pub fn reveal_above(node: &Element, selector: &str) -> i32 {
    let Ok(Some(element)) = node.query_selector(selector) else { return 0 };
    let edge = node.get_bounding_client_rect().top();
    if element.get_bounding_client_rect().top() < edge {
        element.scroll_into_view();
    }
    node.scroll_top().abs()
}

/// Applies a change and keeps the first visible row where it is on the screen.
///
/// Done by hand: in `column-reverse` boxes the browsers' scroll anchoring (`overflow-anchor`) moves the text when
/// something is inserted above, and not all browsers have it.
pub fn keep_position(node: NodeRef<html::Div>, change: impl FnOnce()) {
    let anchor = node.get_untracked().and_then(|node| Some((row_elements::first_seen(&node)?, node)));
    change();
    let Some(((row, before), node)) = anchor else { return };
    spawn_local(async move {
        // Effects run in a task of their own, before the next paint.
        leptos::task::tick().await;
        if row.is_connected() {
            let now = row.get_bounding_client_rect().top() - node.get_bounding_client_rect().top();
            let moved = now - before;
            if moved.abs() >= 1.0 {
                #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
                node.set_scroll_top(node.scroll_top() + moved.round() as i32);
            }
        }
    });
}
