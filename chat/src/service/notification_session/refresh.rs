//! The queries of a notification session: a room's state after a change, and what the session or a returning client
//! missed.
//!
//! Each refresh first reads everything, and then changes the session and queues frames without waiting. So its frames
//! are sent once, even if an earlier call was cancelled.

use std::collections::BTreeSet;

use super::{NotificationSession, Refresh, UnreadCounter, counters};
use crate::{
    error::Result,
    model::{
        Notification, NotificationFrame, NotificationRef, Room, RoomId, User,
        limits::{NOTIFICATIONS_MAX, RESUME_MAX},
    },
    service::notifications,
    store::{
        Conn, members,
        notifications::{changed, derived, stored},
        reads::{self, ReadPosition},
        rooms, streams,
    },
};

/// The notifications that a client missed.
pub(super) enum Missed {
    /// Each with its number in the user's stream, rising.
    Notifications(Vec<(i64, Notification)>),
    /// More than are sent again.
    TooMany,
}

/// The mentions, invitations and system notices of `user` with `after < rev <= upto`.
pub(super) async fn missed(conn: &mut Conn, user: &User, after: i64, upto: i64) -> Result<Missed> {
    let found = changed::between(conn, user.id, after, upto, RESUME_MAX + 1).await?;
    if i64::try_from(found.len()).unwrap_or(i64::MAX) > RESUME_MAX {
        return Ok(Missed::TooMany);
    }
    let mut records = Vec::with_capacity(found.len());
    let messages: Vec<_> = found
        .iter()
        .filter_map(|(_, found)| match found {
            NotificationRef::Message(message) => Some(*message),
            NotificationRef::Row(_) => None,
        })
        .collect();
    records.extend(derived::about(conn, user.id, &messages).await?);
    for (_, found) in found {
        if let NotificationRef::Row(row) = found {
            records.extend(stored::find(conn, user.id, row).await?);
        }
    }
    records.sort_by_key(|record| record.rev);
    Ok(Missed::Notifications(notifications::present_numbered(conn, user, records).await?))
}

/// A room's state, as read from the database.
struct LoadedRoom {
    id: RoomId,
    /// `None` if the user is not in the room.
    reading: Option<ReadPosition>,
    /// Set if the room is new to the client.
    view: Option<Room>,
    /// The notifications of the messages that the session missed.
    missed: Vec<(i64, Notification)>,
}

impl NotificationSession {
    pub(super) async fn run_refresh(&mut self, refresh: Refresh) -> Result<()> {
        let mut conn = self.chat.store().read().await?;
        match refresh {
            Refresh::Stream => self.catch_up(&mut conn).await,
            Refresh::Room(room, rev) => {
                let loaded = self.load_room(&mut conn, room).await?;
                self.apply_room(loaded, rev);
                if let Some(rev) = rev {
                    self.advance_to(rev);
                }
                Ok(())
            }
        }
    }

    /// Reads and sends everything above the last number of the user's stream.
    async fn catch_up(&mut self, conn: &mut Conn) -> Result<()> {
        let user = self.socket.user().clone();
        let head = streams::rev(conn, user.id).await?;
        let missed = missed(conn, &user, self.rev, head).await?;
        let left = members::left_since(conn, user.id, self.rev).await?;
        let readings = reads::positions(conn, user.id).await?;
        let present: BTreeSet<RoomId> = readings.iter().map(|reading| reading.room).collect();
        let mut added = Vec::new();
        for reading in &readings {
            if !self.rooms.contains_key(&reading.room) {
                added.push((reading.user_rev, self.load_room(conn, reading.room).await?));
            }
        }
        // From here on there is no await.
        let mut changes: Vec<(i64, Change)> = Vec::new();
        changes.extend(added.into_iter().map(|(rev, room)| (rev, Change::Added(room.into()))));
        let removed = self.rooms.keys().copied().filter(|room| !present.contains(room));
        changes.extend(removed.map(|room| {
            let rev = left.iter().find(|(other, _)| *other == room).map(|(_, rev)| *rev);
            (rev.unwrap_or(0), Change::Removed(room, rev))
        }));
        match missed {
            Missed::Notifications(found) => changes.extend(
                found.into_iter().map(|(rev, notification)| (rev, Change::Notification(notification.into()))),
            ),
            Missed::TooMany => changes.push((head, Change::Resync)),
        }
        changes.sort_by_key(|(rev, _)| *rev);
        for (rev, change) in changes {
            match change {
                Change::Added(room) => self.apply_room(*room, Some(rev)),
                Change::Removed(room, rev) => self.leave(room, rev),
                Change::Notification(_) if self.sent_early.contains(&rev) => {}
                Change::Notification(notification) => {
                    self.push(&NotificationFrame::Notification { notification, rev: Some(rev) });
                }
                Change::Resync => self.push(&NotificationFrame::Resync { rev: head }),
            }
        }
        self.advance_to(head);
        for reading in readings {
            let Some(counter) = self.rooms.get_mut(&reading.room) else { continue };
            let was_read = counter.read();
            counter.update(&reading);
            let has_read = counter.read() > was_read;
            if has_read {
                self.push_read(reading.room, head);
            } else {
                self.notify_unread(reading.room);
            }
        }
        Ok(())
    }

