//! Applies notification frames: updates the list of rooms and the favicon, and shows desktop notifications.

use chat::model::{Notification, RoomId};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;

use super::{RoomsContext, room_id_in_path};
use crate::{
    browser::{desktop_notification, document},
    i18n::t,
    live::{
        notification_frames::{self, LastMessageUpdate, NotificationFrame, UnreadCount},
        notification_socket,
    },
    server::rooms::{is_in, list_rooms, room_path},
    state::rooms::Rooms,
};

/// Keeps the list of rooms up to date as long as the page is open.
pub(super) fn listen(context: RoomsContext) {
    let RoomsContext(rooms) = context;
    let pathname = use_location().pathname;
    let invited = t!(rooms.invited);
    notification_socket::listen(move |frame| match &frame {
        // Missed notifications are not sent again.
        NotificationFrame::Established => spawn_local(async move {
            if let Ok(list) = list_rooms().await {
                // The page may have been closed meanwhile.
                let _ = rooms.try_set(list);
            }
        }),
        NotificationFrame::New(_) | NotificationFrame::Unread(_) | NotificationFrame::LastMessage(_) => {
            remove_if_left(&frame, rooms, room_id_in_path(&pathname.get_untracked()));
            let current = room_id_in_path(&pathname.get_untracked()).filter(|_| document::is_visible());
            rooms.update(|rooms| notification_frames::apply(&frame, rooms, current));
            match &frame {
                NotificationFrame::New(notification) if !document::is_visible() => {
                    show_desktop_notification(notification, invited);
                }
                NotificationFrame::LastMessage(LastMessageUpdate { message, .. }) => {
                    desktop_notification::close(message.id);
                }
                NotificationFrame::New(_)
                | NotificationFrame::Unread(_)
                | NotificationFrame::Established
                | NotificationFrame::Other => {}
            }
        }
        NotificationFrame::Other => {}
    });
    let has_unread = Memo::new(move |_| rooms.with(Rooms::unread) > 0);
    Effect::new(move |_| document::mark_icon(has_unread.get()));
}

/// An unread count of 0 means that the room was read elsewhere or that the user is no longer a member; the frame does
/// not tell which, so the server is asked. For the open room (`current`) its own socket tells.
fn remove_if_left(frame: &NotificationFrame, rooms: RwSignal<Rooms>, current: Option<RoomId>) {
    let NotificationFrame::Unread(UnreadCount { room_id, unread_count: 0 }) = *frame else { return };
    if current == Some(room_id) || rooms.with_untracked(|rooms| rooms.find(room_id).is_none()) {
        return;
    }
    spawn_local(async move {
        if let Ok(false) = is_in(room_id).await {
            // The page may have been closed meanwhile.
            let _ = rooms.try_update(|rooms| rooms.remove(room_id));
        }
    });
}

/// One for each room at a time.
fn show_desktop_notification(notification: &Notification, invited: &str) {
    let room = &notification.room;
    let message = notification.message.as_ref();
    let text = match (notification.sender(), message) {
        (Some(sender), Some(message)) => format!("{sender}: {}", message.content),
        _ => invited.to_owned(),
    };
    desktop_notification::show(&room.name, &text, &room_path(room.id), message.map(|message| message.id));
}
