//! A page that is not to be seen: on to another.

use leptos::prelude::*;
#[cfg(not(feature = "ssr"))]
use leptos_router::{NavigateOptions, components::Redirect};

/// The server answers with a redirect; the browser goes there and forgets that it was here.
#[component]
pub fn Onward(
    /// Where to.
    #[prop(into)]
    path: String,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::server::request::redirect(&path);
    #[cfg(not(feature = "ssr"))]
    view! { <Redirect path options=NavigateOptions { replace: true, ..NavigateOptions::default() }/> }
        .into_any()
}
