//! A word on the desk, outside of the page, where the reader allowed it. Asking for leave is `public/page.js`'s.

use std::cell::RefCell;

use chat::model::MessageId;
use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use super::document::go;

/// An alert about a message: where it leads, and which message it is.
type About = (String, MessageId, Notification);

thread_local! {
    /// The last alert of each room.
    static SHOWN: RefCell<Vec<About>> = const { RefCell::new(Vec::new()) };
}

/// Shows it, in the place of an older one for the same `path`, where a click leads. `message` is what it is about.
pub fn show(title: &str, words: &str, path: &str, message: Option<MessageId>) {
    // Asked first: a page without TLS has no such thing at all in some browsers.
    if !js_sys::Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
        || Notification::permission() != NotificationPermission::Granted
    {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(words);
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

/// Takes the alert about this message away: it says something else now, or nothing any more.
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
