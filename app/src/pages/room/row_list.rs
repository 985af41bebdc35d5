//! The timeline's rows, each with its own signal, and one effect that updates them.
//!
//! Rows must not subscribe to the timeline itself. In Leptos 0.8 a signal keeps some memory for each subscriber it
//! ever had, and an owner for each child, so the page would grow with every message. Therefore the content of a row
//! subscribes only to the row's signal, which is dropped with it, and the row's owner has no parent.

use std::{collections::HashMap, mem};

use chat::model::{MessageId, MessagePermissions};
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

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowView {
    pub(super) row: Row,
    /// Text of the day separator above the row.
    pub(super) day: Option<String>,
    /// What the reader does about it.
    pub(super) state: RowState,
}

/// State of a row that depends on the user, not on the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowState {
    pub(super) is_target: bool,
    /// The user's permissions, if the row is active and shows actions.
    pub(super) allowed_actions: Option<MessagePermissions>,
}

/// The active row and the target message.
struct Selection {
    active: Option<RowKey>,
    target: Option<MessageId>,
    rights: MessagePermissions,
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

/// Updates the signals of all rows.
#[derive(Clone, Copy)]
struct RowUpdater {
    context: RoomContext,
    preferences: Preferences,
    signals: StoredValue<RowSignals>,
}

impl RowUpdater {
    /// The rows, oldest first; existing signals are updated.
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

    /// Updates the rows' states after the selection has changed.
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
    // `new_root` sets the current owner; `with` restores it.
    Owner::current().map_or_else(Owner::new, |current| current.with(|| Owner::new_root(shared)))
}

/// On the server a root has signals of its own, which the page's are not; and no page stays.
#[cfg(feature = "ssr")]
fn new_root_owner() -> Owner {
    Owner::new()
}
