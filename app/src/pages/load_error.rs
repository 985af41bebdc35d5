//! Shown in place of content that could not be loaded.

use chat::model::{Code, Failure};
use leptos::prelude::*;

use super::answer_with;
use crate::{error::error_message, i18n::t, preferences::locale, ui::erased::IntoErased};

#[component]
pub fn LoadError(
    failure: Failure,
    /// Whether the page tries again by itself.
    #[prop(optional)]
    is_retried: bool,
) -> impl IntoView {
    answer_with(failure.code);
    // `public/page.js` follows the link when the network is back.
    let retry = (failure.code == Code::Unavailable && !is_retried).then_some("");
    view! {
        <div class="blank">
            <p role="alert">{error_message(locale(), &failure)}</p>
            <a class="button" href="" rel="external" data-retry=retry>
                {t!(page.again)}
            </a>
        </div>
    }
    .erased()
}
