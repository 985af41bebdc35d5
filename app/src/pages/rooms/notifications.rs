//! Desktop notifications and the favicon.

use leptos::prelude::*;

use super::RoomsContext;
use crate::{
    browser::{desktop_notification, document},
    i18n::t,
    live::{
        PageStatus,
        notification_frames::{NewNotification, NotificationFrame},
        store::Store,
    },
    server::rooms::room_path,
    state::rooms::Rooms,
};

/// Provides the store, and tells the user of new notifications while the page is not visible.
pub(super) fn provide_store(RoomsContext(rooms): RoomsContext, status: PageStatus) -> Store {
    let invited = t!(rooms.invited);
    let on_notification = move |frame| match &frame {
        NotificationFrame::New(notification) if !document::is_visible() => {
            show_desktop_notification(notification, invited);
        }
        NotificationFrame::LastMessage { message, .. } => desktop_notification::close(message.id),
        _ => {}
    };
    let store = Store::new(rooms, status, Callback::new(on_notification));
    provide_context(store);
    let has_unread = Memo::new(move |_| rooms.with(Rooms::unread) > 0);
    Effect::new(move |_| document::mark_icon(has_unread.get()));
    store
}

/// One for each room at a time.
fn show_desktop_notification(notification: &NewNotification, invited: &str) {
    let room = &notification.room;
    let message = notification.message.as_ref();
    let text = match (notification.sender(), message) {
        (Some(sender), Some(message)) => format!("{sender}: {}", message.content),
        _ => invited.to_owned(),
    };
    desktop_notification::show(&room.name, &text, &room_path(room.id), message.map(|message| message.id));
}
