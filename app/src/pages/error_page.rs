//! The page in place of one that was refused or could not be made.

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

/// The whole document, in the language and theme that the request `parts` ask for. It waits for nothing and reads
/// nothing, since it is what remains when the database is away.
pub fn error_page(options: LeptosOptions, parts: Parts, context: Context, failure: &Failure) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| {
        provide_context(parts);
        provide_context(context);
        Preferences::provide(request::initial_preferences());
        let words = error_message(locale(), failure);
        let head = view! { <title>{format!("{words} · {}", t!(brand))}</title> };
        view! {
            <Document options head>
                <main id="main" class="blank blank-page">
                    <Logo/>
                    <h1>{words}</h1>
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
