//! Entry point of the wasm: hydrates the page.

// View types are deeply nested.
#![recursion_limit = "256"]

/// Called by the page once the wasm has loaded.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::hydrate();
}
