//! Parses `Accept-Encoding`.

/// An encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

/// The smallest encoding first, since it wins among equal weights.
const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Gzip, Encoding::Identity];

impl Encoding {
    /// The suffix of a file's name in this encoding.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The encoding of a file with this name, if it is a compressed variant of another file.
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

/// The encodings that the client accepts, preferred ones first. Identity is always included: a client that excludes it
/// is better served with it than with an error.
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
                // If it is not named it is accepted, but with the lowest preference.
                Encoding::Identity => weight(&["identity"]).unwrap_or(f32::MIN_POSITIVE),
            };
            (form, weight)
        })
        .filter(|(form, weight)| *weight > 0.0 || *form == Encoding::Identity)
        .collect();
    forms.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    forms.into_iter().map(|(form, _)| form).collect()
}

/// Parses an item such as `gzip;q=0.5` into name and weight. An invalid weight counts as 0.
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
    fn browsers_get_brotli_then_gzip() {
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
    fn a_star_stands_for_all_other_encodings() {
        assert_eq!(of("*"), [Brotli, Gzip, Identity]);
        assert_eq!(of("br;q=0, *;q=0.5"), [Gzip, Identity]);
        assert_eq!(of("gzip, *;q=0"), [Gzip, Identity]);
    }

    #[test]
    fn an_empty_or_invalid_header_gives_identity() {
        assert_eq!(accepted(std::iter::empty()), [Identity]);
        assert_eq!(of(""), [Identity]);
        assert_eq!(of("br;q=lots, broccoli"), [Identity]);
        assert_eq!(of("identity;q=0"), [Identity]);
    }
}
