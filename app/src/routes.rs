//! All pages by their paths, on the server.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    pages::{
        browse::Browse,
        home::Home,
        members::MembersPage,
        new_room::NewRoom,
        not_found::NotFound,
        notifications::NotificationsPage,
        offline::Offline,
        room_settings::RoomSettings,
        rooms::{LiveRooms, StillRooms},
        settings::SettingsPage,
        sign_in::SignInPage,
        sign_up::SignUpPage,
    },
    provide_contexts,
    server::request,
};

/// The root component with all routes.
///
/// `SsrMode::Async` renders each page completely before it is sent, so that it needs no script and can still set a
/// status or redirect.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_contexts(use_context().unwrap_or_else(request::initial_preferences), request::location());
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=Home ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-up") view=SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/offline") view=Offline ssr=SsrMode::Async/>
                <Route path=path!("/rooms") view=LiveRooms ssr=SsrMode::Async/>
                <ParentRoute path=path!("/rooms") view=StillRooms ssr=SsrMode::Async>
                    <Route path=path!("new") view=NewRoom/>
                    <Route path=path!("browse") view=Browse/>
                    <Route path=path!(":id/members") view=MembersPage/>
                    <Route path=path!(":id/settings") view=RoomSettings/>
                </ParentRoute>
                <Route path=path!("/rooms/:id") view=LiveRooms ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=StillRooms ssr=SsrMode::Async>
                    <Route path=path!("notifications") view=NotificationsPage/>
                    <Route path=path!("settings") view=SettingsPage/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
