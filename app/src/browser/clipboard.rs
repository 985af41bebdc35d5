//! Copies to the clipboard.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Copies a text. The future yields whether it was copied. `None` where the browser offers no clipboard, for example on a
/// page without TLS.
pub fn copy(text: &str) -> Option<impl Future<Output = bool> + use<>> {
    let navigator = window().navigator();
    js_sys::Reflect::get(&navigator, &"clipboard".into()).ok().filter(JsValue::is_object)?;
    let writing = navigator.clipboard().write_text(text);
    Some(async move { JsFuture::from(writing).await.is_ok() })
}

/// Copies a link to `path` on this server, as [`copy`] does.
pub fn copy_link(path: &str) -> Option<impl Future<Output = bool> + use<>> {
    let origin = window().location().origin().ok()?;
    copy(&format!("{origin}{path}"))
}
