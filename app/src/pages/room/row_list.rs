//! The rows of the timeline, each with a signal of its own, and one reader of all that they are made of.
//!
//! Were each row to read the timeline itself, the page would grow with every message that ever came in: in Leptos 0.8 a
//! signal keeps some memory of all that subscribed to it, also of what is long gone, and so does an owner of each child
//! that it had. So what is in a row subscribes to the row's own signal alone, which goes with it, and the row's
//! owner is nobody's child.

use std::{collections::HashMap, mem};

use chat::model::{MessageId, Rights};
use leptos::{
    prelude::*,
    tachys::{reactive_graph::OwnedView, view::keyed::keyed},
};

use super::{
    context::{Actions, RoomContext},
    message::{MentionNamesContext, MessageRow},
};
use crate::{
    preferences::{Preferences, preferences},
    state::timeline::{Delivery, Row, RowKey},
    ui::time_format::day_line,
};

/// All that a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowView {
    /// The message in its place.
    pub(super) row: Row,
    /// The day that begins above it, in words.
    pub(super) day: Option<String>,
    /// What the reader does about it.
    pub(super) state: RowState,
}

/// What the reader does about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowState {
    /// Was it looked for?
    pub(super) is_target: bool,
    /// What the reader may do with it, while it is the one that is meant.
    pub(super) allowed_actions: Option<Rights>,
}

/// What the reader does, as far as it shows in rows.
struct Selection {
    active: Option<RowKey>,
    target: Option<MessageId>,
    rights: Rights,
}

impl Selection {
    fn of(context: RoomContext) -> Self {
        Self { active: context.active.get(), target: context.target.get(), rights: context.rights.get() }
    }

    fn state(&self, row: &Row) -> RowState {
        let is_stored = row.delivery == Delivery::Sent;
        RowState {
            is_target: is_stored && self.target == Some(row.message.id),
            allowed_actions: (is_stored && self.active == Some(row.key)).then_some(self.rights),
        }
    }
}

type RowSignals = HashMap<RowKey, ArcRwSignal<RowView>>;

/// Reads for all rows what they are made of.
#[derive(Clone, Copy)]
struct RowUpdater {
    context: RoomContext,
    preferences: Preferences,
    signals: StoredValue<RowSignals>,
}

impl RowUpdater {
    /// The rows from the oldest; those that were there before are told what changed of them.
    fn update_rows(self) -> Vec<(RowKey, ArcRwSignal<RowView>)> {
        let Self { context, preferences, signals } = self;
        let (zone, today) = (preferences.zone.get(), preferences.today.get());
        let selection = untrack(|| Selection::of(context));
        let before = signals.try_update_value(mem::take).unwrap_or_default();
        let rows: Vec<_> = context.timeline.with(|timeline| {
            let rows = timeline.keys().into_iter().filter_map(|key| timeline.row(key, zone));
            rows.map(|row| {
                let (key, state) = (row.key, selection.state(&row));
                let day = row.placement.day.map(|day| day_line(preferences.locale, day, today));
                let view = RowView { row, day, state };
                match before.get(&key) {
                    Some(signal) => {
                        signal.maybe_update(|before| mem::replace(before, view) != *before);
                        (key, signal.clone())
                    }
                    None => (key, ArcRwSignal::new(view)),
                }
            })
            .collect()
        });
        signals.set_value(rows.iter().cloned().collect());
        rows
    }

    /// Tells the rows what the reader does.
    fn update_states(self) {
        let selection = Selection::of(self.context);
        self.signals.with_value(|signals| {
            for signal in signals.values() {
                signal.maybe_update(|view| {
                    let before = mem::replace(&mut view.state, selection.state(&view.row));
                    before != view.state
                });
            }
        });
    }
}

/// The rows.
#[component]
pub(super) fn RowList() -> impl IntoView {
    let (preferences, context, actions) =
        (preferences(), expect_context::<RoomContext>(), expect_context::<Actions>());
    let names: MentionNamesContext = expect_context();
    let updater = RowUpdater { context, preferences, signals: StoredValue::new(RowSignals::new()) };
    Effect::new(move |_| updater.update_states());
    let drawn = move |_, (_, view)| {
        let owner = new_root_owner();
        let row = owner.with(|| {
            provide_context(preferences);
            provide_context(context);
            provide_context(actions);
            provide_context(names);
            view! { <MessageRow view/> }
        });
        (drop, OwnedView::new_with_owner(row, owner))
    };
    move || keyed(updater.update_rows(), |(key, _)| *key, drawn)
}

/// An owner without a parent.
#[cfg(not(feature = "ssr"))]
fn new_root_owner() -> Owner {
    let shared = Owner::current_shared_context();
    // Becomes the current one, which is put back.
    Owner::current().map_or_else(Owner::new, |current| current.with(|| Owner::new_root(shared)))
}

/// On the server a root has signals of its own, which the page's are not; and no page stays.
#[cfg(feature = "ssr")]
fn new_root_owner() -> Owner {
    Owner::new()
}
