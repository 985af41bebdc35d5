//! Visibility of text: names must be visible and must not affect the text around them.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// The most combining marks in a row. Living languages need no more; more of them cover the lines above.
const MARKS_MAX: usize = 4;

/// Invisible letters and symbols: Hangul fillers and the empty Braille cell.
const FILLERS: [char; 5] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}', '\u{2800}'];

/// Invisible marks: the grapheme joiner, inherent Khmer vowels, variation selectors.
fn is_invisible_mark(c: char) -> bool {
    matches!(c, '\u{034F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Whether the character is invisible.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || FILLERS.contains(&c)
        || is_invisible_mark(c)
        || matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        )
}

/// Whether the text has no visible character.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// Whether a name has an invisible letter or mark, so that it looks like another name.
pub(crate) fn has_filler(text: &str) -> bool {
    text.chars().any(|c| FILLERS.contains(&c) || is_invisible_mark(c))
}

/// Whether a name affects the text around it: by control or format characters (direction, line ends) or by too many
/// combining marks. Joiners are allowed between two visible characters, as in Persian, Indic scripts and emoji.
pub(crate) fn is_unruly(name: &str) -> bool {
    let chars = name.chars().collect::<Vec<_>>();
    let mut marks = 0;
    for (at, &c) in chars.iter().enumerate() {
        marks = if c.general_category_group() == GeneralCategoryGroup::Mark { marks + 1 } else { 0 };
        let is_bad = match c.general_category() {
            GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => true,
            GeneralCategory::Format => !(matches!(c, '\u{200C}' | '\u{200D}') && joins(&chars, at)),
            _ => marks > MARKS_MAX,
        };
        if is_bad {
            return true;
        }
    }
    false
}

/// Whether the joiner at this index is between two visible characters.
fn joins(chars: &[char], at: usize) -> bool {
    let is_drawn = |c: Option<&char>| {
        c.is_some_and(|&c| {
            let group = c.general_category_group();
            // A variation selector may end the emoji before.
            c == '\u{FE0F}'
                || (!is_invisible(c)
                    && matches!(
                        group,
                        GeneralCategoryGroup::Letter
                            | GeneralCategoryGroup::Mark
                            | GeneralCategoryGroup::Symbol
                    ))
        })
    };
    at > 0 && is_drawn(chars.get(at - 1)) && is_drawn(chars.get(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_drawn_is_blank() {
        for blank in [
            "",
            " ",
            "\t\n",
            "\u{200B}",
            "\u{3164}",
            "\u{2800}",
            "\u{AD}",
            "\u{202E}",
            "\u{FEFF}\u{2060}",
            "\u{FFA0}\u{115F}",
            "\u{FE0F}",
            "\u{E0041}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for seen in ["a", "聊", "🙂", "\u{200B}.", "ￚ", "é", "\u{3164}x"] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }

    #[test]
    fn what_turns_or_breaks_the_line_or_piles_up_is_unruly() {
        let tower = format!("a{}", "\u{301}".repeat(5));
        for bad in [
            "a\u{202E}b",
            "\u{2067}x\u{2069}",
            "a\u{200B}b",
            "a\u{AD}b",
            "a\u{2028}b",
            "a\0b",
            "a\nb",
            "\u{200D}a",
            "a\u{200D}",
            "a \u{200C}b",
            "x\u{FEFF}",
            &tower,
        ] {
            assert!(is_unruly(bad), "{bad:?}");
        }
        let four = format!("a{}b{}", "\u{301}".repeat(4), "\u{301}".repeat(4));
        for good in [
            "Tea 茶",
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "👩\u{200D}💻",
            "❤\u{FE0F}\u{200D}🔥",
            "עברית",
            "Ünal",
            "U\u{308}nal",
            &four,
        ] {
            assert!(!is_unruly(good), "{good:?}");
        }
    }

    #[test]
    fn fillers_are_letters_that_nobody_sees() {
        assert!(has_filler("bo\u{3164}b") && has_filler("bob\u{FE0F}") && !has_filler("bob"));
    }
}
