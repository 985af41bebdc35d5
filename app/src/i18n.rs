//! The languages: the generated table of sentences, and which one somebody reads.
//!
//! Sentences live in `locales/zh.json` (the default) and `locales/en.json` and nowhere else. Components say
//! `t!(rooms.title)`; code without a page, like the REST layer, says `td_string!(locale, rooms.title)`.

mod generated {
    #![allow(clippy::all, clippy::pedantic, unreachable_pub, unused_imports, dead_code, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

pub use generated::i18n::Locale;
pub use leptos_i18n::td_string;

/// All of them, as a switch shows them.
pub const LOCALES: [Locale; 2] = [Locale::zh, Locale::en];

/// The language's word in cookies and forms.
pub fn code(locale: Locale) -> &'static str {
    match locale {
        Locale::zh => "zh",
        Locale::en => "en",
    }
}

/// The language as HTML and HTTP name it.
pub fn language_tag(locale: Locale) -> &'static str {
    match locale {
        Locale::zh => "zh-CN",
        Locale::en => "en",
    }
}

/// The language as it calls itself.
pub fn own_name(locale: Locale) -> &'static str {
    match locale {
        Locale::zh => "中文",
        Locale::en => "English",
    }
}

/// The language that a tag such as `en-GB` asks for, if it is one of ours.
pub fn from_tag(tag: &str) -> Option<Locale> {
    let language = tag.trim().split(['-', '_']).next().unwrap_or_default();
    LOCALES.into_iter().find(|locale| code(*locale).eq_ignore_ascii_case(language))
}

/// The language that an `Accept-Language` header prefers: the first of ours with the highest weight, Chinese
/// where none is named.
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

/// A sentence in the page's language. To be used in a component, where the language is known.
///
/// It is a plain text and never changes: another language is another page, for which the server is asked. So the
/// hundred sentences of the UI are no hundred functions in the wasm.
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
    fn the_heaviest_known_language_wins_and_chinese_where_none_is_known() {
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
