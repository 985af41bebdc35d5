//! Validation of single fields. Problems are collected, so that the user sees all of them at once.

use super::visible;
use crate::{
    error::{Error, Result},
    model::{FieldError, Problem, limits::USERNAME_MAX},
};

/// Collects the problems of one request's fields.
#[derive(Default)]
pub(crate) struct Problems(Vec<FieldError>);

impl Problems {
    pub(crate) fn add(&mut self, field: &str, problem: Problem) {
        self.0.push(FieldError::new(field, problem));
    }

    /// Text of one line: no control characters, at most `max` characters.
    pub(crate) fn line(&mut self, field: &str, text: &str, max: usize) {
        if text.chars().any(char::is_control) {
            self.add(field, Problem::BadCharacter);
        } else {
            self.length(field, text, max);
        }
    }

    /// Like [`Self::line`], and not blank.
    pub(crate) fn filled_line(&mut self, field: &str, text: &str, max: usize) {
        if visible::is_blank(text) {
            self.add(field, Problem::Blank);
        } else {
            self.line(field, text, max);
        }
    }

    /// A display name: visible unless it is empty, and without characters that affect the text around it.
    pub(crate) fn name(&mut self, field: &str, text: &str, max: usize) {
        // The length first, since the other checks look at every character.
        if self.length(field, text, max) {
            if !text.is_empty() && visible::is_blank(text) {
                self.add(field, Problem::Blank);
            } else if visible::is_unruly(text) {
                self.add(field, Problem::BadCharacter);
            }
        }
    }

    /// Like [`Self::name`], not empty, and without white space at either end.
    pub(crate) fn filled_name(&mut self, field: &str, text: &str, max: usize) {
        if text.is_empty() {
            self.add(field, Problem::Blank);
        }
        self.name(field, text, max);
        self.trimmed(field, text);
    }

    /// A name that is searched by: like [`Self::filled_line`], without white space at either end, which is invisible
    /// and which MySQL ignores in comparisons.
    pub(crate) fn identifier(&mut self, field: &str, text: &str, max: usize) {
        self.filled_line(field, text, max);
        self.trimmed(field, text);
    }

    /// No white space at either end, unless the text is blank.
    pub(crate) fn trimmed(&mut self, field: &str, text: &str) {
        if !visible::is_blank(text) && text.trim().len() < text.len() {
            self.add(field, Problem::OuterSpace);
        }
    }

    /// Text of several lines: no NUL (MySQL and C programs truncate there), at most `max` characters.
    pub(crate) fn text(&mut self, field: &str, text: &str, max: usize) {
        if text.contains('\0') {
            self.add(field, Problem::BadCharacter);
        } else {
            self.length(field, text, max);
        }
    }

    /// Whether the text has at most `max` characters; if not, that is a problem.
    fn length(&mut self, field: &str, text: &str, max: usize) -> bool {
        // Bytes first: most texts are short enough without counting characters.
        let is_short = text.len() <= max || text.chars().count() <= max;
        if !is_short {
            self.add(field, Problem::TooLong { max });
        }
        is_short
    }

    /// Fails if there are problems.
    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::fields(self.0)) }
    }
}

/// Whether a user's name could contain this. If not, the search is skipped.
pub(crate) fn may_be_in_a_name(text: &str) -> bool {
    // Bytes first: the input may be of any size.
    text.len() <= 4 * USERNAME_MAX && text.chars().count() <= USERNAME_MAX && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_identifier(text: &str) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.identifier("name", text, 8);
        problems.0.into_iter().map(|field| field.problem).collect()
    }

    #[test]
    fn an_identifier_has_no_white_space_or_control_character_at_its_ends() {
        for good in ["c1", "Tea 茶", "a\u{a0}b"] {
            assert_eq!(of_identifier(good), [], "{good:?}");
        }
        for bad in [" c1", "c1 ", "c1\u{3000}", "\u{a0}c1", "c1\u{2028}", "c1\u{2003}"] {
            assert_eq!(of_identifier(bad), [Problem::OuterSpace], "{bad:?}");
        }
        for bad in ["c1\n", "\tc1", "c1\u{85}"] {
            assert_eq!(of_identifier(bad), [Problem::BadCharacter, Problem::OuterSpace], "{bad:?}");
        }
        assert_eq!(of_identifier("c1\u{7f}"), [Problem::BadCharacter]);
        assert_eq!(of_identifier("  "), [Problem::Blank]);
    }
}
