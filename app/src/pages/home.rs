//! `/`: on to the rooms, which lead a stranger to the sign-in page.

use leptos::prelude::*;

use super::redirect::Redirect;

/// See the module.
#[component]
pub fn Home() -> impl IntoView {
    view! { <Redirect path="/rooms"/> }.into_any()
}
