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

/// The root component with all routes.
///
/// `SsrMode::Async` renders each page completely before it is sent, so that it needs no script and can still set a
/// status or redirect.
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
    // Only after client-side navigation: what the server sent stays as it is.
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

/// The preferences of this page: from the request on the server, from the attributes of `<html>` in the browser.
fn initial_preferences() -> InitialPreferences {
    #[cfg(feature = "ssr")]
    return use_context().unwrap_or_else(server::request::initial_preferences);
    #[cfg(all(feature = "hydrate", not(feature = "ssr")))]
    return browser::document::initial_preferences();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    InitialPreferences::default()
}
