//! The page for an error outside of a page's own rendering.

use axum::http::request::Parts;
use chat::model::Failure;
use leptos::prelude::*;

use crate::{
    error::error_message,
    i18n::t,
    preferences::{Preferences, locale},
    server::{Context, request},
    shell::Document,
    ui::logo::Logo,
};

/// A complete document in the language and theme of the request `parts`. It reads no data, because it is also shown
/// while the database is unavailable.
pub fn error_page(options: LeptosOptions, parts: Parts, context: Context, failure: &Failure) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| {
        provide_context(parts);
        provide_context(context);
        Preferences::provide(request::initial_preferences());
        let text = error_message(locale(), failure);
        let head = view! { <title>{format!("{text} · {}", t!(brand))}</title> };
        view! {
            <Document options head>
                <main id="main" class="blank blank-page">
                    <Logo/>
                    <h1>{text}</h1>
                    <a class="button button-loud" href="/">
                        {t!(page.home)}
                    </a>
                </main>
            </Document>
        }
        .to_html()
    });
    owner.unset_with_forced_cleanup();
    html
}
