//! Writes links.

use super::escape;

/// Writes the opening tag of a link that opens in a new tab and does not pass on the page.
pub(super) fn open(address: &str, title: Option<&str>, html: &mut String) {
    html.push_str("<a href=\"");
    escape(address, html);
    if let Some(title) = title {
        html.push_str("\" title=\"");
        escape(title, html);
    }
    html.push_str("\" target=\"_blank\" rel=\"noopener nofollow ugc\">");
}
