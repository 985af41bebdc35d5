//! `/offline`: what the service worker shows in place of a page that cannot be fetched.

use leptos::prelude::*;

use super::PageTitle;
use crate::{i18n::say, ui::mark::Mark};

/// See the module.
#[component]
pub fn Offline() -> impl IntoView {
    view! {
        <PageTitle text=say!(offline.title)/>
        <main id="main" class="blank blank-page">
            <Mark/>
            <h1>{say!(offline.title)}</h1>
            <p>{say!(offline.lead)}</p>
            // The address is the one that was asked for.
            <a class="button button-loud" href="">
                {say!(page.again)}
            </a>
        </main>
    }
    .into_any()
}
