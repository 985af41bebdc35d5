//! Desktop notifications, shown where the user has granted permission. `public/page.js` asks for the permission.

use std::cell::RefCell;

use chat::model::MessageId;
use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use super::document::go;

/// The room's path, the message and the open notification.
type About = (String, MessageId, Notification);

thread_local! {
    /// The last notification of each room.
    static SHOWN: RefCell<Vec<About>> = const { RefCell::new(Vec::new()) };
}

/// Shows a notification that opens `path` on click. It replaces an earlier one with the same `path`.
pub fn show(title: &str, body: &str, path: &str, message: Option<MessageId>) {
    // Some browsers do not define `Notification` on pages without TLS.
    if !js_sys::Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
        || Notification::permission() != NotificationPermission::Granted
    {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(body);
    options.set_tag(path);
    options.set_icon("/icon-192.png");
    let Ok(shown) = Notification::new_with_options(title, &options) else { return };
    let (notification, target) = (shown.clone(), path.to_owned());
    let clicked = Closure::once_into_js(move || {
        notification.close();
        let _ = window().focus();
        go(&target);
    });
    shown.set_onclick(Some(clicked.unchecked_ref()));
    SHOWN.with_borrow_mut(|all| {
        all.retain(|(other, ..)| other != path);
        all.extend(message.map(|message| (path.to_owned(), message, shown)));
    });
}

/// Closes the notification of this message, which was edited or deleted.
pub fn close(message: MessageId) {
    SHOWN.with_borrow_mut(|all| {
        all.retain(|(_, about, notification)| {
            if *about == message {
                notification.close();
            }
            *about != message
        });
    });
}
