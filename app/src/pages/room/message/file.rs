//! The file of a message: a card that says what it is and where, and leads there. Nothing of it is loaded here.

use chat::model::MessageType;
use leptos::prelude::*;

use crate::{i18n::t, markdown::escaped, state::file::File, ui::icon::Icon};

/// See the module. Its inside is put together as text, as that of a text is: markup of many elements would be 8 KB of
/// code that every visitor fetches.
#[component]
pub(super) fn FileCard(
    /// The file.
    file: File,
    /// What the message calls it.
    kind: MessageType,
) -> impl IntoView {
    let File { address, name, size } = file;
    let (icon, kind) = match kind {
        MessageType::Image => (Icon::Image, t!(file.image)),
        MessageType::File | MessageType::Text | MessageType::System => (Icon::File, t!(file.file)),
    };
    let (href, host) = address.map(|address| (address.href, address.host)).unzip();
    let name = name.as_deref().unwrap_or(t!(file.unnamed));
    let mut inside = icon.html();
    let mut put = |class: &str, text: &str| {
        inside.extend(["<span class=\"", class, "\">", &escaped(text), "</span>"]);
    };
    put("unseen", kind);
    put("file-name", name);
    for about in size.into_iter().chain(host.flatten()) {
        put("file-about", &about);
    }
    view! {
        <a
            class="file"
            href=href
            target="_blank"
            rel="noopener noreferrer nofollow ugc"
            data-testid="file"
            inner_html=inside
        ></a>
    }
    .into_any()
}
