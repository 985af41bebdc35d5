//! A text area that is as tall as its text.

use web_sys::{Event, HtmlTextAreaElement};

/// Tells whoever listens that the text is another, as typing does by itself.
pub fn dispatch_input(area: &HtmlTextAreaElement) {
    if let Ok(event) = Event::new("input") {
        let _ = area.dispatch_event(&event);
    }
}

/// Fits the height to the text, in browsers whose CSS does not do it by itself (`field-sizing`).
pub fn fit_height(area: &HtmlTextAreaElement) {
    if web_sys::css::supports_with_value("field-sizing", "content").unwrap_or(false) {
        return;
    }
    let style = area.style();
    // Fails only for properties that are none.
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", area.scroll_height()));
}
