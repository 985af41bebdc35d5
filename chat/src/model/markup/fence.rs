//! Fenced code blocks.

/// The opening line of a fenced code block.
pub struct Fence<'a> {
    marker: char,
    length: usize,
    /// The language that the line names, or nothing.
    pub language: &'a str,
}

impl<'a> Fence<'a> {
    /// The fence that this line opens.
    pub fn open(line: &'a str) -> Option<Self> {
        let line = line.trim_start();
        let marker = line.chars().next().filter(|marker| matches!(marker, '`' | '~'))?;
        let info = line.trim_start_matches(marker);
        let length = line.len() - info.len();
        let language = info.split_whitespace().next().unwrap_or_default();
        // A fence with a backtick in its info string is inline code.
        (length >= 3 && !info.contains('`')).then_some(Self { marker, length, language })
    }

    /// Whether this line closes it.
    pub fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|letter| letter == self.marker)
    }
}
