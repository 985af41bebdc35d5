//! Which brackets and backticks of a text belong together, found in one pass. Looking for the partner of each one as it
//! comes up would cost the length of the text each time.

use super::steps;

/// The pairs of one text.
pub(super) struct Pairs {
    /// Where a bracket opens and where it closes, by where it opens; [`UNCLOSED`] where it does not close.
    brackets: Vec<(usize, usize)>,
    /// Where the last run of so many backticks begins, by their number; 0 where there is none but at the beginning.
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
                // Round brackets hold an address, which ends here.
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

    /// Where the bracket closes that opens at `open`.
    pub(super) fn close_of(&self, open: usize) -> Option<usize> {
        let index = self.brackets.binary_search_by_key(&open, |pair| pair.0).ok()?;
        Some(self.brackets[index].1).filter(|&close| close != UNCLOSED)
    }

    /// Does a run of exactly `ticks` backticks begin at `from` or later?
    pub(super) fn has_ticks(&self, ticks: usize, from: usize) -> bool {
        self.last_ticks.get(ticks).is_some_and(|&last| last >= from)
    }
}
