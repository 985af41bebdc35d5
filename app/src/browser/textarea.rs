//! Helpers for text areas.

use web_sys::{Event, HtmlTextAreaElement};

/// Dispatches an `input` event, as typing does, after a script has changed the text.
pub fn dispatch_input(area: &HtmlTextAreaElement) {
    if let Ok(event) = Event::new("input") {
        let _ = area.dispatch_event(&event);
    }
}

/// Fits the height to the text, in browsers without `field-sizing`.
pub fn fit_height(area: &HtmlTextAreaElement) {
    if web_sys::css::supports_with_value("field-sizing", "content").unwrap_or(false) {
        return;
    }
    let style = area.style();
    // Fails only for invalid properties.
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", area.scroll_height()));
}
