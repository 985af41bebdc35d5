//! What was written, as HTML.

use std::sync::Arc;

use chat::model::RoomMessage;
use leptos::prelude::*;

use crate::{
    i18n::say,
    prose::{self, Names},
};

/// The names that messages here mention, in the context of the timeline.
#[derive(Clone, Copy)]
pub(in crate::pages::room) struct Named(pub(in crate::pages::room) StoredValue<Names>);

/// See the module. A long text is folded, and unfolds without a script.
#[component]
pub(super) fn Words(
    /// The message.
    message: Arc<RoomMessage>,
) -> impl IntoView {
    let content = &message.content;
    let named: Named = expect_context();
    let mut html = named.0.with_value(|names| prose::render(content, names));
    if message.is_edited {
        let edited = format!("<span class=\"message-state\">{}</span>", say!(timeline.edited));
        // In the line of the text, where it ends with one.
        match html.strip_suffix("</p>") {
            Some(line) => html = format!("{line}{edited}</p>"),
            None => html.push_str(&edited),
        }
    }
    let is_long = prose::is_long(content);
    let class = if is_long { "prose prose-long" } else { "prose" };
    view! {
        <div class=class inner_html=html></div>
        {is_long
            .then(|| {
                view! {
                    <details class="prose-more">
                        <summary>
                            <span class="prose-more-rest">{say!(timeline.more)}</span>
                            <span class="prose-more-less">{say!(timeline.less)}</span>
                        </summary>
                    </details>
                }
            })}
    }
    .into_any()
}
