//! Boxes that are laid out from below (`column-reverse`): their offset is 0 at the end and negative above it.

use leptos::{html, prelude::*, task::spawn_local};

use super::row_elements;

/// To the end.
pub fn to_end(node: NodeRef<html::Div>) {
    if let Some(node) = node.get_untracked() {
        node.set_scroll_top(0);
    }
}

/// Makes a change and keeps what is being read where it is, whatever comes and goes above and below it.
///
/// By hand: where boxes are laid out from below, what browsers do by themselves (`overflow-anchor`) moves the text when
/// something is added above, and not all of them do it.
pub fn keep_position(node: NodeRef<html::Div>, change: impl FnOnce()) {
    let anchor = node.get_untracked().and_then(|node| Some((row_elements::first_seen(&node)?, node)));
    change();
    let Some(((row, before), node)) = anchor else { return };
    spawn_local(async move {
        // The document follows its signals in a task of its own, before anything is drawn.
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
