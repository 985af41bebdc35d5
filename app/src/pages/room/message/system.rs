//! A system message: centred, without an author.

use std::sync::Arc;

use chat::model::RoomMessage;
use leptos::prelude::*;

use crate::markdown::escaped;

/// Plain text, not Markdown.
#[component]
pub(super) fn SystemLine(message: Arc<RoomMessage>) -> impl IntoView {
    view! { <p class="message-system" inner_html=escaped(&message.content)></p> }.into_any()
}
