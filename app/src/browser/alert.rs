//! A word on the desk, outside of the page, where the reader allowed it. Asking for leave is `public/page.js`'s.

use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use super::document::go;

/// Shows it, in the place of an older one for the same `path`, where a click leads.
pub fn show(title: &str, words: &str, path: &str) {
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
    let (notification, path) = (shown.clone(), path.to_owned());
    let clicked = Closure::once_into_js(move || {
        notification.close();
        let _ = window().focus();
        go(&path);
    });
    shown.set_onclick(Some(clicked.unchecked_ref()));
}
