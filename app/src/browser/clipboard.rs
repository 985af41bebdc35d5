//! Copies links to the clipboard.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Copies a link to `path` on this server. The future yields whether it was copied. `None` where the browser offers
/// no clipboard, for example on a page without TLS.
pub fn copy_link(path: &str) -> Option<impl Future<Output = bool> + 'static> {
    let navigator = window().navigator();
    js_sys::Reflect::get(&navigator, &"clipboard".into()).ok().filter(JsValue::is_object)?;
    let origin = window().location().origin().ok()?;
    let writing = navigator.clipboard().write_text(&format!("{origin}{path}"));
    Some(async move { JsFuture::from(writing).await.is_ok() })
}
