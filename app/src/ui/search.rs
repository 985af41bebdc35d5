//! A search form that leads to the same page. For pages that are rendered on the server only.

use leptos::prelude::*;

use super::icon::{Icon, IconSvg};
use crate::i18n::t;

#[component]
pub fn SearchForm(
    #[prop(into)] action: String,
    value: String,
    label: &'static str,
    /// Maximum length in characters.
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
