//! Generates invalid frames: mutated valid ones, objects with the right fields and wrong values, and noise. Only UTF-8,
//! since other text never reaches the parser.

use std::fmt::Write as _;

/// Valid frames, to be mutated.
const GOOD: [&str; 11] = [
    r#"{"type":"chat_message","content":"a\u00e9 聊","file_size":1,"reply_to":2,"client_id":"x"}"#,
    r#"{"type":"chat_message","content":"a","message_type":"image","file_url":"https://a.example/b","file_name":"b"}"#,
    r#"{"type":"authenticate","token":"aaa.bbb.ccc"}"#,
    r#"{"type":"typing","is_typing":true}"#,
    r#"{"type":"user_join"}"#,
    r#"{"type":"user_leave"}"#,
    r#"{"type":"message_read","message_id":9007199254740991}"#,
    r#"{"type":"subscribe","room_id":7,"after_rev":1,"here":false}"#,
    r#"{"type":"unsubscribe","room_id":7}"#,
    r#"{"type":"ping"}"#,
    r#" { "type" : "ping" , "more" : [ { "a" : null } , -1.5e10 ] } "#,
];
const FIELDS: [&str; 16] = [
    "type",
    "content",
    "message_type",
    "file_url",
    "file_name",
    "file_size",
    "reply_to",
    "client_id",
    "is_typing",
    "message_id",
    "token",
    "room_id",
    "after_rev",
    "after_id",
    "here",
    "\\u0000",
];
const TYPES: [&str; 11] = [
    "chat_message",
    "typing",
    "user_join",
    "message_read",
    "ping",
    "authenticate",
    "subscribe",
    "unsubscribe",
    "Ping",
    "connection_established",
    "",
];
const VALUES: [&str; 20] = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e400",
    "-0",
    "9007199254740992",
    "99999999999999999999999999",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"javascript:alert(1)\"",
    "[]",
    "{}",
    "[[[[1]]]]",
    "{\"a\":{\"a\":{}}}",
    "\"聊天\"",
];

/// An endless sequence of frames, determined by the seed.
pub struct Source {
    state: u64,
}

impl Source {
    pub fn new(seed: usize) -> Self {
        let seed = u64::try_from(seed).unwrap_or_default();
        Self { state: 0x2545_f491_4f6c_dd1d ^ (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    /// The next frame. Most are invalid.
    pub fn next(&mut self) -> String {
        match self.below(16) {
            0..=7 => self.spoiled(),
            8..=12 => self.composed(),
            13 => self.deep(),
            _ => self.noise(),
        }
    }

    /// A xorshift generator, which is good enough here.
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or_default() % end
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn spoiled(&mut self) -> String {
        let mut bytes = self.pick(&GOOD).as_bytes().to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            let to = (at + self.below(12)).min(bytes.len());
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] = self.byte(),
                1 => drop(bytes.drain(at..to)),
                2 => bytes.insert(at, b"{}[]\",:\\0-9eu"[self.below(13)]),
                3 => bytes.truncate(at),
                4 => {
                    let piece = bytes[at..to].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let other = self.pick(&GOOD).as_bytes();
                    let from = self.below(other.len());
                    bytes.splice(at..to, other[from..].iter().copied());
                }
            }
        }
        text(&bytes)
    }

    fn composed(&mut self) -> String {
        let mut frame = format!(r#"{{"type":"{}""#, self.pick(&TYPES));
        for _ in 0..self.below(6) {
            // Writing to a string cannot fail.
            let _ = write!(frame, r#","{}":{}"#, self.pick(&FIELDS), self.pick(&VALUES));
        }
        frame.push_str(["}", "", "}}", "}\u{feff}"][self.below(4)]);
        frame
    }

    fn deep(&mut self) -> String {
        let depth = 1 + self.below(200);
        let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("{\"type\":", "")][self.below(3)];
        format!("{}1{}", open.repeat(depth), close.repeat(depth))
    }

    fn noise(&mut self) -> String {
        let bytes: Vec<u8> = (0..self.below(120)).map(|_| self.byte()).collect();
        text(&bytes)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
