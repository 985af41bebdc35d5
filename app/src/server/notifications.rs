//! Notifications: list them and mark them as read.

use chat::model::NotificationId;
use leptos::prelude::*;

use crate::error::AppError;

#[server(prefix = "/ui", endpoint = "mark_notification_read")]
pub async fn mark_notification_read(notification: NotificationId) -> Result<(), AppError> {
    let result = handler::mark(notification).await.map(|()| PATH.to_owned());
    super::forms::answer(result, super::forms::Form::Notifications, PATH, [])
}

/// Marks all notifications as read, and all messages in the user's rooms.
#[server(prefix = "/ui", endpoint = "mark_all_notifications_read")]
pub async fn mark_all_notifications_read() -> Result<(), AppError> {
    let result = handler::mark_all().await.map(|()| PATH.to_owned());
    super::forms::answer(result, super::forms::Form::Notifications, PATH, [])
}

#[cfg(feature = "ssr")]
pub const PATH: &str = "/notifications";

#[cfg(feature = "ssr")]
pub use handler::{Overview, overview};

#[cfg(feature = "ssr")]
mod handler {
    use chat::model::{Notification, NotificationId, Room};

    use crate::{
        error::AppError,
        server::{
            identity::{context, require_user},
            request,
            rooms::list_rooms,
        },
        state::rooms::Rooms,
    };

    const PAGE: i64 = 40;

    /// What the page of notifications shows.
    pub struct Overview {
        /// Mentions, replies, invitations and system notifications, the newest first.
        pub personal: Vec<Notification>,
        /// `before` of the next page; `None` on the last one.
        pub next: Option<NotificationId>,
        /// What the bell counts: rooms with an unread mention or reply, invitations and system notifications.
        pub unread: i64,
        /// The rooms with unread messages, those with the latest first.
        pub rooms: Vec<Room>,
    }

    /// The notifications before `before`, or the newest. Without them where only the rooms are shown.
    pub async fn overview(before: Option<i64>, shows_rooms: bool) -> Result<Overview, AppError> {
        read(before, shows_rooms).await.inspect_err(|error| request::set_status(error.0.code))
    }

    async fn read(before: Option<i64>, shows_rooms: bool) -> Result<Overview, AppError> {
        let (me, chat) = (require_user().await?, context()?.chat);
        let mut personal = Vec::new();
        if !shows_rooms {
            // One more than shown tells whether there is another page.
            personal = chat.personal_notifications(&me, before, PAGE + 1).await?;
        }
        let shown = usize::try_from(PAGE).unwrap_or_default();
        let has_more = personal.len() > shown;
        personal.truncate(shown);
        let next = personal.last().filter(|_| has_more).map(|last| last.id);
        let Rooms { list, mentioned, notices, .. } = list_rooms().await?;
        let unread = notices + i64::try_from(mentioned.len()).unwrap_or(i64::MAX);
        let rooms = list.into_iter().filter(|room| room.unread_count > 0).collect();
        Ok(Overview { personal, next, unread, rooms })
    }

    pub(super) async fn mark(id: NotificationId) -> Result<(), AppError> {
        Ok(context()?.chat.mark_notification_read(&require_user().await?, id).await?)
    }

    pub(super) async fn mark_all() -> Result<(), AppError> {
        Ok(context()?.chat.mark_all_notifications_read(&require_user().await?).await?)
    }
}