    fn advance_to(&mut self, rev: i64) {
        self.rev = self.rev.max(rev);
        self.sent_early = self.sent_early.split_off(&(self.rev + 1));
    }

    /// Reads the user's state in this room, and the messages that were missed.
    async fn load_room(&mut self, conn: &mut Conn, room: RoomId) -> Result<LoadedRoom> {
        // Before the query, so that nothing is missed in between.
        self.inbox.watch(room);
        let user = self.socket.user();
        let reading = reads::position(conn, user.id, room).await?;
        let mut loaded = LoadedRoom { id: room, reading, view: None, missed: Vec::new() };
        let Some(reading) = &loaded.reading else { return Ok(loaded) };
        match self.rooms.get(&room) {
            None => loaded.view = rooms::view(conn, user.id, room).await?,
            Some(counter) => {
                if let Some((above, upto)) = counter.gap(reading) {
                    let limit = usize::try_from(NOTIFICATIONS_MAX).unwrap_or_default();
                    let spans = vec![derived::span(room, above, upto)];
                    let messages = derived::newest(conn, user.id, spans, limit, true).await?;
                    let mut found = derived::about(conn, user.id, &messages).await?;
                    found.retain(|found| !found.is_read);
                    found.sort_unstable_by_key(|found| found.key);
                    loaded.missed = notifications::present_numbered(conn, user, found).await?;
                }
            }
        }
        Ok(loaded)
    }

    /// Takes over the state of a room. `rev`: the number, in the user's stream, of the change that led to it.
    fn apply_room(&mut self, loaded: LoadedRoom, rev: Option<i64>) {
        let room = loaded.id;
        let Some(reading) = loaded.reading else { return self.leave(room, rev) };
        self.inbox.set_position(room, counters(&reading));
        for (mention, notification) in loaded.missed {
            self.push_message_notification(notification.into(), mention);
        }
        let mut has_read = false;
        if let Some(counter) = self.rooms.get_mut(&room) {
            let was_read = counter.read();
            counter.close_gap(&reading);
            has_read = counter.read() > was_read;
        } else {
            self.rooms.insert(room, UnreadCounter::new(&reading));
            if let Some(view) = loaded.view {
                let rev = rev.unwrap_or(reading.user_rev);
                self.push(&NotificationFrame::RoomAdded { room: view.into(), rev });
            }
        }
        match rev {
            Some(rev) if has_read => self.push_read(room, rev),
            Some(_) | None => self.notify_unread(room),
        }
    }

    /// Sends the room's unread count after the user has read messages on another device.
    fn push_read(&mut self, room: RoomId, rev: i64) {
        if let Some(counter) = self.rooms.get_mut(&room) {
            let unread = counter.set_notified();
            self.push_unread(room, unread, Some(rev));
        }
    }
}

/// A change of the user's stream to send.
enum Change {
    Added(Box<LoadedRoom>),
    Removed(RoomId, Option<i64>),
    Notification(Box<Notification>),
    Resync,
}
