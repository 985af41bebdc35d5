//! The text of a message as HTML.

use std::sync::Arc;

use chat::model::RoomMessage;
use leptos::prelude::*;

use crate::{
    i18n::t,
    markdown::{self, MentionNames},
};

/// Usernames that messages of this room may mention, provided as context.
#[derive(Clone, Copy)]
pub(in crate::pages::room) struct MentionNamesContext(pub(in crate::pages::room) StoredValue<MentionNames>);

/// Caches the HTML of a row's message, since the row renders again whenever the pointer enters or leaves it.
#[derive(Clone, Copy, Default)]
pub(super) struct HtmlCache(StoredValue<Option<(Arc<RoomMessage>, Arc<str>)>>);

impl HtmlCache {
    fn html(self, message: &Arc<RoomMessage>, names: &MentionNames) -> Arc<str> {
        let html = self.0.try_update_value(|cached| match cached {
            Some((of, html)) if Arc::ptr_eq(of, message) => html.clone(),
            _ => {
                let html: Arc<str> = html(message, names).into();
                *cached = Some((message.clone(), html.clone()));
                html
            }
        });
        html.unwrap_or_default()
    }
}

/// The text; a long one is collapsed in a way that needs no script.
#[component]
pub(super) fn MessageText(message: Arc<RoomMessage>, cache: HtmlCache) -> impl IntoView {
    let names: MentionNamesContext = expect_context();
    let html = names.0.with_value(|names| cache.html(&message, names));
    let is_long = markdown::is_long(&message.content);
    let class = match () {
        () if is_long => "prose prose-long",
        () if markdown::is_few_emoji(&message.content) => "prose prose-emoji",
        () => "prose",
    };
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

fn html(message: &RoomMessage, names: &MentionNames) -> String {
    let mut html = markdown::render(&message.content, names);
    if message.is_edited {
        let edited = format!("<span class=\"message-state\">{}</span>", t!(timeline.edited));
        // Within the last paragraph, if the text ends with one.
        match html.strip_suffix("</p>") {
            Some(line) => html = format!("{line}{edited}</p>"),
            None => html.push_str(&edited),
        }
    }
    html
}
