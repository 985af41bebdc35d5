//! The header of a conversation, with back and details buttons for small screens.

use chat::model::Room;
use leptos::prelude::*;

use super::LiveWords;
use crate::{
    i18n::t,
    pages::room_list::members,
    preferences::locale,
    server::rooms::room_path,
    ui::{
        erased::IntoErased,
        icon::{Icon, IconSvg},
    },
};

#[component]
pub fn Header(room: Room) -> impl IntoView {
    let details = format!("{}?panel=details", room_path(room.id));
    let members = members(locale(), room.member_count);
    let line = move |description: &str| {
        if description.is_empty() { members.clone() } else { format!("{members} · {description}") }
    };
    let live_words: LiveWords = expect_context();
    let LiveWords(words) = live_words;
    view! {
        <header class="bar">
            <a class="button button-icon phone-only" href="/rooms" aria-label=t!(room.back)>
                <IconSvg icon=Icon::Back/>
            </a>
            <div class="bar-title">
                <h1>{live_words.name()}</h1>
                <p>{move || words.with(|(_, description)| line(description))}</p>
            </div>
            <a class="button button-icon narrow-only" href=details aria-label=t!(room.details) title=t!(room.details)>
                <IconSvg icon=Icon::People/>
            </a>
        </header>
    }
    .erased()
}
