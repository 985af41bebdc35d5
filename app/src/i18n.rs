//! Languages and their texts.
//!
//! All texts are in `locales/zh.json` (the default) and `locales/en.json`. Components use `t!(rooms.title)`; code
//! outside of a page, such as the REST layer, uses `td_string!(locale, rooms.title)`.

mod generated {
    #![allow(clippy::all, clippy::pedantic, unreachable_pub, unused_imports, dead_code, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

pub use generated::i18n::Locale;
pub use leptos_i18n::td_string;

/// All languages, in the order in which the switch shows them.
pub const LOCALES: [Locale; 2] = [Locale::zh, Locale::en];

/// The language's code in cookies and forms.
pub fn code(locale: Locale) -> &'static str {
    match locale {
        Locale::zh => "zh",
        Locale::en => "en",
    }
}

/// The language tag for `lang` and HTTP headers.
pub fn language_tag(locale: Locale) -> &'static str {
    match locale {
        Locale::zh => "zh-CN",
        Locale::en => "en",
    }
}

/// The language's name in that language.
pub fn own_name(locale: Locale) -> &'static str {
    match locale {
        Locale::zh => "中文",
        Locale::en => "English",
    }
}

/// The supported language of a tag such as `en-GB`.
pub fn from_tag(tag: &str) -> Option<Locale> {
    let language = tag.trim().split(['-', '_']).next().unwrap_or_default();
    LOCALES.into_iter().find(|locale| code(*locale).eq_ignore_ascii_case(language))
}

/// The supported language with the highest weight in an `Accept-Language` header; Chinese where there is none.
pub fn from_accept_language(header: &str) -> Locale {
    let mut best: Option<(f32, Locale)> = None;
    for entry in header.split(',') {
        let (tag, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let weight: f32 = match parameters.trim().strip_prefix("q=") {
            Some(weight) => weight.trim().parse().unwrap_or(0.0),
            None => 1.0,
        };
        if let Some(locale) = from_tag(tag)
            && weight > 0.0
            && best.is_none_or(|(known, _)| weight > known)
        {
            best = Some((weight, locale));
        }
    }
    best.map_or(Locale::zh, |(_, locale)| locale)
}

/// A text in the page's language. Only for components, where the language is in the context.
///
/// It is a plain string, not a reactive one: another language is another page from the server. Reactive texts would
/// add a function for each of them to the wasm.
macro_rules! t {
    ($($key_and_values:tt)*) => {
        $crate::i18n::td_string!($crate::preferences::locale(), $($key_and_values)*)
    };
}
pub(crate) use t;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_weight_wins_and_chinese_is_the_default() {
        for (header, expected) in [
            ("", Locale::zh),
            ("fr-FR, de;q=0.8", Locale::zh),
            ("en-GB,en;q=0.9", Locale::en),
            ("zh-CN,zh;q=0.9,en;q=0.8", Locale::zh),
            ("fr, zh;q=0.4, EN-us;q=0.7", Locale::en),
            ("en;q=0, zh;q=0.1", Locale::zh),
            ("en;q=nonsense", Locale::zh),
        ] {
            assert_eq!(from_accept_language(header), expected, "{header}");
        }
    }
}
