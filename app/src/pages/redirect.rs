//! Redirects to another page.

use leptos::prelude::*;

/// On the server a redirect of the response; in the browser a full page load, since the target may not be live.
#[component]
pub fn Redirect(#[prop(into)] path: String) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::server::request::redirect(&path);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| crate::browser::document::go(&path));
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    let _ = path;
}
