//! Navigation in the history: pages, jumps to a message or to the end, and moving between rows.

use std::time::Duration;

use chat::model::{HistoryWindow, MessageId};
use gloo_timers::future::sleep;
use leptos::{prelude::*, task::spawn_local};

use super::{super::timeline::AT_END_PX, RoomController};
use crate::{
    browser::{row_elements, scroll},
    server::messages::history,
    state::timeline::Timeline,
};

/// Pause before the newest page is asked for again.
const RELOAD_AFTER: Duration = Duration::from_secs(2);

impl RoomController {
    /// Loads the page before the first message shown.
    pub(super) fn earlier(self) {
        let first = self
            .context
            .timeline
            .with_untracked(|timeline| timeline.first_id().filter(|_| timeline.has_earlier()));
        let Some(first) = first else { return };
        self.fetch(Some(first), None, None, Timeline::prepend);
    }

    /// Loads earlier messages until the viewport is full: without a scroll bar there is no scroll event that would
    /// load them.
    pub(super) fn fill_viewport(self) {
        if self.is_gone() {
            return;
        }
        let has_room = self.context.node.get_untracked().is_some_and(|node| {
            let height = node.client_height();
            height > 0 && node.scroll_height() <= height
        });
        // A window that has dropped its newest messages is already full.
        if has_room && !self.context.timeline.with_untracked(Timeline::has_later) {
            self.earlier();
        }
    }

    /// Loads the page after the last message shown.
    pub(super) fn later(self) {
        let last = self
            .context
            .timeline
            .with_untracked(|timeline| timeline.last_id().filter(|_| timeline.has_later()));
        let Some(last) = last else { return };
        self.fetch(None, Some(last), None, Timeline::append);
    }

    fn fetch(
        self,
        before: Option<MessageId>,
        after: Option<MessageId>,
        around: Option<MessageId>,
        insert: fn(&mut Timeline, HistoryWindow),
    ) {
        if self.context.loading.get_untracked() {
            return;
        }
        self.context.loading.set(true);
        spawn_local(async move {
            match history(self.context.room, before, after, around).await {
                Ok(window) => {
                    self.insert_page(window, insert);
                    leptos::task::tick().await;
                    // The page may have been closed meanwhile.
                    let _ = self.context.loading.try_set(false);
                    self.fill_viewport();
                }
                Err(error) => {
                    self.toast_error(&error);
                    let _ = self.context.loading.try_set(false);
                }
            }
        });
    }

    fn insert_page(self, window: HistoryWindow, insert: fn(&mut Timeline, HistoryWindow)) {
        if self.is_gone() {
            return;
        }
        self.learn_names(&window);
        scroll::keep_position(self.context.node, || {
            self.context.timeline.update(|timeline| insert(timeline, window));
        });
        // Scrolled back to where the reader left off: from here on what is in view counts as read.
        if self.context.timeline.with_untracked(|timeline| timeline.read_before_window().is_none()) {
            self.context.skips_unread.set(false);
        }
    }

    /// The timeline is scrolled to the end, or no longer.
    pub(super) fn set_at_end(self, at_end: bool) {
        if self.at_end.get_value() != at_end {
            self.at_end.set_value(at_end);
            self.context.is_scrolled_up.set(!at_end);
            self.context.timeline.update_untracked(|timeline| timeline.set_at_end(at_end));
        }
        if at_end {
            if self.context.unseen.get_untracked() > 0 {
                self.context.unseen.set(0);
            }
            self.mark_read();
        }
    }

    pub(super) fn to_end(self) {
        if !self.context.timeline.with_untracked(Timeline::has_later) {
            scroll::to_end(self.context.node);
            self.set_at_end(true);
            return;
        }
        spawn_local(async move {
            match history(self.context.room, None, None, None).await {
                Ok(window) => {
                    self.replace(window);
                    leptos::task::tick().await;
                    if self.is_gone() {
                        return;
                    }
                    scroll::to_end(self.context.node);
                    self.set_at_end(!self.context.timeline.with_untracked(Timeline::has_later));
                }
                Err(error) => self.toast_error(&error),
            }
        });
    }

    /// Goes to a message; loads the messages around it if it is not in the window.
    pub(super) fn jump(self, id: MessageId) {
        if self.context.timeline.with_untracked(|timeline| timeline.key_of(id)).is_some() {
            self.show(id);
            return;
        }
        spawn_local(async move {
            match history(self.context.room, None, None, Some(id)).await {
                Ok(window) => {
                    if self.is_gone() {
                        return;
                    }
                    self.set_at_end(false);
                    self.replace(window);
                    leptos::task::tick().await;
                    self.show(id);
                }
                Err(error) => self.toast_error(&error),
            }
        });
    }

    /// Scrolls to the first unread message, if it is in the window and above the view.
    pub(super) fn show_first_unread(self) {
        if let Some(node) = self.context.node.try_get_untracked().flatten()
            && scroll::reveal_above(&node, ".day-new") >= AT_END_PX
        {
            self.set_at_end(false);
        }
    }

    /// Highlights a message of the window and scrolls to it.
    pub(super) fn show(self, id: MessageId) {
        let key = self.context.timeline.try_with_untracked(|timeline| timeline.key_of(id)).flatten();
        let Some(key) = key else { return };
        self.context.target.set(None);
        self.context.target.set(Some(id));
        self.context.active.set(Some(key));
        row_elements::show(key);
        row_elements::focus(key);
    }

    /// After a `resync`: loads the newest page, or, while scrolled up, only marks that newer messages are missing. Tries again
    /// as long as the page is open.
    pub(super) fn reload(self) {
        spawn_local(async move {
            loop {
                let loaded = history(self.context.room, None, None, None).await;
                let Some(at_end) = self.at_end.try_get_value() else { return };
                match loaded {
                    Ok(window) if at_end => return self.replace(window),
                    Ok(window) => {
                        return self.context.timeline.update(|timeline| timeline.mark_gap(&window));
                    }
                    Err(_) => sleep(RELOAD_AFTER).await,
                }
            }
        });
    }

    /// Before the messages are shown.
    fn learn_names(self, window: &HistoryWindow) {
        self.names.0.try_update_value(|names| names.add(window.mentioned.iter().cloned()));
    }

    fn replace(self, window: HistoryWindow) {
        self.learn_names(&window);
        let _ = self.context.timeline.try_update(|timeline| timeline.replace(window));
    }

    /// Selects the next or previous row; the first step selects the last row.
    pub(super) fn step(self, is_down: bool) {
        let active = self.context.active.get_untracked();
        let next = self.context.timeline.with_untracked(|timeline| {
            match active.filter(|_| row_elements::focused().is_some()) {
                Some(key) => timeline.neighbour(key, is_down),
                None => timeline.last_key(),
            }
        });
        match next {
            Some(key) => {
                self.context.active.set(Some(key));
                row_elements::focus(key);
            }
            // The composer follows the last row.
            None if is_down => row_elements::focus_composer(),
            None => self.earlier(),
        }
    }
}
