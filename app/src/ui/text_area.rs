//! Text areas.

use leptos::{html, prelude::*};

use crate::markdown::escaped;

/// A text area that contains `text`. Further attributes (`attr:name`, `on:input`) are added by the caller.
///
/// All text areas use this component or [`content`]: Leptos writes the children of `<textarea>` without escaping, so
/// user text could inject markup.
#[component]
pub fn TextArea(
    #[prop(into)] text: String,
    /// To read what was typed.
    #[prop(optional)]
    node_ref: NodeRef<html::Textarea>,
) -> impl IntoView {
    view! { <textarea node_ref=node_ref inner_html=content(&text)></textarea> }
}

/// The inner HTML of a text area that contains `text`. HTML parsers drop a leading line break, so the server adds
/// one; `innerHTML` set by a script does not.
pub fn content(text: &str) -> String {
    let html = escaped(text);
    if cfg!(feature = "ssr") && text.starts_with(['\n', '\r']) { format!("\n{html}") } else { html }
}
