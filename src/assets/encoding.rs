//! Which compressed form of a file a client wants (`Accept-Encoding`).

/// A form in which a file can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

/// The smallest first: among those liked alike it wins.
const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Gzip, Encoding::Identity];

impl Encoding {
    /// What a file's name ends with in this form.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The form that a name's ending tells, if the file is a compressed form of another.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        [Self::Brotli, Self::Gzip].into_iter().find(|form| name.ends_with(form.suffix()))
    }

    /// The value of `Content-Encoding`.
    pub(super) fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The forms that the client takes, the one it likes best first. The plain form is always among them: a client that
/// refuses it is better served with it than with an error.
pub(super) fn accepted<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Encoding> {
    let weights: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(parse_weight).collect();
    let weight = |names: &[&str]| {
        let named =
            weights.iter().find(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)));
        named.map(|(_, weight)| *weight)
    };
    let mut forms: Vec<(Encoding, f32)> = ALL
        .into_iter()
        .map(|form| {
            let weight = match form {
                Encoding::Brotli => weight(&["br"]).or_else(|| weight(&["*"])).unwrap_or(0.0),
                Encoding::Gzip => weight(&["gzip", "x-gzip"]).or_else(|| weight(&["*"])).unwrap_or(0.0),
                // Not named, it is taken, but liked less than any that is.
                Encoding::Identity => weight(&["identity"]).unwrap_or(f32::MIN_POSITIVE),
            };
            (form, weight)
        })
        .filter(|(form, weight)| *weight > 0.0 || *form == Encoding::Identity)
        .collect();
    forms.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    forms.into_iter().map(|(form, _)| form).collect()
}

/// `gzip;q=0.5` as name and weight; a weight that cannot be read is none.
fn parse_weight(item: &str) -> (&str, f32) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::{Encoding::*, *};

    fn of(value: &str) -> Vec<Encoding> {
        accepted([value].into_iter())
    }

    #[test]
    fn what_browsers_send_gives_brotli_then_gzip() {
        assert_eq!(of("gzip, deflate, br, zstd"), [Brotli, Gzip, Identity]);
        assert_eq!(of("gzip, deflate"), [Gzip, Identity]);
        assert_eq!(accepted(["gzip", "br"].into_iter()), [Brotli, Gzip, Identity], "in two headers");
    }

    #[test]
    fn weights_are_respected() {
        assert_eq!(of("br;q=0.5, gzip;q=0.8"), [Gzip, Brotli, Identity]);
        assert_eq!(of("br;q=0, gzip"), [Gzip, Identity]);
        assert_eq!(of("identity, gzip;q=0.2"), [Identity, Gzip]);
        assert_eq!(of("BR ; Q=0.3"), [Brotli, Identity]);
    }

    #[test]
    fn a_star_stands_for_what_is_not_named() {
        assert_eq!(of("*"), [Brotli, Gzip, Identity]);
        assert_eq!(of("br;q=0, *;q=0.5"), [Gzip, Identity]);
        assert_eq!(of("gzip, *;q=0"), [Gzip, Identity]);
    }

    #[test]
    fn without_a_word_or_with_nonsense_the_plain_form_is_sent() {
        assert_eq!(accepted(std::iter::empty()), [Identity]);
        assert_eq!(of(""), [Identity]);
        assert_eq!(of("br;q=lots, broccoli"), [Identity]);
        assert_eq!(of("identity;q=0"), [Identity]);
    }
}
