//! The title of a page.
//!
//! All titles are set here: on the server Leptos inserts the title without escaping, so a room's name could inject
//! markup. In the browser it is set as text and must not be escaped.

use std::borrow::Cow;

use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title;

use crate::{i18n::t, markdown::escaped};

#[component]
pub fn PageTitle(#[prop(into)] text: TextProp) -> impl IntoView {
    let brand = t!(brand);
    view! { <Title text=move || in_page(&format!("{} · {brand}", text.get())).into_owned()/> }.into_any()
}

/// Adds a prefix, which may be empty, to the title of the current page.
#[component]
pub fn BeforeTitle(prefix: impl Fn() -> String + Send + Sync + 'static) -> impl IntoView {
    view! { <Title formatter=move |title: String| format!("{}{title}", in_page(&prefix()))/> }
}

fn in_page(text: &str) -> Cow<'_, str> {
    if cfg!(feature = "ssr") { Cow::Owned(escaped(text)) } else { Cow::Borrowed(text) }
}
