//! Keeps the details' list of members true while the room is open.

use chat::model::{RoomId, UserId};
use leptos::{prelude::*, task::spawn_local};

use crate::{live::Line, server::members::read_roster, state::roster::Roster};

/// The roster of the open room. What changes while the line does not stand is not told later: each time it stands
/// (again), the list is asked for; and when `me` gets another role, what I may do.
pub(super) fn keep(room: RoomId, me: UserId, line: RwSignal<Line>) -> RwSignal<Roster> {
    let roster: RwSignal<Roster> = expect_context();
    let role = Memo::new(move |_| roster.with(|roster| roster.role_of(me)));
    Effect::new(move |known: Option<_>| {
        let (is_open, role) = (line.get() == Line::Open, role.get());
        let now = (is_open, role);
        if is_open && known != Some(now) {
            spawn_local(async move {
                if let Ok(now) = read_roster(room).await {
                    // The page may have gone meanwhile.
                    let _ = roster.try_set(now);
                }
            });
        }
        now
    });
    roster
}
