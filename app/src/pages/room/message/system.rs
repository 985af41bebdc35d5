//! The server's own words: a line in the middle, without an author.

use std::sync::Arc;

use chat::model::RoomMessage;
use leptos::prelude::*;

use crate::markdown::escaped;

/// See the module. Its text is text, without marks.
#[component]
pub(super) fn SystemLine(
    /// The message.
    message: Arc<RoomMessage>,
) -> impl IntoView {
    view! { <p class="message-system" inner_html=escaped(&message.content)></p> }.into_any()
}
