//! The rooms that were opened last.

use chat::model::{Code, MessageId, RoomId, RoomMessage};
use leptos::prelude::*;

use crate::{
    live::{ConnectionState, apply::Position},
    server::rooms::OpenedRoom,
    state::{room_signals::RoomSignals, timeline::Timeline},
};

/// Number of rooms that are followed beside the one that is shown.
const KEPT: usize = 10;

/// Callbacks of the page that shows a room.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// A message that was not known before.
    pub new_message: Callback<RoomMessage>,
    /// A message was edited or deleted; the new content.
    pub message_changed: Callback<(MessageId, String)>,
    /// Too much was missed: load the newest page again.
    pub reload: Callback<()>,
    /// The room is followed; whether for the first time since it was loaded.
    pub established: Callback<bool>,
    /// What the current user may do in the room has changed.
    pub permissions_changed: Callback<()>,
    /// The user has lost the room.
    pub closed: Callback<Code>,
}

/// A page that shows a room.
#[derive(Clone, Copy)]
pub struct Visit {
    pub room: RoomId,
    pub signals: RoomSignals,
    /// Whether the room was loaded for it.
    pub is_new: bool,
    number: u32,
}

/// A room whose changes are followed.
pub(super) struct LiveRoom {
    /// As its page was loaded, without the history.
    opened: OpenedRoom,
    pub(super) signals: RoomSignals,
    pub(super) position: Position,
    is_subscribed: bool,
    /// The current visit, or the last one.
    visit: u32,
    is_visited: bool,
    pub(super) hooks: Option<Hooks>,
    /// How the current user lost the room, by the last change of their membership.
    pub(super) loss: Option<Code>,
    /// Of the signals.
    owner: Owner,
}

impl LiveRoom {
    pub(super) fn is_visible(&self) -> bool {
        self.is_visited
    }

    /// `None` where the page has to be loaded anew: the room is lost, or its newest messages are not here.
    pub(super) fn reopen(&self) -> Option<OpenedRoom> {
        let is_open = self.signals.connection.get_untracked() != ConnectionState::Connecting;
        let is_whole = !self.signals.timeline.with_untracked(Timeline::has_later);
        (is_open && is_whole && !self.is_closed()).then(|| self.opened.clone())
    }

    fn is_closed(&self) -> bool {
        matches!(self.signals.connection.get_untracked(), ConnectionState::Closed(_))
    }
}

/// The one shown last is at the end.
pub(super) struct OpenRooms {
    rooms: Vec<LiveRoom>,
    /// Replaced while their page is still shown.
    replaced: Vec<LiveRoom>,
    visits: u32,
}

/// An owner of its own, which is gone with the room: a child would leave its place in the list of its parent.
fn new_owner() -> Owner {
    let current = Owner::current();
    let owner = Owner::new_root(None);
    if let Some(current) = current {
        current.set();
    }
    owner
}

impl OpenRooms {
    pub(super) fn new() -> Self {
        Self { rooms: Vec::new(), replaced: Vec::new(), visits: 0 }
    }

    pub(super) fn find(&self, id: RoomId) -> Option<&LiveRoom> {
        self.rooms.iter().find(|room| room.opened.room.id == id)
    }

