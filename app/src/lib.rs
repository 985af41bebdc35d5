//! Liao's web UI: pages, components and server functions.
//!
//! Rendered on the server (feature `ssr`), then made live in the browser (feature `hydrate`). Everything that
//! changes something is a plain HTML form first, so pages work before the wasm has loaded and without it; the
//! browser's half makes them quicker.
//!
//! It must hold no rule of the chat: server functions extract, call the service of [`chat`] and return.
//!
//! Reading order: [`pages`] (what there is to see), [`server`] (the doors), [`state`] (what a page knows), [`live`]
//! (the socket), [`prose`] (what people write, as HTML), [`ui`] and `browser` (the tools of the others).

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
pub mod pages;
#[cfg(feature = "ssr")]
pub mod policy;
pub mod preferences;
#[cfg(feature = "ssr")]
pub mod reference;
pub mod server;
#[cfg(feature = "ssr")]
mod shell;
pub mod state;
pub mod ui;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};
#[cfg(feature = "ssr")]
pub use {pages::error_page::error_page, shell::shell};

#[cfg(feature = "ssr")]
use pages::{
    browse::Browse, home::Home, members::MembersPage, new_room::NewRoom, not_found::NotFound,
    notifications::NotificationsPage, offline::Offline, room_settings::RoomSettings, settings::SettingsPage,
    sign_in::SignInPage, sign_up::SignUpPage,
};
use pages::{
    room::RoomPage,
    rooms::{NoRoom, Rooms},
};
use preferences::{InitialPreferences, Preferences};

/// The whole UI, and its addresses.
///
/// Each page is rendered whole before it is sent: it is complete without a script, and may still answer with a
/// redirect or a status of its own.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let preferences = Preferences::provide(initial_preferences());
    #[cfg(feature = "hydrate")]
    browser::clock::sync_preferences(preferences);
    #[cfg(not(feature = "hydrate"))]
    let _ = preferences;
    view! {
        <Router>
            <Pages/>
        </Router>
    }
}

/// Every page.
#[cfg(feature = "ssr")]
#[component]
fn Pages() -> impl IntoView {
    view! {
        <Routes fallback=NotFound>
            <Route path=path!("/") view=Home ssr=SsrMode::Async/>
            <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
            <Route path=path!("/sign-up") view=SignUpPage ssr=SsrMode::Async/>
            <Route path=path!("/offline") view=Offline ssr=SsrMode::Async/>
            <ParentRoute path=path!("/rooms") view=Rooms ssr=SsrMode::Async>
                <Route path=path!("") view=NoRoom/>
                <Route path=path!("new") view=NewRoom/>
                <Route path=path!("browse") view=Browse/>
                <Route path=path!(":id") view=RoomPage/>
                <Route path=path!(":id/members") view=MembersPage/>
                <Route path=path!(":id/settings") view=RoomSettings/>
            </ParentRoute>
            <ParentRoute path=path!("") view=Rooms ssr=SsrMode::Async>
                <Route path=path!("notifications") view=NotificationsPage/>
                <Route path=path!("settings") view=SettingsPage/>
            </ParentRoute>
        </Routes>
    }
}

/// The pages that are live (see [`pages::is_live`]); any other is left to the server.
#[cfg(not(feature = "ssr"))]
#[component]
fn Pages() -> impl IntoView {
    // Only for who goes there from here: what the server sent is what there is.
    let arrived = RwSignal::new(false);
    Effect::new(move |_| arrived.set(true));
    let elsewhere = move || {
        #[cfg(feature = "hydrate")]
        if arrived.get_untracked() {
            browser::document::reload();
        }
    };
    view! {
        <Routes fallback=elsewhere>
            <ParentRoute path=path!("/rooms") view=Rooms ssr=SsrMode::Async>
                <Route path=path!("") view=NoRoom/>
                <Route path=path!(":id") view=RoomPage/>
            </ParentRoute>
        </Routes>
    }
}

/// What this page is rendered with: chosen by the request, and found again by the browser on `<html>`.
fn initial_preferences() -> InitialPreferences {
    #[cfg(feature = "ssr")]
    return use_context().unwrap_or_else(server::request::initial_preferences);
    #[cfg(all(feature = "hydrate", not(feature = "ssr")))]
    return browser::document::initial_preferences();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    InitialPreferences::default()
}
