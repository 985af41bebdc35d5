//! Where one writes. A plain form; once live, Enter sends by the socket, Shift+Enter breaks the line, and an Enter
//! that confirms an input method's candidate does neither.

use chat::model::{RoomId, limits::CONTENT_MAX};
use leptos::{ev, html, prelude::*, server_fn::ServerFn};

use crate::{
    i18n::{say, td_string},
    preferences::locale,
    server::messages::SendMessage,
    ui::icon::{Draw, Icon},
};

/// How close to the limit it is told, in characters.
const NEAR: usize = 500;

/// The key code that browsers give for every key while an input method composes.
const COMPOSING: u32 = 229;

/// See the module.
#[component]
pub fn Composer(
    /// Where it goes.
    room: RoomId,
    /// The room's name, for the placeholder.
    name: String,
    /// What to do with a text; none while the page cannot send by itself, and the form goes to the server.
    write: Option<Callback<String>>,
    /// The text changed, and whether there is any.
    typing: Callback<bool>,
) -> impl IntoView {
    let area = NodeRef::<html::Textarea>::new();
    let length = RwSignal::new(0_usize);
    let locale = locale();
    let placeholder = say!(composer.placeholder, name = name);

    let changed = move |_| {
        let Some(area) = area.get() else { return };
        let text = area.value();
        length.set(text.chars().count());
        typing.run(!text.trim().is_empty());
        #[cfg(feature = "hydrate")]
        crate::browser::textarea::fit(&area);
    };
    let submit = move || {
        let (Some(area), Some(write)) = (area.get(), write) else { return false };
        let text = area.value();
        if text.trim().is_empty() || text.chars().count() > CONTENT_MAX {
            return true;
        }
        write.run(text);
        area.set_value("");
        length.set(0);
        typing.run(false);
        #[cfg(feature = "hydrate")]
        crate::browser::textarea::fit(&area);
        let _ = area.focus();
        true
    };
    let submitted = move |event: ev::SubmitEvent| {
        if submit() {
            event.prevent_default();
        }
    };
    let pressed = move |event: ev::KeyboardEvent| {
        let composing = event.is_composing() || event.key_code() == COMPOSING;
        if event.key() == "Enter" && !event.shift_key() && !composing {
            event.prevent_default();
            if !submit()
                && let Some(form) = area.get().and_then(|area| area.form())
            {
                // Not live: the server gets the form, as by its button.
                let _ = form.request_submit();
            }
        }
    };
    let hint = move || match length.get() {
        length if length > CONTENT_MAX => td_string!(locale, composer.over, count = length - CONTENT_MAX),
        length if length + NEAR >= CONTENT_MAX => {
            td_string!(locale, composer.left, count = CONTENT_MAX - length)
        }
        _ => td_string!(locale, composer.hint).to_owned(),
    };
    view! {
        <form class="composer" method="post" action=SendMessage::url() on:submit=submitted>
            <input type="hidden" name="room" value=room.to_string()/>
            <textarea
                name="content"
                rows="1"
                required=true
                aria-label=say!(composer.label)
                aria-describedby="composer-hint"
                placeholder=placeholder
                enterkeyhint="send"
                node_ref=area
                on:input=changed
                on:keydown=pressed
            ></textarea>
            <button type="submit" class="button button-loud" aria-label=say!(composer.send) title=say!(composer.send)>
                <Draw icon=Icon::Send/>
            </button>
        </form>
        <p
            id="composer-hint"
            class="composer-hint wide-only"
            class:composer-problem=move || { length.get() > CONTENT_MAX }
        >
            {hint}
        </p>
    }
    .into_any()
}
