//! The file of a message: address, name, size.

use chat::model::RoomMessage;

/// A file as shown with a message. The page links to it and does not load it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `None` where the URL is not allowed in a link.
    pub address: Option<Address>,
    /// `None` where neither the sender nor the URL gives one.
    pub name: Option<String>,
    /// Formatted, as `23.5 MB`.
    pub size: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub href: String,
    /// The host; `None` for this server.
    pub host: Option<String>,
}

impl File {
    /// The file of `message`, if it has one.
    pub fn of(message: &RoomMessage) -> Option<Self> {
        if message.file_url.is_none() && message.file_name.is_none() {
            return None;
        }
        let address = message.file_url.as_deref().and_then(Address::of);
        let given = message.file_name.as_deref().filter(|name| !name.trim().is_empty());
        let name = given.or_else(|| last_part(address.as_ref()?)).map(str::to_owned);
        Some(Self { address, name, size: message.file_size.and_then(size) })
    }
}

/// Whether the content is just the file's name: clients that must send some text send that.
pub fn says_only_its_name(message: &RoomMessage) -> bool {
    message.file_name.as_deref().is_some_and(|name| name.trim() == message.content.trim())
}

impl Address {
    /// Parses `url` if a link may lead there: http, https or a path on this server. Checked here independently of the
    /// server, since a script or `data:` URL would run in the reader's page, and characters that browsers and people
    /// read differently would disguise the host.
    fn of(url: &str) -> Option<Self> {
        if url.contains(|letter: char| letter.is_whitespace() || letter == '\\' || is_unseen(letter)) {
            return None;
        }
        if url.starts_with('/') {
            return (!url.starts_with("//")).then(|| Self { href: url.to_owned(), host: None });
        }
        let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
            let start = url.get(..scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
        })?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        // User information before `@` may look like a host.
        let host = authority.rsplit('@').next().unwrap_or_default();
        (!host.is_empty() && !host.starts_with(':'))
            .then(|| Self { href: url.to_owned(), host: Some(host.to_ascii_lowercase()) })
    }
}

/// Invisible characters that change how others look.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The last segment of the path, mostly the file's name.
fn last_part(address: &Address) -> Option<&str> {
    let href = &address.href;
    let path = &href[..href.find(['?', '#']).unwrap_or(href.len())];
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let (_, name) = path.rsplit_once('/')?;
    (!name.is_empty()).then_some(name)
}

/// Formats a size with about three digits, in units of 1,000.
fn size(bytes: i64) -> Option<String> {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    let bytes = u64::try_from(bytes).ok()?;
    if bytes < 1_000 {
        return Some(format!("{bytes} B"));
    }
    // In tenths of the unit, to avoid fractions.
    let mut tenths = (bytes + 50) / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1_000;
        unit += 1;
    }
    let whole = tenths / 10;
    Some(match tenths % 10 {
        tenth if whole < 100 && tenth > 0 => format!("{whole}.{tenth} {}", UNITS[unit]),
        _ => format!("{whole} {}", UNITS[unit]),
    })
}

#[cfg(test)]
mod tests {
    use chat::model::{MessageId, MessageType, Timestamp, User, UserId};

    use super::*;

    fn message(url: Option<&str>, name: Option<&str>) -> RoomMessage {
        RoomMessage {
            id: MessageId(1),
            content: "季度报告".into(),
            message_type: MessageType::File,
            timestamp: Timestamp(1),
            created_at: Timestamp(1),
            sender: User {
                id: UserId(1),
                username: "u".into(),
                first_name: String::new(),
                last_name: String::new(),
            },
            reply_to: None,
            file_url: url.map(str::to_owned),
            file_name: name.map(str::to_owned),
            file_size: Some(23_456_789),
            is_edited: false,
            is_deleted: false,
            client_id: None,
        }
    }

    fn host(url: &str) -> Option<String> {
        Address::of(url).expect("an address").host
    }

    #[test]
    fn a_file_has_name_size_and_host() {
        let file = File::of(&message(Some("https://files.example.org/x/9f3"), Some("Q3-report (1).pdf")));
        let address = Address {
            href: "https://files.example.org/x/9f3".into(),
            host: Some("files.example.org".into()),
        };
        let expected = File {
            address: Some(address),
            name: Some("Q3-report (1).pdf".into()),
            size: Some("23.5 MB".into()),
        };
        assert_eq!(file, Some(expected));
        assert_eq!(File::of(&message(None, None)), None);
    }

    #[test]
    fn file_name_defaults_to_the_last_url_segment() {
        let name = |url| File::of(&message(Some(url), None)).expect("a file").name;
        assert_eq!(name("https://example.org/a/b.png?v=1#x").as_deref(), Some("b.png"));
        assert_eq!(name("/media/b.png").as_deref(), Some("b.png"));
        for nameless in ["https://example.org", "https://example.org/", "https://example.org?a/b"] {
            assert_eq!(name(nameless), None, "{nameless}");
        }
    }

    #[test]
    fn only_http_urls_and_local_paths_become_links() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "mailto:a@example.org",
            "//evil.example/x",
            "/\\evil.example",
            "/\t/evil.example",
            "https://",
            "https:///x",
            "https://:80/",
            "https://example.org\\@evil.example/",
            "https://example.org/\u{202e}gnp.exe",
            "media/x.png",
            "",
        ] {
            assert_eq!(Address::of(bad), None, "{bad}");
        }
        assert_eq!(host("/media/x.png"), None);
        assert_eq!(host("HTTPS://Example.org:8443/x"), Some("example.org:8443".into()));
        assert_eq!(host("https://example.org@evil.example/x"), Some("evil.example".into()));
        assert_eq!(host("https://evil.example#@example.org/"), Some("evil.example".into()));
    }

    #[test]
    fn sizes_have_few_digits() {
        let sizes = [0, 999, 1_000, 1_549, 99_940, 99_960, 999_499, 999_960, 23_456_789, 5_000_000_000];
        let words = sizes.map(|bytes| size(bytes).expect("a size"));
        let expected =
            ["0 B", "999 B", "1 KB", "1.5 KB", "99.9 KB", "100 KB", "999 KB", "1 MB", "23.5 MB", "5 GB"];
        assert_eq!(words, expected);
        assert_eq!(size(i64::MAX).as_deref(), Some("9223 PB"));
        assert_eq!(size(-1), None);
    }

    #[test]
    fn content_that_repeats_the_file_name_is_detected() {
        let mut message = message(None, Some("a.pdf"));
        assert!(!says_only_its_name(&message));
        message.content = " a.pdf\n".into();
        assert!(says_only_its_name(&message));
    }
}
