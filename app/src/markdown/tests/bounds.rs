//! Neither work nor result is more than linear in the text.

use super::*;

/// The longest message.
const LONGEST: usize = chat::model::limits::CONTENT_MAX;
/// The steps of a rendering for each byte of its text, at most. Most texts take about twenty; each of the six levels of
/// quotes and lists takes some more.
const STEPS: usize = 160;
/// The bytes of HTML for each byte of text, at most.
const SIZE: usize = 30;

/// Renders `text` and sees that neither work nor result is more than linear.
fn assert_bounded(text: &str, names: &MentionNames, what: &str) {
    let (html, steps) = steps::count(|| render(text, names));
    assert!(steps <= STEPS * text.len(), "{what:?}: {steps} steps for {} bytes", text.len());
    assert!(html.len() <= SIZE * text.len(), "{what:?}: {} bytes for {}", html.len(), text.len());
}

#[test]
fn work_is_linear_for_every_piece_and_pair() {
    let cycled = |piece: &str, length| piece.chars().cycle().take(length).collect::<String>();
    let names = names();
    for (at, one) in PIECES.iter().enumerate() {
        assert_well_formed(&html(&cycled(one, LONGEST)), one);
        // The other way round is the same text but for its first piece.
        for other in &PIECES[at..] {
            let piece = format!("{one}{other}");
            assert_bounded(&cycled(&piece, LONGEST), &names, &piece);
            // Lines of it.
            assert_bounded(&cycled(&format!("{piece}\n"), LONGEST / 4), &names, &piece);
        }
    }
}

#[test]
fn work_is_linear_for_unclosed_pieces() {
    let half = LONGEST / 2;
    let names = names();
    for (begins, ends) in [
        ("[", "]"),
        ("(", ")"),
        ("[a](", ")"),
        ("[a](http://x", ")"),
        (" *a", "a_ "),
        (" **a", "a* "),
        (" _a", "a** "),
        ("http://a/(", ")"),
        ("http://a/", "."),
        ("`a", "``"),
        ("> ", "\n"),
        ("  - a\n", "\n"),
        ("    ", "- a\n"),
        ("```js\n", "a "),
        ("/*", "*/"),
        ("@", "a"),
    ] {
        let text: String = begins.chars().cycle().take(half).chain(ends.chars().cycle().take(half)).collect();
        assert_bounded(&text, &names, begins);
        assert_bounded(&format!("```js\n{text}"), &names, begins);
    }
}

#[test]
fn work_is_linear_for_growing_pieces() {
    let growing = |part: fn(usize) -> String| -> String {
        (1..)
            .map(part)
            .scan(0, |length, part| {
                *length += part.len();
                (*length <= LONGEST).then_some(part)
            })
            .collect()
    };
    let table = format!("{}\n{}\n{}", "|a".repeat(24), "|-".repeat(24), "|\n".repeat(LONGEST / 2 - 50));
    for text in [
        growing(|n| format!("{}a", "`".repeat(n))),
        growing(|n| format!("{}a ", "*".repeat(n))),
        growing(|n| format!("{}\n", "> ".repeat(n))),
        growing(|n| format!("{}- a\n", " ".repeat(n))),
        growing(|n| format!("```{}\n", "a".repeat(n))),
        growing(|n| format!("[{}](http://a", "[".repeat(n))),
        table,
    ] {
        assert_bounded(&text, &names(), &text[..60]);
    }
}

#[test]
fn mention_lookups_are_limited() {
    let names = |of: fn(usize) -> String| MentionNames::new("lin", (0..60).map(of));
    assert_bounded(&"@".repeat(LONGEST), &names(|n| format!("{}{n:02}", "@".repeat(148))), "@");
    let long = |n| format!("{}{n:02}", "é".repeat(148));
    let text = (0..60).map(|n| format!("@{}", long(n))).collect::<Vec<_>>().join(" ");
    assert_bounded(&text, &names(long), "@é");
}

#[test]
fn link_length_is_limited() {
    let address = format!("http://a/{}", "b".repeat(2_000 - "http://a/".len()));
    for text in [address.clone(), format!("[a]({address})")] {
        assert!(html(&text).contains(&format!("href=\"{address}\"")), "{text}");
    }
    for text in [format!("{address}b"), format!("[a]({address}b)")] {
        assert!(!html(&text).contains("href=\""), "{text}");
        assert!(html(&text).contains(&address), "{text}");
    }
}
