//! `/`: on to the rooms, which lead a stranger to the sign-in page.

use leptos::prelude::*;

use super::onward::Onward;

/// See the module.
#[component]
pub fn Home() -> impl IntoView {
    view! { <Onward path="/rooms"/> }.into_any()
}
