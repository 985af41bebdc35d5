//! Messages of nothing but a few emoji, which are shown large.

/// Maximum number of emoji that are shown large.
const FEW: usize = 3;
/// No message of [`FEW`] emoji is longer, in bytes: a family of four or a flag of tags has up to 28.
const BYTES_MAX: usize = 100;

/// Whether `text` has one to three emoji, and nothing else.
pub fn is_few_emoji(text: &str) -> bool {
    if text.len() > BYTES_MAX {
        return false;
    }
    let (mut count, mut is_joined, mut halves) = (0, false, 0);
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        match letter {
            // Joiner: the next one belongs to the same emoji.
            '\u{200d}' => is_joined = true,
            // Presentation, key cap, skin tones, tags of a flag.
            '\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' if count > 0 => {}
            // Two letters are a flag.
            '\u{1f1e6}'..='\u{1f1ff}' => {
                halves += 1;
                count += halves % 2;
            }
            '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}' | '\u{1f000}'..='\u{1faff}' => {
                count += usize::from(!is_joined);
                is_joined = false;
            }
            _ => return false,
        }
    }
    (1..=FEW).contains(&count)
}

#[cfg(test)]
mod tests {
    use super::is_few_emoji;

    #[test]
    fn few_emoji_are_told_from_text() {
        for text in ["👍", "🎉🎉 🎉", "❤️", "👩‍👩‍👧‍👦", "👋🏽", "🇨🇳", "☕\n"]
        {
            assert!(is_few_emoji(text), "{text}");
        }
        for text in ["", " ", "👍 ok", "🎉🎉🎉🎉", "1️⃣", "a", "。", "\u{200d}", "\u{fe0f}", "🇨🇳🇨🇳🇨🇳🇨🇳"]
        {
            assert!(!is_few_emoji(text), "{text}");
        }
        assert!(!is_few_emoji(&"👍".repeat(10_000)));
    }
}
