//! The title of a page.
//!
//! All titles are set here: on the server Leptos inserts the title without escaping, so a room's name could inject
//! markup. In the browser it is set as text and must not be escaped.

use leptos::{prelude::*, text_prop::TextProp};

use crate::i18n::t;

/// What stands before the titles of the pages beside the list of rooms. Provided as context.
#[derive(Clone)]
pub struct TitlePrefix(ArcMemo<String>);

impl TitlePrefix {
    pub fn provide(prefix: ArcMemo<String>) {
        provide_context(Self(prefix));
    }
}

#[component]
pub fn PageTitle(#[prop(into)] text: TextProp) -> impl IntoView {
    let (brand, prefix) = (t!(brand), use_context::<TitlePrefix>());
    let title = move || {
        let prefix = prefix.as_ref().map(|TitlePrefix(prefix)| prefix.get()).unwrap_or_default();
        format!("{prefix}{} · {brand}", text.get())
    };
    #[cfg(feature = "ssr")]
    // In the browser the component is empty, which has a place in the document; `Title` has none.
    return (
        view! { <leptos_meta::Title text=move || crate::markdown::escaped(&title()).into_owned()/> },
        (),
    );
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| document().set_title(&title()));
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    let _ = title;
}
