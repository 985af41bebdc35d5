//! Applies notification frames: updates the list of rooms and the favicon, and shows desktop notifications.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;

use super::{RoomsContext, room_id_in_path};
use crate::{
    browser::{desktop_notification, document},
    i18n::t,
    live::{
        notification_frames::{self, NewNotification, NotificationFrame},
        notification_socket,
    },
    server::rooms::{list_rooms, room_path},
    state::rooms::Rooms,
};

/// Keeps the list of rooms up to date as long as the page is open.
pub(super) fn listen(context: RoomsContext) {
    let RoomsContext(rooms) = context;
    let pathname = use_location().pathname;
    let invited = t!(rooms.invited);
    notification_socket::listen(move |frame| match &frame {
        NotificationFrame::Reload => spawn_local(async move {
            if let Ok(list) = list_rooms().await {
                // The page may have been closed meanwhile.
                let _ = rooms.try_update(|rooms| rooms.replace(list));
            }
        }),
        NotificationFrame::Other => {}
        _ => {
            let current = room_id_in_path(&pathname.get_untracked()).filter(|_| document::is_visible());
            rooms.update(|rooms| notification_frames::apply(&frame, rooms, current));
            match &frame {
                NotificationFrame::New(notification) if !document::is_visible() => {
                    show_desktop_notification(notification, invited);
                }
                NotificationFrame::LastMessage { message, .. } => {
                    desktop_notification::close(message.id);
                }
                _ => {}
            }
        }
    });
    let has_unread = Memo::new(move |_| rooms.with(Rooms::unread) > 0);
    Effect::new(move |_| document::mark_icon(has_unread.get()));
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
