//! `/offline`: shown by the service worker when a page cannot be fetched.

use leptos::prelude::*;

use super::PageTitle;
use crate::{i18n::t, ui::logo::Logo};

#[component]
pub fn Offline() -> impl IntoView {
    view! {
        <PageTitle text=t!(offline.title)/>
        <main id="main" class="blank blank-page">
            <Logo/>
            <h1>{t!(offline.title)}</h1>
            <p>{t!(offline.lead)}</p>
            // The browser still shows the address that was requested.
            <a class="button button-loud" href="">
                {t!(page.again)}
            </a>
        </main>
    }
    .into_any()
}
