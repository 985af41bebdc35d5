//! What the parts of a conversation share: what is known, and the hands that do something about it.

use chat::model::{MessageId, Rights, RoomId, User};
use leptos::{html, prelude::*};

use crate::{
    live::ConnectionState,
    state::{
        composer_mode::ComposerMode,
        timeline::{RowKey, Timeline},
        typing::Typists,
    },
};

/// What is known. In the context of every part.
#[derive(Clone, Copy)]
pub(super) struct RoomContext {
    pub(super) room: RoomId,
    pub(super) timeline: RwSignal<Timeline>,
    pub(super) typists: RwSignal<Typists>,
    pub(super) connection: RwSignal<ConnectionState>,
    /// What the reader may do.
    pub(super) rights: RwSignal<Rights>,
    /// What they are about to do.
    pub(super) mode: RwSignal<ComposerMode>,
    /// The words of an edit that was refused, until that message is edited again.
    pub(super) rejected_edit: StoredValue<Option<(MessageId, String)>>,
    /// Who has read the message that they asked about.
    pub(super) readers: RwSignal<Vec<User>>,
    /// The row that keys and buttons mean.
    pub(super) active: RwSignal<Option<RowKey>>,
    /// The message that was looked for.
    pub(super) target: RwSignal<Option<MessageId>>,
    /// Is more of the history on its way?
    pub(super) loading: RwSignal<bool>,
    /// How many messages came in while one was reading above.
    pub(super) unseen: RwSignal<usize>,
    /// Is one reading above?
    pub(super) is_scrolled_up: RwSignal<bool>,
    /// A word about what was done just now.
    pub(super) toast: RwSignal<Option<String>>,
    /// The box that scrolls.
    pub(super) node: NodeRef<html::Div>,
}

/// Something to be done by a page that is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Show what was before.
    Earlier,
    /// Show what came after.
    Later,
    /// The reader is at the end, or no longer.
    AtEnd(bool),
    /// To the newest message.
    ToEnd,
    /// To this message, wherever it is.
    Jump(MessageId),
    /// To the row below, or the one above.
    Step {
        /// Below?
        is_down: bool,
    },
    /// The link to a message, for the clipboard.
    Copy(MessageId),
    /// The list of keys.
    Help,
    /// From now on one does this.
    Begin(ComposerMode),
    /// The message that one wrote last gets other words.
    EditLast,
    /// What is in the composer, for what one is doing.
    Submit(String),
    /// Delete it, really.
    Delete(MessageId),
    /// Try again what was refused.
    Retry(String),
    /// One types, or no longer.
    Typing(bool),
}

/// Who does it. False where that is nobody, and the link is followed or the form sent. In the context of every part.
#[derive(Clone, Copy)]
pub(super) struct Actions(pub(super) Callback<Action, bool>);

impl Actions {
    /// Hands that do nothing.
    #[cfg(not(feature = "hydrate"))]
    pub(super) fn noop() -> Self {
        Self(Callback::new(|_| false))
    }

    /// Has it done, if anybody does it.
    pub(super) fn run(self, action: Action) -> bool {
        self.0.run(action)
    }

    /// Has a link or a form done here, or lets the browser do it.
    pub(super) fn run_instead(self, event: &leptos::ev::Event, action: Action) {
        if self.run(action) {
            event.prevent_default();
        }
    }
}
