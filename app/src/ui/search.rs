//! Looking for something in a list: a form that leads to the same page. For pages that the server alone renders.

use leptos::prelude::*;

use super::icon::{Icon, IconSvg};
use crate::i18n::t;

/// See the module.
#[component]
pub fn SearchForm(
    /// The page.
    #[prop(into)]
    action: String,
    /// What was looked for.
    value: String,
    /// What is looked for here.
    label: &'static str,
    /// The most characters it may have.
    max: usize,
) -> impl IntoView {
    view! {
        <form class="search" role="search" action=action>
            <IconSvg icon=Icon::Search/>
            <input
                class="input"
                type="search"
                name="search"
                value=value
                maxlength=max.to_string()
                aria-label=label
                placeholder=label
            />
            <button type="submit" class="button">
                {t!(browse.submit)}
            </button>
        </form>
    }
    .into_any()
}
