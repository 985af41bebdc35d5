//! Where one writes more than a line.

use leptos::{html, prelude::*};

use crate::markdown::escaped;

/// A text area that begins with `text`. What else it has (`attr:name`, `on:input`) is given where it is used.
///
/// Every text area is made here, or has [`content`]: Leptos writes the children of a `<textarea>` as they are, and
/// somebody's text could end it and go on as markup.
#[component]
pub fn TextArea(
    /// What it begins with.
    #[prop(into)]
    text: String,
    /// For whoever reads what was typed.
    #[prop(optional)]
    node_ref: NodeRef<html::Textarea>,
) -> impl IntoView {
    view! { <textarea node_ref=node_ref inner_html=content(&text)></textarea> }
}

/// What stands between the tags of a text area that begins with `text`. A line break at the beginning is not part of the text where a page is parsed, but is
/// where a script sets it.
pub fn content(text: &str) -> String {
    let html = escaped(text);
    if cfg!(feature = "ssr") && text.starts_with(['\n', '\r']) { format!("\n{html}") } else { html }
}
