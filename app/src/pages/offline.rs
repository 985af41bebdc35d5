//! `/offline`: what the service worker shows in place of a page that cannot be fetched.

use leptos::prelude::*;

use super::PageTitle;
use crate::{i18n::t, ui::logo::Logo};

/// See the module.
#[component]
pub fn Offline() -> impl IntoView {
    view! {
        <PageTitle text=t!(offline.title)/>
        <main id="main" class="blank blank-page">
            <Logo/>
            <h1>{t!(offline.title)}</h1>
            <p>{t!(offline.lead)}</p>
            // The address is the one that was asked for.
            <a class="button button-loud" href="">
                {t!(page.again)}
            </a>
        </main>
    }
    .into_any()
}
