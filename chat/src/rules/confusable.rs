//! Usernames that can be mistaken for others, by the rules of UTS 39.

use unicode_security::{MixedScript as _, RestrictionLevel, RestrictionLevelDetection as _};

use crate::fold;

/// Whether a username mixes scripts in a way that hides look-alikes, as 'pаypal' with a Cyrillic 'а'.
///
/// The limit is 'Moderately Restrictive': one script of any kind; Latin with Chinese, Japanese or Korean; or Latin with
/// one other script of today except Cyrillic and Greek, whose letters look like Latin ones. 'Highly Restrictive' would
/// also refuse Latin beside Arabic or Thai, which look like nothing in Latin.
pub(super) fn mixes_scripts(username: &str) -> bool {
    // Punctuation belongs to no script, and not all of what a username may have is in the identifier profile.
    let letters = username.chars().filter(|c| !c.is_ascii_punctuation());
    // Rare Chinese characters are none of the profile's either.
    let letters: String =
        letters.map(|c| if matches!(c, '\u{20000}'..='\u{3FFFF}') { '中' } else { c }).collect();
    let letters = letters.as_str();
    !letters.is_single_script() && !letters.check_restriction_level(RestrictionLevel::ModeratelyRestrictive)
}

/// Whether a new username with this key can be mistaken for one of those in `similar`, which have the same skeleton.
///
/// Two names of ASCII characters may look alike: everybody knows 'l' and '1'.
pub(crate) fn is_confusable(key: &str, similar: &[String]) -> bool {
    similar.iter().any(|other| other != key && !(key.is_ascii() && other.is_ascii()))
}

/// Whether a username that is not ASCII looks like this word.
pub(super) fn looks_like(key: &str, word: &str) -> bool {
    !key.is_ascii() && fold::skeleton(key) == fold::skeleton(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_are_written_together_may_be_mixed() {
        for good in [
            "bob",
            "bob_1@x+y.z-",
            "小明bob",
            "小明2",
            "ひらがなカタカナ漢字abc",
            "한국어漢字abc",
            "Привет",
            "Ünal",
            "Ωμέγα",
            "สมชาย_dev",
            "علي_ali",
            "अमर",
            "ꆈꌠ",
            "𠮷bob",
        ] {
            assert!(!mixes_scripts(good), "{good}");
        }
        for bad in ["pаypal", "аmу", "bοb", "小明боб", "ПриветABC", "かな한국", "ᏣᎳbob"]
        {
            assert!(mixes_scripts(bad), "{bad}");
        }
    }

    #[test]
    fn only_a_name_beyond_ascii_makes_two_names_confusable() {
        let similar = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert!(is_confusable("со", &similar(&["co"])));
        assert!(is_confusable("co", &similar(&["со"])));
        assert!(!is_confusable("l1", &similar(&["1l", "ll"])));
        assert!(!is_confusable("co", &similar(&[])));
        assert!(looks_like("аӏӏ", "all") && !looks_like("a11", "all"));
    }
}
