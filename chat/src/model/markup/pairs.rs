//! Matches brackets and runs of backticks in one pass. Searching for the partner of each would be quadratic.

/// The brackets and runs of backticks of one text.
pub struct Pairs {
    /// Positions of each opening bracket and its closing one, sorted; [`UNCLOSED`] where there is none.
    brackets: Vec<(usize, usize)>,
    /// The position of the last run of n backticks, by n; 0 where there is none after the beginning.
    last_ticks: Vec<usize>,
}

const UNCLOSED: usize = usize::MAX;

impl Pairs {
    /// Finds them.
    pub fn of(text: &str) -> Self {
        let mut pairs = Self { brackets: Vec::new(), last_ticks: Vec::new() };
        let (mut square, mut round) = (Vec::new(), Vec::new());
        let mut ticks = 0;
        for (at, letter) in text.char_indices() {
            if letter == '`' {
                ticks += 1;
            } else if ticks > 0 {
                pairs.ticks_end(at, ticks);
                ticks = 0;
            }
            match letter {
                '[' => square.push(pairs.opens(at)),
                '(' => round.push(pairs.opens(at)),
                ']' => pairs.closes(square.pop(), at),
                ')' => pairs.closes(round.pop(), at),
                // Round brackets contain an address, which ends here.
                letter if letter == '<' || letter.is_whitespace() => round.clear(),
                _ => {}
            }
        }
        pairs.ticks_end(text.len(), ticks);
        pairs
    }

    fn opens(&mut self, at: usize) -> usize {
        self.brackets.push((at, UNCLOSED));
        self.brackets.len() - 1
    }

    fn closes(&mut self, index: Option<usize>, at: usize) {
        if let Some(pair) = index.and_then(|index| self.brackets.get_mut(index)) {
            pair.1 = at;
        }
    }

    fn ticks_end(&mut self, at: usize, ticks: usize) {
        if self.last_ticks.len() <= ticks {
            self.last_ticks.resize(ticks + 1, 0);
        }
        self.last_ticks[ticks] = at - ticks;
    }

    /// The position of the bracket that closes the one at `open`.
    pub fn close_of(&self, open: usize) -> Option<usize> {
        let index = self.brackets.binary_search_by_key(&open, |pair| pair.0).ok()?;
        Some(self.brackets[index].1).filter(|&close| close != UNCLOSED)
    }

    /// The position of the run of backticks that closes the code span whose opening run of `ticks` ends at `from`: the
    /// next one of the same length. A run without a partner is text.
    pub fn close_of_code(&self, text: &str, ticks: usize, from: usize) -> Option<usize> {
        if self.last_ticks.get(ticks).is_none_or(|&last| last < from) {
            return None;
        }
        let mut at = from;
        loop {
            let start = at + text[at..].find('`')?;
            at = start + ticks_at(&text[start..]);
            if at - start == ticks {
                return Some(start);
            }
        }
    }
}

/// The number of backticks at the beginning of `text`.
pub fn ticks_at(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}
