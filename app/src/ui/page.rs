//! Layout of a static page in the middle pane: header with a back link, and a column. For pages that are rendered on
//! the server only.

use leptos::prelude::*;

use super::icon::{Icon, IconSvg};
use crate::i18n::t;

#[component]
pub fn Page(
    #[prop(into)] title: String,
    /// Shown above the title: what the page is part of.
    #[prop(optional, into)]
    over: String,
    #[prop(into)] back: String,
    /// Whether the back link is shown on phones only.
    #[prop(optional)]
    back_on_phone: bool,
    children: Children,
) -> impl IntoView {
    let class = if back_on_phone { "button button-icon phone-only" } else { "button button-icon" };
    view! {
        <main id="main" class="pane pane-main page">
            <header class="bar">
                <a class=class href=back aria-label=t!(page.back) title=t!(page.back)>
                    <IconSvg icon=Icon::Back/>
                </a>
                <div class="bar-title">
                    <h1>{title}</h1>
                    {(!over.is_empty()).then(|| view! { <p>{over}</p> })}
                </div>
            </header>
            <div class="page-scroll">
                <div class="page-column">{children()}</div>
            </div>
        </main>
    }
    .into_any()
}
