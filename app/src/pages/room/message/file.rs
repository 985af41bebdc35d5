//! The card of a message's file, which links to it. The file itself is not loaded.

use chat::model::MessageType;
use leptos::prelude::*;

use crate::{i18n::t, markdown::escaped, state::file::File, ui::icon::Icon};

/// Its content is an HTML string: as components it would add 8 KB to the wasm.
#[component]
pub(super) fn FileCard(file: File, kind: MessageType) -> impl IntoView {
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
