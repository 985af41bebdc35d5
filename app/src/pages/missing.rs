//! Pages with one thing to say: there is nothing here, or something failed.

use chat::model::{Code, Failure};
use leptos::prelude::*;

use super::{PageTitle, answer_with};
use crate::{error::sentence, i18n::say, preferences::locale, ui::mark::Mark};

/// No page has this address.
#[component]
pub fn Missing() -> impl IntoView {
    answer_with(Code::NotFound);
    view! {
        <PageTitle text=say!(page.missing)/>
        <main id="main" class="blank blank-page">
            <Mark/>
            <h1>{say!(page.missing)}</h1>
            <p>{say!(page.missing_lead)}</p>
            <a class="button button-loud" href="/">
                {say!(page.home)}
            </a>
        </main>
    }
    .into_any()
}

/// What a page wanted to show could not be had.
#[component]
pub fn Failed(
    /// Why.
    failure: Failure,
) -> impl IntoView {
    answer_with(failure.code);
    view! {
        <div class="blank">
            <p role="alert">{sentence(locale(), &failure)}</p>
            <a class="button" href="" rel="external">
                {say!(page.again)}
            </a>
        </div>
    }
    .into_any()
}
