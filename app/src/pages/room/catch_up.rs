//! The bar over the timeline of a room with more unread messages than the page has: it leads to the first of them.

use chat::model::MessageId;
use leptos::prelude::*;

use super::context::RoomContext;
#[cfg(feature = "hydrate")]
use super::context::{Action, Actions};
use crate::{
    i18n::{t, td_string},
    preferences::locale,
    server::rooms::room_path,
    state::composer_mode::message_path,
    ui::erased::IntoErased,
};

/// Its content is an HTML string: as components it would be two more KiB of wasm.
#[component]
pub(super) fn CatchUpBar(
    /// The newest message that the reader has read.
    last_read: MessageId,
    /// Number of unread messages when the room was opened.
    unread: i64,
) -> impl IntoView {
    let RoomContext { room, skips_unread, .. } = expect_context();
    // The line of new messages is below the last one that was read. That may have been removed with all before it.
    let first = match last_read {
        MessageId(0) => format!("{}?after=0", room_path(room)),
        last_read => message_path(room, last_read),
    };
    let html = format!(
        "<p class=\"catch-up\" data-testid=\"catch-up\"><span>{}</span><a class=\"button-text\" href=\"{first}\">{}</a>\
         <button type=\"button\" class=\"button-text\">{}</button></p>",
        td_string!(locale(), timeline.came_in, count = unread),
        t!(catch_up.to_first),
        t!(catch_up.mark_read),
    );
    #[cfg(feature = "hydrate")]
    let actions: Actions = expect_context();
    let clicked = move |event: leptos::ev::MouseEvent| {
        #[cfg(feature = "hydrate")]
        if crate::browser::row_elements::is_button(&event) {
            actions.run(Action::MarkRead);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = event;
    };
    let shown = move || if skips_unread.get() { html.clone() } else { String::new() };
    view! { <div class="catch-up-place" inner_html=shown on:click=clicked></div> }.erased()
}
