//! The actions of the active message. They are links, so that each works without a script.

use std::sync::Arc;

use chat::model::{MessagePermissions, RoomMessage};
use leptos::prelude::*;

use super::super::context::{Action, Actions, RoomContext};
use crate::{
    i18n::t,
    state::{
        composer_mode::{ComposerMode, message_path},
        timeline::Timeline,
    },
    ui::{
        erased::IntoErased,
        icon::{Icon, IconSvg},
    },
};

/// Only the actions that the current user may take.
#[component]
pub(super) fn MessageActions(message: Arc<RoomMessage>, rights: MessagePermissions) -> impl IntoView {
    let context: RoomContext = expect_context();
    let actions: Actions = expect_context();
    let (id, me) = (message.id, context.timeline.with_untracked(Timeline::me));
    let begin = |mode: ComposerMode, icon: Icon, text: &'static str, test: &'static str| {
        mode.is_allowed(&message, me, rights).then(|| {
            view! {
                <a
                    class="button button-icon"
                    href=mode.path(context.room)
                    aria-label=text
                    title=text
                    data-testid=test
                    on:click=move |click| actions.run_instead(&click, Action::Begin(mode))
                >
                    <IconSvg icon/>
                </a>
            }
        })
    };
    view! {
        // On a touch screen a sheet at the foot of the page, which a choice closes, and a tap beside it.
        <div
            class="message-actions"
            role="group"
            aria-label=t!(actions.label)
            data-testid="actions"
            on:click=move |_| close(context)
        >
            {begin(ComposerMode::Replying(id), Icon::Reply, t!(actions.reply), "reply")}
            {begin(ComposerMode::Editing(id), Icon::Pen, t!(actions.edit), "edit")}
            {begin(ComposerMode::Readers(id), Icon::Eye, t!(actions.readers), "readers")}
            <button
                type="button"
                class="button button-icon coarse-only"
                aria-label=t!(timeline.copy_text)
                data-testid="copy-text"
                on:click=move |_| {
                    let text = context.timeline.with_untracked(|timeline| timeline.message(id));
                    actions.run(Action::CopyText(text.map(|message| message.content.clone()).unwrap_or_default()));
                }
            >
                <IconSvg icon=Icon::File/>
            </button>
            <a
                class="button button-icon"
                href=message_path(context.room, id)
                aria-label=t!(actions.copy)
                title=t!(actions.copy)
                data-testid="copy-link"
                on:click=move |click| actions.run_instead(&click, Action::Copy(id))
            >
                <IconSvg icon=Icon::Link/>
            </a>
            {begin(ComposerMode::Deleting(id), Icon::Bin, t!(actions.delete), "delete")}
        </div>
    }
    .erased()
}

fn close(context: RoomContext) {
    #[cfg(feature = "hydrate")]
    if !crate::browser::document::has_fine_pointer() {
        context.active.set(None);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = context;
}
