//! The conversation's live half: what it does about what it hears, and what the reader does.

use std::time::Duration;

use chat::model::{ClientFrame, MessageId, Room};
use futures::channel::mpsc::UnboundedSender;
use leptos::{leptos_dom::helpers::set_interval_with_handle, prelude::*, task::spawn_local};

use super::{
    RefetchRoom,
    context::{Action, Actions, RoomContext},
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
    live::room_socket::{Hooks, Signals, follow},
    pages::rooms::{PageNotice, RoomsContext},
    preferences::{Preferences, preferences},
    server::messages::{delete_message, edit_message, readers},
    state::{
        composer_mode::{ComposerMode, message_path},
        roster::Roster,
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

/// How long a word about what was done stays.
const TOAST_TIME: Duration = Duration::from_secs(4);

/// Follows the room from change `rev` and gives the conversation its hands. A room that one cannot write in is not
/// followed: nothing happens there any more.
pub(super) fn start(room: &Room, rev: i64, context: RoomContext) -> Actions {
    let controller = RoomController {
        context,
        rooms: expect_context(),
        notice: expect_context(),
        refetch: expect_context(),
        roster: expect_context(),
        roster_requests: StoredValue::new(0),
        preferences: preferences(),
        has_receipts: room.member_count <= read_receipts::RECEIPTS_MAX_MEMBERS,
        at_end: StoredValue::new(context.timeline.with_untracked(|timeline| !timeline.has_later())),
        read_to: StoredValue::new(MessageId::default()),
        read_sent_at: StoredValue::new(0.0),
        typing_sent_at: StoredValue::new(0.0),
        frames: StoredValue::new(None),
    };
    Effect::new(move |_| {
        if let Some(target) = context.target.get_untracked() {
            controller.show(target);
        }
        controller.fill_viewport();
    });
    if room.is_active {
        let signals = Signals {
            timeline: context.timeline,
            typists: context.typists,
            connection: context.connection,
            roster: controller.roster,
        };
        let hooks = Hooks {
            new_message: Callback::new(move |message| controller.on_new_message(&message)),
            message_changed: Callback::new(move |(id, content): (MessageId, String)| {
                controller.on_message_changed(id, &content)
            }),
            reload: Callback::new(move |()| controller.reload()),
            established: Callback::new(move |()| controller.on_connected()),
            permissions_changed: Callback::new(move |()| controller.refresh_permissions()),
            closed: Callback::new(move |code| controller.on_removed(code)),
        };
        controller.frames.set_value(Some(follow(room.id, rev, signals, hooks)));
        if let Ok(interval) =
            set_interval_with_handle(move || controller.mark_read(), read_receipts::READ_CHECK_EVERY)
        {
            on_cleanup(move || interval.clear());
        }
    }
    Actions(Callback::new(move |action| controller.run(action)))
}

/// Somebody in front of a room.
#[derive(Clone, Copy)]
struct RoomController {
    context: RoomContext,
    rooms: RoomsContext,
    notice: PageNotice,
    refetch: RefetchRoom,
    roster: RwSignal<Roster>,
    /// How often the roster was asked for.
    roster_requests: StoredValue<u32>,
    preferences: Preferences,
    has_receipts: bool,
    at_end: StoredValue<bool>,
    /// What the server was told to have been read.
    read_to: StoredValue<MessageId>,
    /// When that was.
    read_sent_at: StoredValue<f64>,
    /// When it was last told of typing; 0 when not, or no longer.
    typing_sent_at: StoredValue<f64>,
    frames: StoredValue<Option<UnboundedSender<ClientFrame>>>,
}

impl RoomController {
    fn run(self, action: Action) -> bool {
        match action {
            Action::Earlier => self.earlier(),
            Action::Later => self.later(),
            Action::AtEnd(at_end) => self.set_at_end(at_end),
            Action::ToEnd => self.to_end(),
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
            Action::Retry(client_id) => self.retry(&client_id),
            Action::Typing(is_typing) => self.typing(is_typing),
        }
        true
    }

    /// Has the page gone while one waited for the server? Then there is nothing to change any more.
    fn is_gone(self) -> bool {
        self.at_end.try_get_value().is_none()
    }

    fn send(self, frame: ClientFrame) {
        self.frames.with_value(|frames| {
            if let Some(frames) = frames {
                // An error means that the page is gone: nobody to say it for.
                let _ = frames.unbounded_send(frame);
            }
        });
    }

    /// A word about what was done, or why it was not.
    fn toast(self, words: String) {
        self.context.toast.set(Some(words));
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
            // Nothing to leave, so that the key is free to close something else.
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
                self.write(text, None)
            }
        }
    }

    fn write(self, text: String, reply_to: Option<MessageId>) {
        draft::save(self.context, "");
        let mut draft = None;
        self.context
            .timeline
            .update(|timeline| draft = Some(timeline.add_pending(text, reply_to, client_id(), now())));
        if let Some(draft) = draft {
            self.send(ClientFrame::ChatMessage(draft));
        }
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
            // Whoever has begun something else finds the words when they edit that message again.
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

    fn retry(self, client_id: &str) {
        let mut draft = None;
        self.context.timeline.update(|timeline| draft = timeline.retry(client_id));
        if let Some(draft) = draft {
            self.send(ClientFrame::ChatMessage(draft));
        }
    }

    fn copy(self, id: MessageId) -> bool {
        let Some(copying) = clipboard::copy_link(&message_path(self.context.room, id)) else { return false };
        spawn_local(async move {
            if copying.await {
                self.toast(crate::i18n::td_string!(self.preferences.locale, actions.copied).to_owned());
            }
        });
        true
    }

    fn typing(self, is_typing: bool) {
        // Other words for what was said before are no new message.
        if matches!(self.context.mode.get_untracked(), ComposerMode::Editing(_)) {
            return;
        }
        if !is_typing {
            self.stop_typing();
        } else if now_ms() - self.typing_sent_at.get_value() >= TYPING_REPEAT_MS {
            self.typing_sent_at.set_value(now_ms());
            self.send(ClientFrame::Typing { is_typing });
        }
    }

    fn stop_typing(self) {
        if self.typing_sent_at.get_value() > 0.0 {
            self.typing_sent_at.set_value(0.0);
            self.send(ClientFrame::Typing { is_typing: false });
        }
    }
}
