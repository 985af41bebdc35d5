//! Controller of a live room: handles the socket's frames and the user's actions.

use std::time::Duration;

use chat::model::{MessageId, Room};
use leptos::{leptos_dom::helpers::set_interval_with_handle, prelude::*, task::spawn_local};

use super::{
    RefetchRoom,
    context::{Action, Actions, RoomContext},
    message::MentionNamesContext,
    shortcuts,
};
use crate::{
    browser::{
        clipboard,
        clock::{now, now_ms},
        random::client_id,
        row_elements,
    },
    error::{AppError, error_message},
    i18n::td_string,
    live::{
        client_frames::ClientFrame,
        store::{Hooks, Store, Visit},
    },
    pages::rooms::{PageNotice, RoomsContext},
    preferences::{Preferences, preferences},
    server::messages::{delete_message, edit_message, readers},
    state::{
        composer_mode::{ComposerMode, message_path},
        outbox::UnsentMessage,
        room_signals::RoomSignals,
        timeline::Timeline,
        typing::TYPING_REPEAT_MS,
    },
};

pub(super) mod draft;
mod history_nav;
mod mentions;
mod permissions;
mod read_receipts;
mod removed;

/// How long a toast is shown.
const TOAST_TIME: Duration = Duration::from_secs(4);

/// Listens to the room as long as its page is shown and returns its actions.
pub(super) fn start(room: &Room, signals: RoomSignals, context: RoomContext) -> Actions {
    let (store, visit): (Store, Visit) = (expect_context(), expect_context());
    let controller = RoomController {
        context,
        rooms: expect_context(),
        notice: expect_context(),
        refetch: expect_context(),
        names: expect_context(),
        store,
        signals,
        roster_requests: StoredValue::new(0),
        preferences: preferences(),
        has_receipts: room.member_count <= read_receipts::RECEIPTS_MAX_MEMBERS,
        at_end: StoredValue::new(context.timeline.with_untracked(|timeline| !timeline.has_later())),
        read_to: StoredValue::new(MessageId::default()),
        read_sent_at: StoredValue::new(0.0),
        typing_sent_at: StoredValue::new(0.0),
    };
    // Once the rows are in the document, and before they are painted.
    Effect::new(move |is_done: Option<bool>| {
        let is_done = is_done == Some(true);
        if !is_done && context.node.get().is_some() {
            request_animation_frame(move || controller.settle());
            return true;
        }
        is_done
    });
    on_cleanup(move || store.leave(visit));
    Effect::new(move |_| store.show_unsent(visit));
    // In a deleted room nothing happens any more.
    if room.is_active {
        let hooks = Hooks {
            new_message: Callback::new(move |message| controller.on_new_message(&message)),
            message_changed: Callback::new(move |(id, content): (MessageId, String)| {
                controller.on_message_changed(id, &content);
            }),
            reload: Callback::new(move |()| controller.reload()),
            established: Callback::new(move |is_first| controller.on_connected(is_first)),
            permissions_changed: Callback::new(move |()| controller.refresh_permissions()),
            closed: Callback::new(move |code| controller.on_removed(code)),
        };
        store.listen(visit, hooks);
        if !visit.is_new {
            controller.on_revisited();
        }
        if let Ok(interval) =
            set_interval_with_handle(move || controller.mark_read(), read_receipts::READ_CHECK_EVERY)
        {
            on_cleanup(move || interval.clear());
        }
    }
    Actions(Callback::new(move |action| controller.run(action)))
}

/// State of the live room; a handle that is copied into callbacks.
#[derive(Clone, Copy)]
struct RoomController {
    context: RoomContext,
    rooms: RoomsContext,
    notice: PageNotice,
    refetch: RefetchRoom,
    names: MentionNamesContext,
    store: Store,
    signals: RoomSignals,
    /// Number of roster requests; a response to any but the last is ignored.
    roster_requests: StoredValue<u32>,
    preferences: Preferences,
    has_receipts: bool,
    at_end: StoredValue<bool>,
    /// The last message that was reported as read.
    read_to: StoredValue<MessageId>,
    /// When that was reported, in milliseconds since the epoch.
    read_sent_at: StoredValue<f64>,
    /// When `typing` was last sent; 0 when the user has stopped.
    typing_sent_at: StoredValue<f64>,
}

impl RoomController {
    fn run(self, action: Action) -> bool {
        match action {
            Action::Earlier => self.earlier(),
            Action::Later => self.later(),
            Action::AtEnd(at_end) => self.set_at_end(at_end),
            Action::ToEnd => self.to_end(),
            Action::MarkRead => {
                self.context.skips_unread.set(false);
                self.mark_read();
            }
            Action::Jump(id) => self.jump(id),
            Action::Step { is_down } => self.step(is_down),
            Action::Copy(id) => return self.copy(id),
            Action::Help => row_elements::press(shortcuts::BUTTON),
            Action::Begin(mode) => return self.begin(mode),
            Action::EditLast => {
                let last = self.context.timeline.with_untracked(Timeline::last_own);
                return last.is_some_and(|id| self.begin(ComposerMode::Editing(id)));
            }
            Action::Submit(text) => self.submit(text),
            Action::Delete(id) => self.delete(id),
            Action::CopyText(text) => return self.copy_text(&text),
            Action::Retry(client_id) => self.store.retry(&client_id),
            Action::Discard(client_id) => self.store.discard(self.context.room, &client_id),
            Action::Typing(is_typing) => self.typing(is_typing),
        }
        true
    }

