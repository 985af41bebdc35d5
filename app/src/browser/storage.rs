//! What this browser keeps for later, where it keeps anything.

use leptos::prelude::window;
use web_sys::Storage;

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// What is kept under this name.
pub fn get(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Keeps a text under this name; an empty one is forgotten.
pub fn set(name: &str, text: &str) {
    let Some(storage) = storage() else { return };
    // A browser that is full keeps no more drafts; nothing else depends on it.
    let _ = if text.is_empty() { storage.remove_item(name) } else { storage.set_item(name, text) };
}
