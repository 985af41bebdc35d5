//! Boxes that are laid out from below (`column-reverse`): their offset is 0 at the end and negative above it.

use leptos::{html, prelude::*};

/// To the end.
pub fn to_end(node: NodeRef<html::Div>) {
    if let Some(node) = node.get_untracked() {
        node.set_scroll_top(0);
    }
}

/// Keeps what is being read in its place while something is about to be added below it.
///
/// By hand: where boxes are laid out from below, what browsers do by themselves (`overflow-anchor`) moves the text when
/// something is added above, and not all of them do it.
pub fn hold(node: NodeRef<html::Div>) {
    let Some(node) = node.get_untracked() else { return };
    let before = node.scroll_height();
    request_animation_frame(move || node.set_scroll_top(node.scroll_top() - (node.scroll_height() - before)));
}
