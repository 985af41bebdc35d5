//! What one can do with a message: links, so that each works without a script, beside the row that is meant.

use std::sync::Arc;

use chat::model::{MessagePermissions, RoomMessage};
use leptos::prelude::*;

use super::super::talk::{Act, Hands, Talk};
use crate::{
    i18n::say,
    state::{
        doing::{Doing, message_path},
        timeline::Timeline,
    },
    ui::{
        anew::Anew,
        icon::{Draw, Icon},
    },
};

/// See the module. Nothing is shown that one may not do.
#[component]
pub(super) fn Actions(
    /// With which message.
    message: Arc<RoomMessage>,
    /// What the reader may do.
    rights: MessagePermissions,
) -> impl IntoView {
    let talk: Talk = expect_context();
    let hands: Hands = expect_context();
    let (id, me) = (message.id, talk.timeline.with_untracked(Timeline::me));
    let begin = |doing: Doing, icon: Icon, words: &'static str, test: &'static str| {
        doing.is_allowed(&message, me, rights).then(|| {
            view! {
                <a
                    class="button button-icon"
                    href=doing.path(talk.room)
                    aria-label=words
                    title=words
                    data-testid=test
                    on:click=move |click| hands.instead(&click, Act::Begin(doing))
                >
                    <Draw icon/>
                </a>
            }
        })
    };
    view! {
        <div class="message-actions" role="group" aria-label=say!(actions.label) data-testid="actions">
            {begin(Doing::Replying(id), Icon::Reply, say!(actions.reply), "reply")}
            {begin(Doing::Editing(id), Icon::Pen, say!(actions.edit), "edit")}
            {begin(Doing::Readers(id), Icon::Eye, say!(actions.readers), "readers")}
            <a
                class="button button-icon"
                href=message_path(talk.room, id)
                aria-label=say!(actions.copy)
                title=say!(actions.copy)
                data-testid="copy-link"
                on:click=move |click| hands.instead(&click, Act::Copy(id))
            >
                <Draw icon=Icon::Link/>
            </a>
            {begin(Doing::Deleting(id), Icon::Bin, say!(actions.delete), "delete")}
        </div>
    }
    .anew()
}
