//! The banner above the composer: the composer's mode and its message, with a cancel button.

use chat::model::{MessageId, RoomMessage};
use leptos::{prelude::*, server_fn::ServerFn};

use super::context::{Action, Actions, RoomContext};
use crate::{
    i18n::t,
    markdown::excerpt,
    server::messages::DeleteMessage,
    state::composer_mode::{ComposerMode, message_path},
    ui::{
        erased::IntoErased,
        icon::{Icon, IconSvg},
        person::display_name,
    },
};

/// Length of the message's excerpt, in characters.
const SHOWN: usize = 120;

#[component]
pub(super) fn Banner() -> impl IntoView {
    let context: RoomContext = expect_context();
    let shown = Memo::new(move |_| {
        let mode = context.mode.get();
        let message = mode.message().and_then(|id| context.timeline.with(|timeline| timeline.message(id)));
        message.map(|message| (mode, message))
    });
    move || {
        shown.get().map(|(mode, message)| {
            view! { <Shown mode message=(*message).clone()/> }
        })
    }
}

#[component]
fn Shown(mode: ComposerMode, message: RoomMessage) -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let (id, author) = (message.id, display_name(&message.sender));
    let text = excerpt(&message.content, SHOWN);
    let title = match mode {
        ComposerMode::Writing => String::new(),
        ComposerMode::Replying(_) => t!(banner.reply, who = author),
        ComposerMode::Editing(_) => t!(banner.edit).to_owned(),
        ComposerMode::Deleting(_) => t!(banner.delete).to_owned(),
        ComposerMode::Readers(_) => t!(banner.readers).to_owned(),
    };
    view! {
        <section class="doing" aria-label=title.clone() data-testid="doing">
            <div class="doing-text">
                <p class="doing-title">{title.clone()}</p>
                {match mode {
                    ComposerMode::Readers(_) => view! { <Readers/> }.erased(),
                    _ => view! { <p class="doing-words">{text}</p> }.erased(),
                }}
            </div>
            {matches!(mode, ComposerMode::Deleting(_)).then(|| view! { <Confirm id/> })}
            <a
                class="button button-icon"
                href=format!("{}#message-{id}", message_path(context.room, id))
                aria-label=t!(banner.cancel)
                title=t!(banner.cancel)
                data-testid="cancel"
                on:click=move |click| actions.run_instead(&click, Action::Begin(ComposerMode::Writing))
            >
                <IconSvg icon=Icon::Cross/>
            </a>
        </section>
    }
    .erased()
}

/// Asks for confirmation before a message is deleted.
#[component]
fn Confirm(id: MessageId) -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    view! {
        <form
            method="post"
            action=DeleteMessage::url()
            on:submit=move |event| actions.run_instead(&event, Action::Delete(id))
        >
            <input type="hidden" name="room" value=context.room.to_string()/>
            <input type="hidden" name="message" value=id.to_string()/>
            <button type="submit" class="button button-small button-alert" data-testid="confirm-delete">
                {t!(actions.delete)}
            </button>
        </form>
    }
    .erased()
}

/// Their names, or that there are none yet.
#[component]
fn Readers() -> impl IntoView {
    let context: RoomContext = expect_context();
    let (none, between) = (t!(banner.nobody), t!(banner.between));
    let text = move || {
        let names: Vec<String> = context.readers.read().iter().map(display_name).collect();
        if names.is_empty() { none.to_owned() } else { names.join(between) }
    };
    view! {
        <p class="doing-words doing-names" data-testid="reader-names">
            {text}
        </p>
    }
    .erased()
}
