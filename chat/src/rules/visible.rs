//! What people see of a text: names must show something, and must not turn the text around them or pile up on it.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Marks on one letter that living languages write; more is a tower over the lines above.
const MARKS_MAX: usize = 4;

/// Letters and symbols of which nothing is drawn: Hangul fillers, an empty Braille cell.
const FILLERS: [char; 5] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}', '\u{2800}'];

/// Marks of which nothing is drawn: the grapheme joiner, vowels that Khmer does not write, variation selectors.
fn is_invisible_mark(c: char) -> bool {
    matches!(c, '\u{034F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Whether nothing of this character is drawn.
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

/// Whether nothing of a text is drawn.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// Whether a letter of a name may be taken for another name's, for nothing of it is drawn.
pub(crate) fn has_filler(text: &str) -> bool {
    text.chars().any(|c| FILLERS.contains(&c) || is_invisible_mark(c))
}

/// Whether a name has a character that changes how the text around it is shown: one that controls, turns the direction,
/// ends the line, or one more mark on a letter than any language writes. Joiners are good where they join: in Persian
/// and in the languages of India between letters, and in emoji.
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

/// Whether the joiner at this place stands between two characters that are drawn.
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
