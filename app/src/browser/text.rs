//! Text as the browser folds it.

use js_sys::JsString;

/// Folds compatibility forms and case as `chat::fold` does, whose tables would be a tenth of the wasm. It differs for a
/// few letters, as the Greek ones with a iota below, which then are not highlighted in a mention.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    String::from(JsString::from(text).normalize("NFKC").to_lower_case()).replace('ß', "ss").replace('ς', "σ")
}
