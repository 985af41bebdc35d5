//! A text area that is as tall as its text.

use web_sys::HtmlTextAreaElement;

/// Fits the height to the text, in browsers whose CSS does not do it by itself (`field-sizing`).
pub fn fit(area: &HtmlTextAreaElement) {
    if web_sys::css::supports_with_value("field-sizing", "content").unwrap_or(false) {
        return;
    }
    let style = area.style();
    // Fails only for properties that are none.
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", area.scroll_height()));
}
