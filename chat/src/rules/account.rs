//! Rules for usernames and passwords. They are Django's, so that accounts can be moved in both directions: its
//! username validator and its four password validators.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::{confusable, validate::Problems, visible};
use crate::{
    credential::Credential,
    error::Result,
    fold::{KEY_MAX, fold},
    model::{
        Code, Problem, User,
        limits::{PASSWORD_MAX, PASSWORD_MIN, PERSON_NAME_MAX, USERNAME_MAX},
    },
    store::users::Account,
};

/// The password of the account `developer` in a demo. No account can choose it.
pub const DEVELOPER_PASSWORD: &str = "developer123";

/// Common passwords in lower case, most frequent first: those of Django's list of twenty thousand (by Royce Williams)
/// that no other rule here rejects.
const COMMON: &str = include_str!("common_passwords.txt");

/// Usernames that address everybody in a mention, or that look like the system's own.
const RESERVED: [&str; 7] = ["all", "here", "everyone", "channel", "system", "admin", "所有人"];

/// Maximum similarity of a password to a name, from 0 (nothing in common) to 1.
const ALIKE: f64 = 0.7;

/// Maximum bytes of a username, at four per character. Checked first, because normalising makes up to 18 characters
/// out of one.
const USERNAME_BYTES: usize = 4 * USERNAME_MAX;

/// The stored form of a username: trimmed, and NFKC-normalised, so that full-width letters become plain ones. `None`
/// if it is too long; then it is not processed further.
pub(crate) fn normalized(username: &str) -> Option<String> {
    let username = username.trim();
    (username.len() <= USERNAME_BYTES).then(|| username.nfkc().collect())
}

/// The form in which usernames are compared: 'Bob', 'bob' and 'ｂｏｂ' are the same. `None` if it is too long to be a
/// username.
pub fn username_key(username: &str) -> Option<String> {
    let key = fold(&normalized(username)?);
    (key.len() <= KEY_MAX || key.chars().count() <= KEY_MAX).then_some(key)
}

pub(crate) fn check_username(problems: &mut Problems, username: &str, key: &str) {
    let may_be_in = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '.' | '+' | '-');
    if visible::is_blank(username) {
        problems.add("username", Problem::Blank);
    } else if !username.chars().all(may_be_in)
        || visible::has_filler(username)
        || visible::is_unruly(username)
    {
        problems.add("username", Problem::BadUsername);
    } else if RESERVED.contains(&key) {
        problems.add("username", Problem::UsernameTaken);
    } else if username.chars().count() > USERNAME_MAX || key.chars().count() > KEY_MAX {
        problems.add("username", Problem::TooLong { max: USERNAME_MAX });
    } else if confusable::mixes_scripts(username) {
        problems.add("username", Problem::MixedScripts);
    } else if RESERVED.iter().any(|word| confusable::looks_like(key, word)) {
        problems.add("username", Problem::ConfusableUsername);
    }
}

pub(crate) fn check_password(problems: &mut Problems, password: &str, names: &[&str]) {
    let length = password.chars().count();
    if password.is_empty() {
        problems.add("password", Problem::Blank);
    } else if password.contains('\0') {
        problems.add("password", Problem::BadCharacter);
    } else if length < PASSWORD_MIN {
        problems.add("password", Problem::TooShort { min: PASSWORD_MIN });
    } else if length > PASSWORD_MAX {
        problems.add("password", Problem::TooLong { max: PASSWORD_MAX });
    } else if is_weak(password, names) {
        problems.add("password", Problem::WeakPassword);
    }
}

fn is_weak(password: &str, names: &[&str]) -> bool {
    let password = password.to_lowercase();
    // An overlong name is rejected by another rule. Skipped here, since it could have thousands of parts.
    let mut names = names.iter().filter(|name| name.len() <= 4 * PERSON_NAME_MAX.max(USERNAME_MAX));
    password.chars().all(char::is_numeric)
        || password.trim() == DEVELOPER_PASSWORD
        || COMMON.lines().any(|common| common == password.trim())
        || names.any(|name| resembles(&password, &name.to_lowercase()))
}

/// Whether `password` has mostly the same characters as `name` or a part of it.
fn resembles(password: &str, name: &str) -> bool {
    let parts = name.split(|c: char| !c.is_alphanumeric() && c != '_');
    parts.chain([name]).filter(|part| !part.is_empty()).any(|part| alikeness(password, part) >= ALIKE)
}

/// Twice the number of common characters over the number of all: Python's `SequenceMatcher.quick_ratio`, which Django
/// uses.
fn alikeness(a: &str, b: &str) -> f64 {
    let mut left: HashMap<char, u32> = HashMap::new();
    let mut total = 0_u32;
    for c in b.chars() {
        *left.entry(c).or_default() += 1;
        total += 1;
    }
    let mut common = 0_u32;
    for c in a.chars() {
        total += 1;
        if let Some(n) = left.get_mut(&c).filter(|n| **n > 0) {
            *n -= 1;
            common += 1;
        }
    }
    if total == 0 { 0.0 } else { 2.0 * f64::from(common) / f64::from(total) }
}

pub(crate) fn active_user(account: Option<Account>) -> Result<User> {
    let account = account.ok_or(Code::UserNotFound)?;
    if account.is_active { Ok(account.user) } else { Err(Code::UserInactive.into()) }
}

