//! A page that is not to be seen: on to another.

use leptos::prelude::*;

/// The server answers with a redirect; the browser leaves for the new page, which may be one that is not live.
#[component]
pub fn Redirect(
    /// Where to.
    #[prop(into)]
    path: String,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::server::request::redirect(&path);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| crate::browser::document::go(&path));
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    let _ = path;
}
