//! Notifications: listing, unread counts, marking as read.

use std::collections::BTreeSet;

use super::{Chat, limits::Cost, retried};
use crate::{
    error::{Error, Result},
    event::{UserChange, UserEvent},
    model::{
        Code, Notification, NotificationId, NotificationRef, NotificationType, Problem, ReadMark, RoomId,
        User,
        id::MAX_ID,
        limits::{NOTIFICATIONS_DEFAULT, NOTIFICATIONS_MAX},
    },
    store::{
        Conn,
        notifications::{self, NotificationRecord, SortKey, derived, individually_read, mentions, stored},
        reads, rooms, streams,
    },
};

/// Which notifications to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationQuery {
    /// Default 50; at most 200, larger values count as 200.
    pub limit: Option<i64>,
    /// Only those before this one.
    pub before_id: Option<i64>,
    /// Only unread ones.
    pub unread: bool,
}

/// Unread things that the rooms' unread counters do not include.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadAlerts {
    /// Rooms with an unread mention of the user.
    pub mentioned: Vec<RoomId>,
    /// Number of unread invitations and system notifications.
    pub notices: i64,
}

impl Chat {
    /// The user's notifications, newest first. Those of messages are derived, so the cost depends on the number of
    /// the user's rooms and on `limit`, not on the number of messages.
    ///
    /// # Errors
    /// `invalid`; `not_found` if `before_id` is not one of the user's.
    pub async fn notifications(&self, user: &User, query: NotificationQuery) -> Result<Vec<Notification>> {
        self.list(user, query, false).await
    }

