//! The forms in which names are compared and searched.
//!
//! Databases differ in how they compare text, so it is folded here, when it is written and when it is searched for,
//! and a database compares code points. The store calls this wherever it writes a name.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;

/// Maximum length of a key that is indexed, in characters. MySQL indexes at most 3,072 bytes.
pub const KEY_MAX: usize = 700;

/// Maximum length of a text that is searched, in characters: more than any name folds to, except names made of
/// ligatures of many letters. Those are found by their beginning.
const SEARCH_MAX: usize = 2_000;

/// Folds compatibility forms and case: 'ＢＯＢ' and 'bob' are equal, 'Straße' and 'STRASSE' too.
///
/// NFKC, full case folding, and NFKC again, since folding may undo the normal form.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let normalized: String = text.nfkc().collect();
    UniCase::unicode(normalized).to_folded_case().nfkc().collect()
}

/// The form of a username that is equal for usernames that look alike: the skeleton of UTS 39.
pub fn skeleton(username: &str) -> String {
    unicode_security::skeleton(&fold(username)).take(KEY_MAX).collect()
}

/// The text in which a user is searched for: the username, and the names in both orders.
pub(crate) fn user_search(username: &str, first_name: &str, last_name: &str) -> String {
    search(&format!("{username} {last_name}{first_name} {last_name}"))
}

/// The text in which a room is searched for.
pub(crate) fn room_search(name: &str) -> String {
    search(name)
}

fn search(text: &str) -> String {
    let mut folded = fold(text);
    if let Some((end, _)) = folded.char_indices().nth(SEARCH_MAX) {
        folded.truncate(end);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_text_fold_to_the_same() {
        for (folded, spellings) in [
            ("bob", ["Bob", "ＢＯＢ", "𝐛𝐨𝐛"]),
            ("ünal", ["Ünal", "U\u{308}NAL", "Ｕ\u{308}ｎａｌ"]),
            ("strasse", ["Straße", "STRASSE", "STRAẞE"]),
            ("όσος", ["ΌΣΟΣ", "όσος", "όσοσ"]),
            ("привет", ["Привет", "ПРИВЕТ", "привет"]),
            ("カタカナ", ["ｶﾀｶﾅ", "カタカナ", "カタカナ"]),
            ("가", ["\u{1100}\u{1161}", "가", "가"]),
        ] {
            for spelling in spellings {
                assert_eq!(fold(spelling), fold(folded), "{spelling}");
            }
        }
        assert_eq!(fold("Straße ΌΣΟΣ İ"), "strasse όσοσ i\u{307}");
        assert_ne!(fold("ı"), fold("i"), "a letter of its own");
    }

    #[test]
    fn look_alikes_have_one_skeleton() {
        assert_eq!(skeleton("Amy"), skeleton("аmу"));
        assert_eq!(skeleton("ｐaypal"), skeleton("раураӏ"));
        assert_ne!(skeleton("小明"), skeleton("小朋"));
    }

    #[test]
    fn forms_are_bounded() {
        assert_eq!(room_search(&"ﷺ".repeat(150)).chars().count(), SEARCH_MAX);
        assert!(skeleton(&"ﷺ".repeat(150)).chars().count() <= KEY_MAX);
        assert_eq!(user_search("Mei", "小美", "陈"), "mei 陈小美 陈");
    }
}
