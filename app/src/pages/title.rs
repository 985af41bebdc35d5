//! The title of a page, in its tab.
//!
//! Every title is made here: Leptos writes it into the page as it is, and somebody's text could end it and go on as
//! markup. The browser's half sets it as text, so it is escaped on the server alone.

use std::borrow::Cow;

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{i18n::t, markdown::escaped};

/// The title of a page.
#[component]
pub fn PageTitle(
    /// Its own part of it.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let title = format!("{text} · {}", t!(brand));
    view! { <Title text=in_page(&title).into_owned()/> }.into_any()
}

/// Puts something before the title of whichever page is open.
#[component]
pub fn BeforeTitle(
    /// What; it may be nothing.
    prefix: impl Fn() -> String + Send + Sync + 'static,
) -> impl IntoView {
    view! { <Title formatter=move |title: String| format!("{}{title}", in_page(&prefix()))/> }
}

fn in_page(text: &str) -> Cow<'_, str> {
    if cfg!(feature = "ssr") { Cow::Owned(escaped(text)) } else { Cow::Borrowed(text) }
}
