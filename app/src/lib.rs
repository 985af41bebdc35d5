//! Liao's web UI: pages, components and server functions.
//!
//! Pages are rendered on the server (feature `ssr`) and hydrated in the browser (feature `hydrate`). Everything that
//! changes data is a plain HTML form first, so that pages work before the wasm has loaded and without it.
//!
//! This crate has no rules of the chat: server functions parse the input, call the service of [`chat`] and return its
//! result.
//!
//! Reading order: [`pages`], [`server`] (server functions), [`state`] (what a page knows, without a DOM), [`live`]
//! (the WebSockets), [`markdown`] (messages as HTML), [`ui`] and `browser` (shared components and browser APIs).

#![recursion_limit = "256"]
#![allow(
    clippy::needless_pass_by_value,
    clippy::fn_params_excessive_bools,
    reason = "a component owns its properties, and each is named where it is used"
)]

#[cfg(feature = "hydrate")]
pub mod browser;
pub mod error;
pub mod i18n;
pub mod live;
pub mod markdown;
pub mod navigation;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod policy;
pub mod preferences;
#[cfg(feature = "ssr")]
pub mod reference;
#[cfg(feature = "ssr")]
mod routes;
pub mod server;
#[cfg(feature = "ssr")]
mod shell;
pub mod state;
pub mod ui;

#[cfg(feature = "hydrate")]
use leptos::prelude::*;
#[cfg(feature = "ssr")]
pub use {pages::error_page::error_page, routes::App, shell::shell};

use navigation::{CurrentLocation, Location};
use preferences::{InitialPreferences, Preferences};

/// Provides what every page needs.
fn provide_contexts(initial: InitialPreferences, location: Location) -> (Preferences, CurrentLocation) {
    (Preferences::provide(initial), CurrentLocation::provide(location))
}

/// Hydrates the page, if the server sent a live one.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    let Some(element) = browser::document::element(pages::rooms::LIVE) else { return };
    let page = leptos::mount::hydrate_from(element, || {
        let initial = browser::document::initial_preferences();
        let (preferences, location) = provide_contexts(initial, browser::history::location());
        browser::clock::sync_preferences(preferences);
        browser::history::follow(location);
        view! { <pages::rooms::LiveRooms/> }
    });
    page.forget();
}
