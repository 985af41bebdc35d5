//! What was written, as HTML.

use std::sync::Arc;

use chat::model::RoomMessage;
use leptos::prelude::*;

use crate::{
    i18n::t,
    prose::{self, Names},
};

/// The names that messages here mention, in the context of the timeline.
#[derive(Clone, Copy)]
pub(in crate::pages::room) struct Named(pub(in crate::pages::room) StoredValue<Names>);

/// The HTML of a row's message. A row is drawn again whenever the pointer comes or goes, and its message is then not
/// read again.
#[derive(Clone, Copy, Default)]
pub(super) struct Written(StoredValue<Option<(Arc<RoomMessage>, Arc<str>)>>);

impl Written {
    fn html(self, message: &Arc<RoomMessage>, names: &Names) -> Arc<str> {
        let html = self.0.try_update_value(|known| match known {
            Some((of, html)) if Arc::ptr_eq(of, message) => html.clone(),
            _ => {
                let html: Arc<str> = html(message, names).into();
                *known = Some((message.clone(), html.clone()));
                html
            }
        });
        html.unwrap_or_default()
    }
}

/// See the module. A long text is folded, and unfolds without a script.
#[component]
pub(super) fn Words(
    /// The message.
    message: Arc<RoomMessage>,
    /// What was made of it before.
    written: Written,
) -> impl IntoView {
    let named: Named = expect_context();
    let html = named.0.with_value(|names| written.html(&message, names));
    let is_long = prose::is_long(&message.content);
    let class = if is_long { "prose prose-long" } else { "prose" };
    view! {
        <div class=class inner_html=html></div>
        {is_long
            .then(|| {
                view! {
                    <details class="prose-more">
                        <summary>
                            <span class="prose-more-rest">{t!(timeline.more)}</span>
                            <span class="prose-more-less">{t!(timeline.less)}</span>
                        </summary>
                    </details>
                }
            })}
    }
    .into_any()
}

fn html(message: &RoomMessage, names: &Names) -> String {
    let mut html = prose::render(&message.content, names);
    if message.is_edited {
        let edited = format!("<span class=\"message-state\">{}</span>", t!(timeline.edited));
        // In the line of the text, where it ends with one.
        match html.strip_suffix("</p>") {
            Some(line) => html = format!("{line}{edited}</p>"),
            None => html.push_str(&edited),
        }
    }
    html
}
