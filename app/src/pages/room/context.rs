//! What the components of a room share: signals, and the actions of a live page.

use chat::model::{MessageId, MessagePermissions, RoomId, User};
use leptos::{html, prelude::*};

use crate::{
    live::ConnectionState,
    state::{
        composer_mode::ComposerMode,
        timeline::{RowKey, Timeline},
        typing::Typists,
    },
};

/// The room's signals, provided as context.
#[derive(Clone, Copy)]
pub(super) struct RoomContext {
    pub(super) room: RoomId,
    pub(super) timeline: RwSignal<Timeline>,
    pub(super) typists: RwSignal<Typists>,
    pub(super) connection: RwSignal<ConnectionState>,
    /// What the current user may do with messages.
    pub(super) rights: RwSignal<MessagePermissions>,
    /// What they are about to do.
    pub(super) mode: RwSignal<ComposerMode>,
    /// The content of an edit that the server rejected, kept until that message is edited again.
    pub(super) rejected_edit: StoredValue<Option<(MessageId, String)>>,
    /// The readers shown in [`ComposerMode::Readers`].
    pub(super) readers: RwSignal<Vec<User>>,
    /// The row under the pointer or with the focus; keys and buttons act on it.
    pub(super) active: RwSignal<Option<RowKey>>,
    /// The message that the address or a jump points to.
    pub(super) target: RwSignal<Option<MessageId>>,
    /// Whether there are more unread messages than the page has. Until the reader decides, none of them counts as read.
    pub(super) skips_unread: RwSignal<bool>,
    /// Whether a page of history is being loaded.
    pub(super) loading: RwSignal<bool>,
    /// Messages received while scrolled up.
    pub(super) unseen: RwSignal<usize>,
    pub(super) is_scrolled_up: RwSignal<bool>,
    /// A short message about the last action.
    pub(super) toast: RwSignal<Option<String>>,
    /// The element that scrolls.
    pub(super) node: NodeRef<html::Div>,
}

/// An action of a live page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Load the page of history before the one shown.
    Earlier,
    /// Load the page of history after the one shown.
    Later,
    /// The timeline is scrolled to the end, or no longer.
    AtEnd(bool),
    /// Go to the newest message.
    ToEnd,
    /// Count everything as read.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a live page has the button"))]
    MarkRead,
    /// Go to this message and load it if necessary.
    Jump(MessageId),
    /// Select the next row, or the previous one.
    Step { is_down: bool },
    /// Copy the link to a message.
    Copy(MessageId),
    /// Show the keyboard shortcuts.
    Help,
    /// Switch the composer to this mode.
    Begin(ComposerMode),
    /// Edit the user's last message.
    EditLast,
    /// Send the composer's content.
    Submit(String),
    /// Delete a message, after confirmation.
    Delete(MessageId),
    /// Copy a text.
    CopyText(String),
    /// Send a refused message again, by its `client_id`.
    Retry(String),
    /// Give up a refused message, by its `client_id`.
    Discard(String),
    /// Whether the composer has text that is being typed.
    Typing(bool),
}

/// Runs actions, provided as context. The result is false where the page does not handle the action, so that the
/// browser follows the link or submits the form.
#[derive(Clone, Copy)]
pub(super) struct Actions(pub(super) Callback<Action, bool>);

impl Actions {
    #[cfg(not(feature = "hydrate"))]
    pub(super) fn noop() -> Self {
        Self(Callback::new(|_| false))
    }

    pub(super) fn run(self, action: Action) -> bool {
        self.0.run(action)
    }

    /// Runs the action in place of the event's default, if the page handles it.
    pub(super) fn run_instead(self, event: &leptos::ev::Event, action: Action) {
        if self.run(action) {
            event.prevent_default();
        }
    }
}
