//! Text with its links made links. Everything else is shown as it was written.

use leptos::{either::Either, prelude::*};

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Words(&'a str),
    Link(&'a str),
}

/// Splits out what begins with `http://` or `https://`, up to white space, Chinese text or closing punctuation.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut searched = 0;
    while let Some(found) = rest[searched..].find("http") {
        let start = searched + found;
        let link = link_at(&rest[start..]);
        if link.is_empty() {
            searched = start + "http".len();
            continue;
        }
        if start > 0 {
            pieces.push(Piece::Words(&rest[..start]));
        }
        pieces.push(Piece::Link(link));
        rest = &rest[start + link.len()..];
        searched = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    pieces
}

/// The link that `text` begins with; empty when it begins with none.
fn link_at(text: &str) -> &str {
    let scheme = if text.starts_with("https://") { "https://".len() } else { "http://".len() };
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return "";
    }
    let end = text.find(ends_link).unwrap_or(text.len());
    let link = text[..end].trim_end_matches(['.', ',', ';', '!', '?', ')', ']']);
    if link.len() > scheme { link } else { "" }
}

fn ends_link(letter: char) -> bool {
    letter.is_whitespace()
        || "<>\"'`，。；：！？、（）《》「」".contains(letter)
        || ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

/// See the module.
#[component]
pub fn Prose(
    /// The text.
    text: String,
) -> impl IntoView {
    pieces(&text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Words(words) => Either::Left(words.to_owned()),
            Piece::Link(link) => {
                let (address, link) = (link.to_owned(), link.to_owned());
                Either::Right(view! {
                    <a href=address target="_blank" rel="noopener noreferrer nofollow">
                        {link}
                    </a>
                })
            }
        })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::{Piece::*, *};

    #[test]
    fn links_end_where_people_would_end_them() {
        assert_eq!(
            pieces("看 https://example.com/a?b=1，然后 (http://x.org)."),
            [
                Words("看 "),
                Link("https://example.com/a?b=1"),
                Words("，然后 ("),
                Link("http://x.org"),
                Words(").")
            ]
        );
        assert_eq!(pieces("https://例子"), [Words("https://例子")]);
    }

    #[test]
    fn what_only_looks_like_a_link_is_text() {
        for text in ["javascript:alert(1)", "http", "http://", "https:// x", "xhttps", ""] {
            assert!(pieces(text).iter().all(|piece| matches!(piece, Words(_))), "{text}");
        }
    }
}
