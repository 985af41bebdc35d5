//! Boxes that are laid out from below (`column-reverse`): their offset is 0 at the end and negative above it.

use leptos::{html, prelude::*};

/// To the end.
pub fn to_end(node: NodeRef<html::Div>) {
    if let Some(node) = node.get_untracked() {
        node.set_scroll_top(0);
    }
}

/// Keeps what is being read in its place while something is added below, in browsers that do not do it by themselves.
pub fn hold(node: NodeRef<html::Div>) {
    if web_sys::css::supports_with_value("overflow-anchor", "auto").unwrap_or(false) {
        return;
    }
    let Some(node) = node.get_untracked() else { return };
    let before = node.scroll_height();
    request_animation_frame(move || node.set_scroll_top(node.scroll_top() - (node.scroll_height() - before)));
}
