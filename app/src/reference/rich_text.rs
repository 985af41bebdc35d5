//! Text of the reference: paragraphs, lists and code spans. Other markup is shown as it is.

use leptos::{either::Either, prelude::*};

/// Paragraphs, and lists of lines that begin with a dash.
#[component]
pub(super) fn RichText(
    /// Paragraphs are separated by empty lines.
    text: String,
) -> impl IntoView {
    text.split("\n\n")
        .filter(|block| !block.trim().is_empty())
        .map(|block| {
            let items = block.split('\n').map(|line| line.strip_prefix("- ")).collect::<Option<Vec<_>>>();
            match items.filter(|items| items.iter().any(|item| !item.is_empty())) {
                Some(items) => {
                    let items = items.into_iter().map(|item| view! { <li>{line(item)}</li> }).collect_view();
                    Either::Left(view! { <ul class="bullets">{items}</ul> })
                }
                None => Either::Right(view! { <p>{line(block)}</p> }),
            }
        })
        .collect_view()
        .into_any()
}

/// A line with code spans.
pub(super) fn line(text: &str) -> impl IntoView + use<> {
    text.split('`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(index, piece)| {
            let piece = piece.to_owned();
            if index % 2 == 1 { Either::Left(view! { <code>{piece}</code> }) } else { Either::Right(piece) }
        })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rich_text_has_paragraphs_lists_and_code_only() {
        let text = "Send `<access>` & wait.\n\n- one `1`\n- two";
        let html = Owner::new().with(|| view! { <RichText text=text.to_owned()/> }.to_html());
        let html = html.replace("<!>", "").replace("<!--<() />-->", "");
        assert!(html.contains("<p>Send <code>&lt;access&gt;</code> &amp; wait.</p>"), "{html}");
        assert!(html.contains("<li>one <code>1</code></li><li>two</li>"), "{html}");
    }
}
