//! Asks the server whose name is being written, and puts the chosen one into the text.

use std::time::Duration;

use gloo_timers::future::sleep;
use leptos::{ev, prelude::*, task::spawn_local};

use super::super::mentions::Mentions;
use crate::{
    browser::textarea,
    server::messages::members_named,
    state::mention::{asked, complete},
};

/// How long one pauses before it is asked: less than one feels, more than between two letters.
const PAUSE: Duration = Duration::from_millis(90);

impl Mentions {
    /// The text or the caret is another.
    pub(in crate::pages::room) fn look(self) {
        let now = self.area.get_untracked().and_then(|area| {
            let caret = usize::try_from(area.selection_end().ok()??).ok()?;
            asked(&area.value(), caret)
        });
        if self.asked.with_untracked(|known| *known == now) {
            return;
        }
        self.asked.set(now.clone());
        let Some(now) = now else { return self.close() };
        spawn_local(async move {
            sleep(PAUSE).await;
            let is_current = move |mentions: Self, now: &_| {
                mentions.asked.try_with_untracked(|known| known.as_ref() == Some(now)) == Some(true)
            };
            if !is_current(self, &now) {
                return;
            }
            let people = members_named(self.room, now.letters.clone()).await.unwrap_or_default();
            if is_current(self, &now) {
                self.chosen.set(0);
                self.found.set(people);
            }
        });
    }

    /// True when the key was the list's.
    pub(in crate::pages::room) fn pressed(self, event: &ev::KeyboardEvent) -> bool {
        let count = self.found.with_untracked(Vec::len);
        if count == 0 {
            return false;
        }
        let chosen = self.chosen.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.chosen.set((chosen + 1) % count),
            "ArrowUp" => self.chosen.set((chosen + count - 1) % count),
            "Enter" | "Tab" if !event.shift_key() => self.take(chosen),
            // Until one writes on: what is asked for is known, and not asked again.
            "Escape" => self.found.set(Vec::new()),
            _ => return false,
        }
        event.prevent_default();
        true
    }

    /// The member in this place is meant.
    pub(in crate::pages::room) fn take(self, place: usize) {
        let user = self.found.with_untracked(|found| found.get(place).cloned());
        let (Some(user), Some(area), Some(asked)) =
            (user, self.area.get_untracked(), self.asked.get_untracked())
        else {
            return;
        };
        let (text, caret) = complete(&area.value(), &asked, &user.username);
        area.set_value(&text);
        let caret = u32::try_from(caret).unwrap_or(u32::MAX);
        // Fails only for places that are none.
        let _ = area.set_selection_range(caret, caret);
        self.close();
        textarea::announce(&area);
    }

    pub(in crate::pages::room) fn close(self) {
        // A text area that goes with its page loses the keyboard after all else of it has gone.
        let Some(is_closed) = self.found.try_with_untracked(Vec::is_empty) else { return };
        self.asked.set(None);
        if !is_closed {
            self.found.set(Vec::new());
        }
    }
}
