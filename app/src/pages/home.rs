//! `/`: redirects to the rooms, which redirect to the sign-in page if necessary.

use leptos::prelude::*;

use super::redirect::Redirect;

#[component]
pub fn Home() -> impl IntoView {
    view! { <Redirect path="/rooms"/> }.into_any()
}