    fn find_mut(&mut self, id: RoomId) -> Option<&mut LiveRoom> {
        self.rooms.iter_mut().find(|room| room.opened.room.id == id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.iter().map(|room| room.opened.room.id)
    }

    pub(super) fn signals(&self) -> Vec<RoomSignals> {
        self.rooms.iter().map(|room| room.signals).collect()
    }

    /// The signals of the rooms that this connection follows.
    pub(super) fn subscribed(&self) -> Vec<RoomSignals> {
        self.rooms.iter().filter(|room| room.is_subscribed).map(|room| room.signals).collect()
    }

    /// The room that a page shows.
    pub(super) fn visible(&self) -> Option<RoomId> {
        self.rooms.iter().rfind(|room| room.is_visited).map(|room| room.opened.room.id)
    }

    /// `None` for a room whose history the user may not see.
    pub(super) fn enter(&mut self, mut opened: OpenedRoom) -> Option<Visit> {
        let id = opened.room.id;
        let known = self.rooms.iter().position(|room| room.opened.room.id == id);
        let known = known.map(|index| self.rooms.remove(index));
        self.visits += 1;
        let (mut room, is_new) = match (opened.window.take(), known) {
            (Some(window), known) => {
                if let Some(known) = known {
                    self.discard(known);
                }
                let owner = new_owner();
                let position = Position { rev: window.rev };
                let signals =
                    owner.with(|| RoomSignals::new(opened.me.clone(), opened.roster.clone(), window));
                let room = LiveRoom {
                    opened: OpenedRoom { is_stored: true, ..opened },
                    signals,
                    position,
                    is_subscribed: false,
                    visit: 0,
                    is_visited: false,
                    hooks: None,
                    loss: None,
                    owner,
                };
                (room, true)
            }
            (None, Some(known)) if opened.is_stored => {
                let unread = usize::try_from(opened.room.unread_count).unwrap_or_default();
                let owner = new_owner();
                let signals = owner.with(|| known.signals.renewed());
                signals.timeline.update_untracked(|timeline| timeline.begin_visit(unread));
                let room = LiveRoom {
                    opened: known.opened.clone(),
                    signals,
                    position: known.position,
                    is_subscribed: known.is_subscribed,
                    visit: 0,
                    is_visited: false,
                    hooks: None,
                    loss: known.loss,
                    owner,
                };
                self.discard(known);
                (room, false)
            }
            (None, known) => {
                if let Some(known) = known {
                    self.discard(known);
                }
                return None;
            }
        };
        (room.visit, room.is_visited) = (self.visits, true);
        let visit = Visit { room: id, signals: room.signals, is_new, number: room.visit };
        self.rooms.push(room);
        Some(visit)
    }

    pub(super) fn set_hooks(&mut self, visit: Visit, hooks: Option<Hooks>) {
        if let Some(room) = self.find_mut(visit.room).filter(|room| room.visit == visit.number) {
            room.hooks = hooks;
        }
    }

    /// Ends a visit. False if another one of the same room has begun.
    pub(super) fn leave(&mut self, visit: Visit) -> bool {
        self.replaced.retain(|room| {
            let is_over = room.visit == visit.number;
            if is_over {
                room.owner.cleanup();
            }
            !is_over
        });
        let Some(room) = self.find_mut(visit.room).filter(|room| room.visit == visit.number) else {
            return false;
        };
        (room.is_visited, room.hooks) = (false, None);
        // While nobody looks, the newest messages are kept and not those that were looked at.
        room.signals.timeline.update_untracked(|timeline| timeline.set_at_end(true));
        true
    }

    /// Forgets the rooms that are not worth keeping, and says which.
    pub(super) fn forget_surplus(&mut self) -> Vec<RoomId> {
        let mut surplus: Vec<RoomId> = self
            .rooms
            .iter()
            .filter(|room| !room.is_visited && room.reopen().is_none())
            .map(|room| room.opened.room.id)
            .collect();
        let kept = self.rooms.iter().filter(|room| !room.is_visited && room.reopen().is_some());
        let kept: Vec<RoomId> = kept.map(|room| room.opened.room.id).collect();
        surplus.extend(&kept[..kept.len().saturating_sub(KEPT)]);
        for id in &surplus {
            self.forget(*id);
        }
        surplus
    }

    pub(super) fn forget(&mut self, id: RoomId) {
        if let Some(index) = self.rooms.iter().position(|room| room.opened.room.id == id) {
            let room = self.rooms.remove(index);
            self.discard(room);
        }
    }

    /// The signals go when no page has them.
    fn discard(&mut self, room: LiveRoom) {
        if room.is_visited {
            self.replaced.push(room);
        } else {
            room.owner.cleanup();
        }
    }

    pub(super) fn advance(&mut self, id: RoomId, position: Position) {
        if let Some(room) = self.find_mut(id) {
            room.position = position;
        }
    }

    pub(super) fn set_loss(&mut self, id: RoomId, loss: Option<Code>) {
        if let Some(room) = self.find_mut(id) {
            room.loss = loss;
        }
    }

    pub(super) fn set_subscribed(&mut self, id: RoomId) {
        if let Some(room) = self.find_mut(id) {
            room.is_subscribed = true;
        }
    }

    /// The connection that followed the rooms is gone.
    pub(super) fn unsubscribed(&mut self) {
        self.rooms.iter_mut().for_each(|room| room.is_subscribed = false);
    }
}
