//! The quoted message above a reply, which links to it.

use leptos::prelude::*;

use super::super::context::{Action, Actions, RoomContext};
use crate::{
    i18n::t,
    markdown::{escaped, excerpt},
    state::{composer_mode::message_path, timeline::Quote},
    ui::person::display_name,
};

/// Length of the excerpt, in characters.
const SHOWN: usize = 100;

#[component]
pub(super) fn QuoteLine(quote: Quote) -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let (id, author, text) = match quote {
        Quote::Loaded(message) if message.is_deleted => {
            (message.id, Some(display_name(&message.sender)), t!(timeline.deleted).to_owned())
        }
        Quote::Loaded(message) => {
            (message.id, Some(display_name(&message.sender)), excerpt(&message.content, SHOWN))
        }
        Quote::Missing(id) => (id, None, t!(timeline.quoted).to_owned()),
    };
    // An HTML string is less wasm than components.
    let author = author.map(|author| format!("<span class=\"quote-author\">{}</span>", escaped(&author)));
    let html = format!("{}<span class=\"quote-words\">{}</span>", author.unwrap_or_default(), escaped(&text));
    view! {
        <a
            class="quote"
            data-testid="quote"
            href=format!("{}#message-{id}", message_path(context.room, id))
            on:click=move |click| actions.run_instead(&click, Action::Jump(id))
            inner_html=html
        ></a>
    }
    .into_any()
}
