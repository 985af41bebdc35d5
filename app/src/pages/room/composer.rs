//! The composer. A plain form; once live, Enter sends by the socket and Shift+Enter inserts a line break. An Enter
//! that confirms a candidate of an input method does neither.
//!
//! [`ComposerMode`] tells whether it sends, replies or edits.

use chat::model::limits::CONTENT_MAX;
use leptos::{ev, html, prelude::*, server_fn::ServerFn};

use super::{
    context::{Action, Actions, RoomContext},
    mentions::{LIST, MentionList, Mentions},
    shortcuts::Shortcuts,
};
use crate::{
    i18n::{t, td_string},
    preferences::{Preferences, preferences},
    server::messages::{EditMessage, SendMessage},
    state::composer_mode::ComposerMode,
    ui::{
        erased::IntoErased,
        icon::{Icon, IconSvg},
        text_area,
    },
};

/// The text area's id, target of the skip link.
pub const COMPOSER: &str = "composer";

/// From this many characters below the limit, the remaining number is shown.
const NEAR: usize = 500;

/// The key code of all keys during input method composition.
const COMPOSING: u32 = 229;

#[component]
pub(super) fn Composer(
    /// For the placeholder.
    name: String,
) -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let area = NodeRef::<html::Textarea>::new();
    let mentions = Mentions::new(context.room, area);
    let first = edited(context);
    let length = RwSignal::new(first.chars().count());

    let changed = move |_| {
        let Some(area) = area.get() else { return };
        let text = area.value();
        length.set(text.chars().count());
        actions.run(Action::Typing(!text.trim().is_empty()));
        #[cfg(feature = "hydrate")]
        {
            crate::browser::textarea::fit_height(&area);
            super::controller::draft::save(context, &text);
            mentions.refresh();
        }
    };
    let submit = move || submit(area, length, actions);
    let sends_by_ctrl = preferences().sends_by_ctrl;
    let submitted = move |event: ev::SubmitEvent| {
        if submit() {
            event.prevent_default();
        }
    };
    let pressed = move |event: ev::KeyboardEvent| {
        if event.is_composing() || event.key_code() == COMPOSING {
            return;
        }
        #[cfg(feature = "hydrate")]
        if mentions.on_key(&event) {
            return;
        }
        let is_empty = move || area.get().is_some_and(|area| area.value().is_empty());
        match event.key().as_str() {
            "Enter" if sends(&event, sends_by_ctrl) => {
                event.prevent_default();
                if !submit() {
                    submit_form(area);
                }
            }
            "ArrowUp" if is_empty() => actions.run_instead(&event, Action::EditLast),
            "Escape" => actions.run_instead(&event, Action::Begin(ComposerMode::Writing)),
            _ => {}
        }
    };
    #[cfg(feature = "hydrate")]
    super::controller::draft::keep(context, area, length);
    let blurred = move || {
        #[cfg(feature = "hydrate")]
        mentions.close();
    };
    let caret_moved = move || {
        #[cfg(feature = "hydrate")]
        mentions.follow_caret();
    };
    let is_editing = move || matches!(context.mode.get(), ComposerMode::Editing(_));
    let (save, send) = (t!(composer.save), t!(composer.send));
    let send = move || if is_editing() { save } else { send };
    view! {
        <form
            class="composer"
            method="post"
            action=move || if is_editing() { EditMessage::url() } else { SendMessage::url() }
            on:submit=submitted
        >
            <input type="hidden" name="room" value=context.room.to_string()/>
            <About/>
            <MentionList mentions/>
            <textarea
                id=COMPOSER
                name="content"
                rows="1"
                required=true
                aria-label=t!(composer.label)
                aria-describedby="composer-hint"
                aria-autocomplete="list"
                aria-controls=LIST
                aria-activedescendant=move || mentions.active()
                placeholder=t!(composer.placeholder, name = name)
                enterkeyhint="send"
                node_ref=area
                on:input=changed
                on:keydown=pressed
                on:keyup=move |_| caret_moved()
                on:click=move |_| caret_moved()
                on:blur=move |_| blurred()
                // Not by `TextArea`: passing attributes to the component adds 6 KiB to the wasm.
                inner_html=text_area::content(&first)
            ></textarea>
            <button type="submit" class="button button-loud" aria-label=send title=send>
                {move || {
                    let icon = if is_editing() { Icon::Check } else { Icon::Send };
                    view! { <IconSvg icon/> }
                }}
            </button>
        </form>
        <Foot length/>
    }
    .erased()
}

