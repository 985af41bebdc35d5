//! The rows of the timeline, each with a signal of its own, and one reader of all that they are made of.
//!
//! Were each row to read the timeline itself, the page would grow with every message that ever came in: in Leptos 0.8 a
//! signal keeps some memory of all that subscribed to it, also of what is long gone, and so does an owner of each child
//! that it had. So what is in a row subscribes to the row's own signal alone, which goes with it, and the row's
//! owner is nobody's child.

use std::{collections::HashMap, mem};

use chat::model::{MessageId, MessagePermissions};
use leptos::{
    prelude::*,
    tachys::{reactive_graph::OwnedView, view::keyed::keyed},
};

use super::{
    message::{MessageRow, Named},
    talk::{Hands, Talk},
};
use crate::{
    preferences::{Preferences, preferences},
    state::timeline::{Delivery, Key, Row},
    ui::moment::day_line,
};

/// All that a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// The message in its place.
    pub(super) row: Row,
    /// The day that begins above it, in words.
    pub(super) day: Option<String>,
    /// What the reader does about it.
    pub(super) marks: Marks,
}

/// What the reader does about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// Was it looked for?
    pub(super) is_target: bool,
    /// What the reader may do with it, while it is the one that is meant.
    pub(super) meant: Option<MessagePermissions>,
}

/// What the reader does, as far as it shows in rows.
struct Reading {
    active: Option<Key>,
    target: Option<MessageId>,
    rights: MessagePermissions,
}

impl Reading {
    fn of(talk: Talk) -> Self {
        Self { active: talk.active.get(), target: talk.target.get(), rights: talk.rights.get() }
    }

    fn marks(&self, row: &Row) -> Marks {
        let is_stored = row.delivery == Delivery::Sent;
        Marks {
            is_target: is_stored && self.target == Some(row.message.id),
            meant: (is_stored && self.active == Some(row.key)).then_some(self.rights),
        }
    }
}

type Known = HashMap<Key, ArcRwSignal<Shown>>;

/// Reads for all rows what they are made of.
#[derive(Clone, Copy)]
struct Rows {
    talk: Talk,
    preferences: Preferences,
    known: StoredValue<Known>,
}

impl Rows {
    /// The rows from the oldest; those that were there before are told what changed of them.
    fn follow(self) -> Vec<(Key, ArcRwSignal<Shown>)> {
        let Self { talk, preferences, known } = self;
        let (zone, today) = (preferences.zone.get(), preferences.today.get());
        let reading = untrack(|| Reading::of(talk));
        let before = known.try_update_value(mem::take).unwrap_or_default();
        let rows: Vec<_> = talk.timeline.with(|timeline| {
            let rows = timeline.keys().into_iter().filter_map(|key| timeline.row(key, zone));
            rows.map(|row| {
                let (key, marks) = (row.key, reading.marks(&row));
                let day = row.place.day.map(|day| day_line(preferences.locale, day, today));
                let shown = Shown { row, day, marks };
                match before.get(&key) {
                    Some(signal) => {
                        signal.maybe_update(|before| mem::replace(before, shown) != *before);
                        (key, signal.clone())
                    }
                    None => (key, ArcRwSignal::new(shown)),
                }
            })
            .collect()
        });
        known.set_value(rows.iter().cloned().collect());
        rows
    }

    /// Tells the rows what the reader does.
    fn mark(self) {
        let reading = Reading::of(self.talk);
        self.known.with_value(|known| {
            for signal in known.values() {
                signal.maybe_update(|shown| {
                    let before = mem::replace(&mut shown.marks, reading.marks(&shown.row));
                    before != shown.marks
                });
            }
        });
    }
}

/// The rows.
#[component]
pub(super) fn RowList() -> impl IntoView {
    let (preferences, talk, hands) = (preferences(), expect_context::<Talk>(), expect_context::<Hands>());
    let named: Named = expect_context();
    let rows = Rows { talk, preferences, known: StoredValue::new(Known::new()) };
    Effect::new(move |_| rows.mark());
    let drawn = move |_, (_, shown)| {
        let owner = rootless();
        let row = owner.with(|| {
            provide_context(preferences);
            provide_context(talk);
            provide_context(hands);
            provide_context(named);
            view! { <MessageRow shown/> }
        });
        (drop, OwnedView::new_with_owner(row, owner))
    };
    move || keyed(rows.follow(), |(key, _)| *key, drawn)
}

/// An owner without a parent.
#[cfg(not(feature = "ssr"))]
fn rootless() -> Owner {
    let shared = Owner::current_shared_context();
    // Becomes the current one, which is put back.
    Owner::current().map_or_else(Owner::new, |current| current.with(|| Owner::new_root(shared)))
}

/// On the server a root has signals of its own, which the page's are not; and no page stays.
#[cfg(feature = "ssr")]
fn rootless() -> Owner {
    Owner::new()
}