    /// Scrolls to where the page begins.
    fn settle(self) {
        if self.is_gone() {
            return;
        }
        match self.context.target.get_untracked() {
            Some(target) => self.show(target),
            None => self.show_first_unread(),
        }
        self.fill_viewport();
        self.mark_read();
    }

    /// Whether the page was closed during an `await`; its signals must not be used any more.
    fn is_gone(self) -> bool {
        self.at_end.try_get_value().is_none()
    }

    /// Shows a short message about the last action.
    fn toast(self, text: String) {
        self.context.toast.set(Some(text));
        set_timeout(
            move || {
                let _ = self.context.toast.try_set(None);
            },
            TOAST_TIME,
        );
    }

    fn toast_error(self, error: &AppError) {
        self.toast(error_message(self.preferences.locale, &error.0));
    }

    fn begin(self, mode: ComposerMode) -> bool {
        if !self.can(mode) {
            return false;
        }
        if let ComposerMode::Readers(id) = mode {
            self.context.readers.set(Vec::new());
            spawn_local(async move {
                match readers(id).await {
                    Ok(people) => drop(self.context.readers.try_set(people)),
                    Err(error) => self.toast_error(&error),
                }
            });
        }
        if self.context.mode.get_untracked() == mode {
            // Already in this mode: the key stays free to close something else.
            return mode != ComposerMode::Writing;
        }
        self.context.mode.set(mode);
        if mode == ComposerMode::Writing {
            row_elements::focus_composer();
        }
        true
    }

    fn submit(self, text: String) {
        let mode = self.context.mode.get_untracked();
        self.stop_typing();
        match mode {
            ComposerMode::Editing(id) => {
                self.context.mode.set(ComposerMode::Writing);
                self.edit(id, text);
            }
            ComposerMode::Replying(id) => {
                self.context.mode.set(ComposerMode::Writing);
                self.write(text, Some(id));
            }
            ComposerMode::Writing | ComposerMode::Deleting(_) | ComposerMode::Readers(_) => {
                self.write(text, None);
            }
        }
    }

    fn write(self, text: String, reply_to: Option<MessageId>) {
        draft::save(self.context, "");
        self.store.write(UnsentMessage {
            client_id: client_id(),
            room: self.context.room,
            content: text,
            reply_to,
            written_at: now(),
            failure: None,
        });
        self.to_end();
    }

    fn edit(self, id: MessageId, text: String) {
        spawn_local(async move {
            let Err(error) = edit_message(self.context.room, id, text.clone()).await else { return };
            if self.is_gone() {
                return;
            }
            self.toast_error(&error);
            self.context.rejected_edit.set_value(Some((id, text)));
            // In another mode the content is kept until that message is edited again.
            if self.context.mode.get_untracked() == ComposerMode::Writing {
                self.begin(ComposerMode::Editing(id));
            }
        });
    }

    fn delete(self, id: MessageId) {
        self.context.mode.set(ComposerMode::Writing);
        row_elements::focus_composer();
        spawn_local(async move {
            if let Err(error) = delete_message(self.context.room, id).await {
                self.toast_error(&error);
            }
        });
    }

    fn copy(self, id: MessageId) -> bool {
        let Some(copying) = clipboard::copy_link(&message_path(self.context.room, id)) else { return false };
        self.toast_copied(copying, td_string!(self.preferences.locale, actions.copied));
        true
    }

    fn copy_text(self, text: &str) -> bool {
        let Some(copying) = clipboard::copy(text) else { return false };
        self.toast_copied(copying, td_string!(self.preferences.locale, actions.text_copied));
        true
    }

    fn toast_copied(self, copying: impl Future<Output = bool> + 'static, text: &'static str) {
        spawn_local(async move {
            if copying.await {
                self.toast(text.to_owned());
            }
        });
    }

    fn typing(self, is_typing: bool) {
        // Editing does not announce typing, since no new message follows.
        if matches!(self.context.mode.get_untracked(), ComposerMode::Editing(_)) {
            return;
        }
        if !is_typing {
            self.stop_typing();
        } else if now_ms() - self.typing_sent_at.get_value() >= TYPING_REPEAT_MS {
            self.typing_sent_at.set_value(now_ms());
            self.send_typing(is_typing);
        }
    }

    fn stop_typing(self) {
        if self.typing_sent_at.get_value() > 0.0 {
            self.typing_sent_at.set_value(0.0);
            self.send_typing(false);
        }
    }

    fn send_typing(self, is_typing: bool) {
        self.store.send(&ClientFrame::Typing { room_id: self.context.room, is_typing });
    }
}