/// Where the page is not live: submits the form as the button does.
fn submit_form(area: NodeRef<html::Textarea>) {
    if let Some(form) = area.get().and_then(|area| area.form()) {
        let _ = form.request_submit();
    }
}

/// Whether this Enter sends. The keyboard of a phone has no other key to break a line.
fn sends(event: &ev::KeyboardEvent, sends_by_ctrl: bool) -> bool {
    #[cfg(feature = "hydrate")]
    let breaks = sends_by_ctrl || event.shift_key() || !crate::browser::document::has_fine_pointer();
    #[cfg(not(feature = "hydrate"))]
    let breaks = sends_by_ctrl || event.shift_key();
    event.ctrl_key() || event.meta_key() || !breaks
}

/// Sends the content, if valid. True where the form must not be submitted.
fn submit(area: NodeRef<html::Textarea>, length: RwSignal<usize>, actions: Actions) -> bool {
    let Some(area) = area.get() else { return false };
    let text = area.value();
    if text.trim().is_empty() || text.chars().count() > CONTENT_MAX {
        return true;
    }
    if !actions.run(Action::Submit(text)) {
        return false;
    }
    area.set_value("");
    length.set(0);
    #[cfg(feature = "hydrate")]
    crate::browser::textarea::fit_height(&area);
    // Fails only where there is no such thing as focus.
    let _ = area.focus();
    true
}

/// The keyboard hint, or the number of characters left near the limit.
#[component]
fn Foot(length: RwSignal<usize>) -> impl IntoView {
    let Preferences { locale, sends_by_ctrl, .. } = preferences();
    let hint = move || match length.get() {
        length if length > CONTENT_MAX => td_string!(locale, composer.over, count = length - CONTENT_MAX),
        length if length + NEAR >= CONTENT_MAX => {
            td_string!(locale, composer.left, count = CONTENT_MAX - length)
        }
        _ if sends_by_ctrl => td_string!(locale, composer.hint_ctrl).to_owned(),
        _ => td_string!(locale, composer.hint).to_owned(),
    };
    view! {
        <div class="composer-foot">
            <Shortcuts/>
            <p
                id="composer-hint"
                class="composer-hint"
                class:composer-near=move || { length.get() + NEAR >= CONTENT_MAX }
                class:composer-problem=move || { length.get() > CONTENT_MAX }
            >
                {hint}
            </p>
        </div>
    }
    .erased()
}

/// A hidden input with the message that is replied to or edited.
#[component]
fn About() -> impl IntoView {
    let context: RoomContext = expect_context();
    move || {
        let (name, id) = match context.mode.get() {
            ComposerMode::Replying(id) => ("reply_to", id),
            ComposerMode::Editing(id) => ("message", id),
            ComposerMode::Writing | ComposerMode::Deleting(_) | ComposerMode::Readers(_) => return None,
        };
        Some(view! { <input type="hidden" name=name value=id.to_string()/> })
    }
}

/// The content to edit: that of the message, or that of a rejected edit; empty outside of editing.
pub(super) fn edited(context: RoomContext) -> String {
    let ComposerMode::Editing(id) = context.mode.get_untracked() else { return String::new() };
    let rejected = context
        .rejected_edit
        .try_update_value(|rejected| rejected.take_if(|(about, _)| *about == id))
        .flatten();
    if let Some((_, text)) = rejected {
        return text;
    }
    #[cfg(feature = "ssr")]
    if let Some(text) = crate::server::forms::typed_message() {
        return text;
    }
    context
        .timeline
        .with_untracked(|timeline| timeline.message(id))
        .map(|message| message.content.clone())
        .unwrap_or_default()
}
