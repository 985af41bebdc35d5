//! What the parts of a conversation share: what is known, and the hands that do something about it.

use chat::model::{MessageId, MessagePermissions, RoomId, User};
use leptos::{html, prelude::*};

use crate::{
    live::Line,
    state::{
        doing::Doing,
        timeline::{Key, Timeline},
        typing::Typists,
    },
};

/// What is known. In the context of every part.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub(super) room: RoomId,
    pub(super) timeline: RwSignal<Timeline>,
    pub(super) typists: RwSignal<Typists>,
    pub(super) line: RwSignal<Line>,
    /// What the reader may do.
    pub(super) rights: RwSignal<MessagePermissions>,
    /// What they are about to do.
    pub(super) doing: RwSignal<Doing>,
    /// The words of an edit that was refused, until that message is edited again.
    pub(super) refused: StoredValue<Option<(MessageId, String)>>,
    /// Who has read the message that they asked about.
    pub(super) readers: RwSignal<Vec<User>>,
    /// The row that keys and buttons mean.
    pub(super) active: RwSignal<Option<Key>>,
    /// The message that was looked for.
    pub(super) target: RwSignal<Option<MessageId>>,
    /// Is more of the history on its way?
    pub(super) loading: RwSignal<bool>,
    /// How many messages came in while one was reading above.
    pub(super) unseen: RwSignal<usize>,
    /// Is one reading above?
    pub(super) is_above: RwSignal<bool>,
    /// A word about what was done just now.
    pub(super) told: RwSignal<Option<String>>,
    /// The box that scrolls.
    pub(super) node: NodeRef<html::Div>,
}

/// Something to be done by a page that is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
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
    Begin(Doing),
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
pub(super) struct Hands(pub(super) Callback<Act, bool>);

impl Hands {
    /// Hands that do nothing.
    #[cfg(not(feature = "hydrate"))]
    pub(super) fn idle() -> Self {
        Self(Callback::new(|_| false))
    }

    /// Has it done, if anybody does it.
    pub(super) fn act(self, act: Act) -> bool {
        self.0.run(act)
    }

    /// Has a link or a form done here, or lets the browser do it.
    pub(super) fn instead(self, event: &leptos::ev::Event, act: Act) {
        if self.act(act) {
            event.prevent_default();
        }
    }
}
