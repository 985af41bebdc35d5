//! Loads the suggestions for a mention and inserts the chosen one.

use std::time::Duration;

use gloo_timers::future::sleep;
use leptos::{ev, prelude::*, task::spawn_local};

use super::super::mentions::Mentions;
use crate::{
    browser::textarea,
    server::messages::members_named,
    state::mention::{complete, query_at},
};

/// Pause in typing before the request: shorter than is noticed, longer than between two letters.
const DEBOUNCE: Duration = Duration::from_millis(90);

impl Mentions {
    /// To be called when the caret has moved. It opens no list: that of a message that ends with a mention would cover what
    /// is done to it.
    pub(in crate::pages::room) fn follow_caret(self) {
        if !self.matches.with_untracked(Vec::is_empty) {
            self.refresh();
        }
    }

    /// To be called when the text has changed.
    pub(in crate::pages::room) fn refresh(self) {
        let now = self.area.get_untracked().and_then(|area| {
            let caret = usize::try_from(area.selection_end().ok()??).ok()?;
            query_at(&area.value(), caret)
        });
        if self.query.with_untracked(|known| *known == now) {
            return;
        }
        self.query.set(now.clone());
        let Some(now) = now else { return self.close() };
        spawn_local(async move {
            sleep(DEBOUNCE).await;
            let is_current = move |mentions: Self, now: &_| {
                mentions.query.try_with_untracked(|known| known.as_ref() == Some(now)) == Some(true)
            };
            if !is_current(self, &now) {
                return;
            }
            let people = members_named(self.room, now.letters.clone()).await.unwrap_or_default();
            if is_current(self, &now) {
                self.selected.set(0);
                self.matches.set(people);
            }
        });
    }

    /// Handles a key for the list; true if it did.
    pub(in crate::pages::room) fn on_key(self, event: &ev::KeyboardEvent) -> bool {
        let count = self.matches.with_untracked(Vec::len);
        if count == 0 {
            return false;
        }
        let selected = self.selected.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.selected.set((selected + 1) % count),
            "ArrowUp" => self.selected.set((selected + count - 1) % count),
            "Enter" | "Tab" if !event.shift_key() => self.choose(selected),
            // `query` stays set, so that the list opens again only after more typing.
            "Escape" => self.matches.set(Vec::new()),
            _ => return false,
        }
        event.prevent_default();
        true
    }

    /// Inserts the suggestion at this index.
    pub(in crate::pages::room) fn choose(self, index: usize) {
        let user = self.matches.with_untracked(|matches| matches.get(index).cloned());
        let (Some(user), Some(area), Some(query)) =
            (user, self.area.get_untracked(), self.query.get_untracked())
        else {
            return;
        };
        let (text, caret) = complete(&area.value(), &query, &user.username);
        area.set_value(&text);
        let caret = u32::try_from(caret).unwrap_or(u32::MAX);
        // Fails only for invalid positions.
        let _ = area.set_selection_range(caret, caret);
        self.close();
        textarea::dispatch_input(&area);
    }

    pub(in crate::pages::room) fn close(self) {
        // When the page is closed, `blur` comes after the signals have been disposed of.
        let Some(is_closed) = self.matches.try_with_untracked(Vec::is_empty) else { return };
        self.query.set(None);
        if !is_closed {
            self.matches.set(Vec::new());
        }
    }
}
