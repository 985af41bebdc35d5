//! What there is to see: one file a page, its parts in the folder of its name.

use leptos::prelude::*;
use leptos_meta::Title;

pub mod entry;
pub mod home;
pub mod missing;
pub mod new_room;
pub mod onward;
pub mod room;
pub mod room_list;
pub mod rooms;
pub mod sign_in;
pub mod sign_up;

use crate::{
    error::AppError,
    i18n::say,
    server::{reading::Reading, session::Visit},
};

/// Who is here, asked once for the life of a document: signing in and out load a new one.
#[derive(Clone, Copy)]
pub struct Here(pub Reading<Result<Visit, AppError>>);

/// The title of a page, in its tab.
#[component]
pub fn PageTitle(
    /// Its own part of it.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <Title text=format!("{text} · {}", say!(brand))/> }.into_any()
}

/// The answer's status, on the server, where a page says that something is not there.
pub(crate) fn answer_with(code: chat::model::Code) {
    #[cfg(feature = "ssr")]
    crate::server::request::set_status(code);
    #[cfg(not(feature = "ssr"))]
    let _ = code;
}