/// The account's user, if the account allows this credential. It does not check whether the session or sign-in itself
/// has ended.
pub(crate) fn user_for_credential(account: Option<Account>, credential: &Credential) -> Result<User> {
    let has_ended = match (&account, credential) {
        (Some(account), Credential::Token { issued_at, .. }) => *issued_at < account.tokens_from,
        (None, _) | (_, Credential::Session(_)) => false,
    };
    let user = active_user(account)?;
    if has_ended { Err(Code::TokenNotValid.into()) } else { Ok(user) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(check: impl FnOnce(&mut Problems)) -> Vec<Problem> {
        let mut found = Problems::default();
        check(&mut found);
        match found.finish() {
            Ok(()) => Vec::new(),
            Err(error) => error.failure().fields.into_iter().map(|field| field.problem).collect(),
        }
    }

    fn of_username(username: &str) -> Vec<Problem> {
        let username = normalized(username).expect("not too long to be looked at");
        problems(|found| check_username(found, &username, &fold(&username)))
    }

    fn of_password(password: &str) -> Vec<Problem> {
        problems(|found| check_password(found, password, &["wang.xiaoming", "小明", "王"]))
    }

    #[test]
    fn usernames_have_letters_digits_and_five_punctuation_marks() {
        for good in ["bob", "小明", "a@b.cn", "x+y-z_", "Ünal", "7"] {
            assert_eq!(of_username(good), [], "{good}");
        }
        for bad in ["two words", "a/b", "a<b>", "名，字", "tab\tbed", "nul\0", "o'neil", "🙂"] {
            assert_eq!(of_username(bad), [Problem::BadUsername], "{bad}");
        }
        assert_eq!(of_username("  "), [Problem::Blank]);
    }

    #[test]
    fn a_username_is_seen_whole_and_is_nobodys_else() {
        assert_eq!(of_username("\u{3164}"), [Problem::Blank]);
        let tower = format!("ก{}", "\u{e34}".repeat(5));
        for bad in ["bo\u{3164}b", "bob\u{fe0f}", "bo\u{200d}b", "\u{202e}bob", &tower] {
            assert_eq!(of_username(bad), [Problem::BadUsername], "{bad:?}");
        }
        for reserved in ["all", "Admin", "ＡＤＭＩＮ", "everyone", "所有人"] {
            assert_eq!(of_username(reserved), [Problem::UsernameTaken], "{reserved}");
        }
        assert_eq!(of_username("admin2"), []);
    }

    #[test]
    fn a_username_does_not_hide_look_alikes() {
        for mixed in ["pаypal", "Аdmin", "小明боб"] {
            assert_eq!(of_username(mixed), [Problem::MixedScripts], "{mixed}");
        }
        assert_eq!(of_username("аӏӏ"), [Problem::ConfusableUsername]);
        assert_eq!(of_username("小明bob"), []);
        assert_eq!(of_username("ひらがなカタカナ漢字abc"), []);
    }

    #[test]
    fn a_username_has_150_characters_at_most() {
        assert_eq!(of_username(&"王".repeat(150)), []);
        assert_eq!(of_username(&"王".repeat(151)), [Problem::TooLong { max: 150 }]);
        assert_eq!(of_username(&"İ".repeat(150)), [], "its folded form may be longer");
    }

    #[test]
    fn one_name_in_several_spellings_has_one_key() {
        for spelling in ["Bob", "bob", " BOB ", "ｂｏｂ"] {
            assert_eq!(username_key(spelling).as_deref(), Some("bob"));
        }
        assert_eq!(username_key("Weiß"), username_key("WEISS"));
        assert_eq!(username_key("ΌΣΟΣ"), username_key("όσος"));
        assert_ne!(username_key("bob"), username_key("rob"));
    }

    #[test]
    fn overlong_names_are_not_processed() {
        assert_eq!(username_key(&"ﷺ".repeat(201)), None);
        assert_eq!(username_key(&"a".repeat(601)), None);
        // Each becomes 18 characters.
        assert_eq!(username_key(&"ﷺ".repeat(200)), None);
        assert!(username_key(&"ﷺ".repeat(38)).is_some());
        assert_eq!(
            username_key(&format!("{}bob{}", " ".repeat(1_000), " ".repeat(1_000))).as_deref(),
            Some("bob")
        );
        let parts = "correct.".repeat(100_000);
        assert_eq!(problems(|found| check_password(found, "correct horse", &[&parts])), []);
    }

    #[test]
    fn a_password_that_is_easy_to_guess_is_weak() {
        for weak in [
            "1234567890",
            "٠١٢٣٤٥٦٧٨",
            "Password1",
            "qwertyuiop",
            "xiaoming",
            "wang.xiaoming",
            "WangXiaoming1",
            "1xiaoming1",
            "developer123",
            " Developer123",
        ] {
            assert_eq!(of_password(weak), [Problem::WeakPassword], "{weak}");
        }
        for good in ["correct horse", "我的密码有八个字", "Tr0ub4dor&3", " spaced out "] {
            assert_eq!(of_password(good), [], "{good}");
        }
    }

    #[test]
    fn a_password_has_eight_to_1024_characters_and_no_nul() {
        assert_eq!(of_password(""), [Problem::Blank]);
        assert_eq!(of_password("seven77"), [Problem::TooShort { min: 8 }]);
        assert_eq!(of_password("八个字的好长密码"), []);
        assert_eq!(of_password(&"ab".repeat(512)), []);
        assert_eq!(of_password(&"a".repeat(1_025)), [Problem::TooLong { max: 1_024 }]);
        assert_eq!(of_password("eight888\0"), [Problem::BadCharacter]);
    }
}
