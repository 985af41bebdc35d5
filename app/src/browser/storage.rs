//! Access to `localStorage`, where the browser has it.

use leptos::prelude::window;
use web_sys::Storage;

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

pub fn get(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Stores a text; an empty text removes the entry.
pub fn set(name: &str, text: &str) {
    let Some(storage) = storage() else { return };
    // Where the storage is full the draft is not kept; nothing else depends on it.
    let _ = if text.is_empty() { storage.remove_item(name) } else { storage.set_item(name, text) };
}

/// The entries whose names begin with `prefix`: the rest of the name, and the text.
pub fn with_prefix(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = storage() else { return Vec::new() };
    let names = (0..storage.length().unwrap_or_default()).filter_map(|index| storage.key(index).ok()?);
    names
        .filter_map(|name| Some((name.strip_prefix(prefix)?.to_owned(), storage.get_item(&name).ok()??)))
        .collect()
}
