//! `/`: on to the rooms, which lead a stranger to the sign-in page.

use leptos::prelude::*;
use leptos_router::components::Redirect;

/// See the module.
#[component]
pub fn Home() -> impl IntoView {
    view! { <Redirect path="/rooms"/> }
}