    /// Those that are meant for the user alone, newest first: mentions, replies, invitations and system notifications.
    ///
    /// # Errors
    /// As [`Self::notifications`].
    pub async fn personal_notifications(
        &self,
        user: &User,
        before_id: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Notification>> {
        self.list(user, NotificationQuery { limit: Some(limit), before_id, unread: false }, true).await
    }

    async fn list(
        &self,
        user: &User,
        query: NotificationQuery,
        is_personal: bool,
    ) -> Result<Vec<Notification>> {
        let limit = query.limit.unwrap_or(NOTIFICATIONS_DEFAULT);
        if limit < 1 {
            return Err(Error::invalid("limit", Problem::OutOfRange { min: 1, max: NOTIFICATIONS_MAX }));
        }
        let limit = usize::try_from(limit.min(NOTIFICATIONS_MAX)).unwrap_or_default();
        let mut conn = self.store().read().await?;
        let cursor = match query.before_id {
            None => None,
            Some(id) => Some(cursor(&mut conn, user, id).await?),
        };
        let messages = if is_personal {
            mentions::newest(&mut conn, user.id, cursor, limit).await?
        } else {
            let spans = derived::spans(&mut conn, user.id, query.unread, cursor).await?;
            derived::newest(&mut conn, user.id, spans, limit, query.unread).await?
        };
        let mut found = derived::about(&mut conn, user.id, &messages).await?;
        found.extend(stored::newest(&mut conn, user.id, cursor, limit, query.unread).await?);
        found.sort_unstable_by_key(|found| std::cmp::Reverse(found.key));
        found.truncate(limit);

        present(&mut conn, user, found).await
    }

    /// The number of the user's unread notifications.
    ///
    /// # Errors
    /// A failing database.
    pub async fn unread_notifications(&self, user: &User) -> Result<i64> {
        let mut conn = self.store().read().await?;
        let messages = derived::unread_count(&mut conn, user.id).await?;
        Ok(messages + stored::unread_count(&mut conn, user.id).await?)
    }

    /// The user's unread mentions and system notifications.
    ///
    /// # Errors
    /// A failing database.
    pub async fn unread_alerts(&self, user: &User) -> Result<UnreadAlerts> {
        let mut conn = self.store().read().await?;
        Ok(UnreadAlerts {
            mentioned: mentions::unread_in(&mut conn, user.id).await?,
            notices: stored::unread_count(&mut conn, user.id).await?,
        })
    }

    /// Marks one notification as read. The message stays unread in its room, and so do earlier notifications.
    ///
    /// # Errors
    /// `not_found`, also for another user's; [`Error::Throttled`].
    pub async fn mark_notification_read(&self, user: &User, id: NotificationId) -> Result<()> {
        self.limits().charge(user.id, Cost::ReadMark)?;
        let mut tx = self.store().write().await?;
        let found = find(&mut tx, user, id).await?.ok_or(Code::NotFound)?;
        if found.is_read {
            return Ok(());
        }
        match (id.to_ref(), found.message) {
            (Some(NotificationRef::Message(_)), Some(message)) => {
                let (kind, now) = (NotificationType::Message, self.clock().now());
                notifications::insert(&mut tx, user.id, kind, found.room, Some(message.id), "", "", now)
                    .await?;
            }
            (Some(NotificationRef::Row(row)), _) => stored::mark_read(&mut tx, user.id, row).await?,
            (Some(NotificationRef::Message(_)), None) | (None, _) => return Err(Code::NotFound.into()),
        }
        tx.commit().await?;
        Ok(())
    }

    /// Marks all of the user's notifications, and so all messages in their rooms, as read.
    ///
    /// # Errors
    /// [`Error::Throttled`]; a failing database.
    pub async fn mark_all_notifications_read(&self, user: &User) -> Result<()> {
        self.limits().charge(user.id, Cost::ReadMark)?;
        let read_at = self.clock().now();
        let (moved, rev) = retried(|| async {
            let mut tx = self.store().write().await?;
            let moved = reads::advance_all(&mut tx, user.id, read_at).await?;
            individually_read::clear_all(&mut tx, user.id).await?;
            stored::mark_all_read(&mut tx, user.id).await?;
            let rev = streams::advance_one(&mut tx, user.id).await?;
            tx.commit().await?;
            Ok((moved, rev))
        })
        .await?;
        self.hub().publish_user(user.id, UserEvent { rev: Some(rev), change: UserChange::Unknown });
        for (room, message_id) in moved {
            self.hub().publish_read(room, ReadMark { message_id, user: user.clone(), read_at });
        }
        Ok(())
    }
}

/// Notifications for the API, each with its room as `user` sees it.
async fn present(conn: &mut Conn, user: &User, found: Vec<NotificationRecord>) -> Result<Vec<Notification>> {
    let numbered = present_numbered(conn, user, found).await?;
    Ok(numbered.into_iter().map(|(_, notification)| notification).collect())
}

/// As [`present`], each with its number in the user's stream; 0 for a plain message.
pub(super) async fn present_numbered(
    conn: &mut Conn,
    user: &User,
    found: Vec<NotificationRecord>,
) -> Result<Vec<(i64, Notification)>> {
    let of: BTreeSet<RoomId> = found.iter().map(|found| found.room).collect();
    let of: Vec<RoomId> = of.into_iter().collect();
    let rooms = rooms::views(conn, user.id, &of).await?;
    let shown = found.into_iter().filter_map(|found| {
        let room = rooms.get(&found.room)?.clone();
        let notification = Notification {
            id: found.key.1,
            notification_type: found.kind,
            reason: found.reason,
            title: found.title,
            content: found.content,
            room,
            message: found.message,
            is_read: found.is_read,
            created_at: found.key.0,
        };
        Some((found.rev, notification))
    });
    Ok(shown.collect())
}

async fn cursor(conn: &mut Conn, user: &User, id: i64) -> Result<SortKey> {
    let checked = NotificationId::checked(id);
    let id = checked.ok_or(Error::invalid("before_id", Problem::OutOfRange { min: 1, max: MAX_ID }))?;
    Ok(find(conn, user, id).await?.ok_or(Code::NotFound)?.key)
}

async fn find(conn: &mut Conn, user: &User, id: NotificationId) -> Result<Option<NotificationRecord>> {
    Ok(match id.to_ref() {
        Some(NotificationRef::Message(message)) => derived::about(conn, user.id, &[message]).await?.pop(),
        Some(NotificationRef::Row(row)) => stored::find(conn, user.id, row).await?,
        None => None,
    })
}
