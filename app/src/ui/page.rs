//! A page in the middle pane that is read and filled in rather than talked in: head, way back, and a column.
//! For pages that the server alone renders.

use leptos::prelude::*;

use super::icon::{Icon, IconSvg};
use crate::i18n::t;

/// See the module.
#[component]
pub fn Page(
    /// What it is.
    #[prop(into)]
    title: String,
    /// What it is part of, over the title.
    #[prop(optional, into)]
    over: String,
    /// Where one comes from.
    #[prop(into)]
    back: String,
    /// Is the way back only needed where a pane fills the screen?
    #[prop(optional)]
    back_on_phone: bool,
    /// The column.
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
