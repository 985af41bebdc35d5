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
pub use handler::{NotificationList, notification_list};

#[cfg(feature = "ssr")]
mod handler {
    use chat::{
        model::{Notification, NotificationId},
        service::notifications::NotificationQuery,
    };

    use crate::{
        error::AppError,
        server::{
            identity::{context, require_user},
            request,
        },
    };

    const PAGE: i64 = 40;

    pub struct NotificationList {
        /// The newest first.
        pub notifications: Vec<Notification>,
        /// Total number of unread notifications.
        pub unread: i64,
        /// `before` of the next page; `None` on the last one.
        pub next: Option<NotificationId>,
    }

    /// The notifications before `before`, or the newest; all of them or the unread ones.
    pub async fn notification_list(before: Option<i64>, unread: bool) -> Result<NotificationList, AppError> {
        page(before, unread).await.inspect_err(|error| request::set_status(error.0.code))
    }

    async fn page(before: Option<i64>, unread: bool) -> Result<NotificationList, AppError> {
        let (me, chat) = (require_user().await?, context()?.chat);
        // One more than shown tells whether there is another page.
        let query = NotificationQuery { limit: Some(PAGE + 1), before_id: before, unread };
        let mut notifications = chat.notifications(&me, query).await?;
        let shown = usize::try_from(PAGE).unwrap_or_default();
        let has_more = notifications.len() > shown;
        notifications.truncate(shown);
        let next = notifications.last().filter(|_| has_more).map(|last| last.id);
        Ok(NotificationList { notifications, unread: chat.unread_notifications(&me).await?, next })
    }

    pub(super) async fn mark(id: NotificationId) -> Result<(), AppError> {
        Ok(context()?.chat.mark_notification_read(&require_user().await?, id).await?)
    }

    pub(super) async fn mark_all() -> Result<(), AppError> {
        Ok(context()?.chat.mark_all_notifications_read(&require_user().await?).await?)
    }
}
