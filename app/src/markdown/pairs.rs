//! Matches brackets and runs of backticks in one pass. Searching for the partner of each would be quadratic.

use super::steps;

pub(super) struct Pairs {
    /// Positions of each opening bracket and its closing one, sorted; [`UNCLOSED`] where there is none.
    brackets: Vec<(usize, usize)>,
    /// The position of the last run of n backticks, by n; 0 where there is none after the beginning.
    last_ticks: Vec<usize>,
}

const UNCLOSED: usize = usize::MAX;

impl Pairs {
    pub(super) fn of(text: &str) -> Self {
        steps::add(text.len());
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
    pub(super) fn close_of(&self, open: usize) -> Option<usize> {
        let index = self.brackets.binary_search_by_key(&open, |pair| pair.0).ok()?;
        Some(self.brackets[index].1).filter(|&close| close != UNCLOSED)
    }

    /// Whether a run of exactly `ticks` backticks begins at `from` or later.
    pub(super) fn has_ticks(&self, ticks: usize, from: usize) -> bool {
        self.last_ticks.get(ticks).is_some_and(|&last| last >= from)
    }
}
