//! What is known of an open room, as signals that its page borrows.

use chat::model::{HistoryWindow, MessagePermissions, User};
use leptos::prelude::*;

use super::{roster::Roster, timeline::Timeline, typing::Typists};
use crate::{live::ConnectionState, markdown::MentionNames};

#[derive(Clone, Copy)]
pub struct RoomSignals {
    pub timeline: RwSignal<Timeline>,
    pub typists: RwSignal<Typists>,
    pub connection: RwSignal<ConnectionState>,
    pub roster: RwSignal<Roster>,
    /// What the current user may do with messages.
    pub rights: RwSignal<MessagePermissions>,
    /// Usernames that messages of this room may mention.
    pub names: StoredValue<MentionNames>,
}

impl RoomSignals {
    /// Signals of the current owner for a room as it was loaded.
    pub fn new(me: User, roster: Roster, window: HistoryWindow) -> Self {
        // The list of members is not complete in a large room.
        let members = roster.members.iter().map(|member| member.user.username.clone());
        let names = MentionNames::new(&me.username, members.chain(window.mentioned.iter().cloned()));
        Self {
            typists: RwSignal::new(Typists::default()),
            connection: RwSignal::new(ConnectionState::Connecting),
            roster: RwSignal::new(roster),
            rights: RwSignal::new(window.rights),
            names: StoredValue::new(names),
            timeline: RwSignal::new(Timeline::new(me, window)),
        }
    }

    /// Signals of the current owner with the values of these, for another page: a signal of Leptos keeps a little memory for
    /// each subscriber that it ever had.
    #[must_use]
    pub fn renewed(self) -> Self {
        Self {
            timeline: RwSignal::new(self.timeline.get_untracked()),
            typists: RwSignal::new(self.typists.get_untracked()),
            connection: RwSignal::new(self.connection.get_untracked()),
            roster: RwSignal::new(self.roster.get_untracked()),
            rights: RwSignal::new(self.rights.get_untracked()),
            names: StoredValue::new(self.names.get_value()),
        }
    }
}
