//! Checks on single fields, collected so that a person sees every problem at once.

use crate::{
    error::{Error, Result},
    model::{FieldProblem, Problem},
};

/// Collects what is wrong with the fields of one request.
#[derive(Default)]
pub(super) struct Problems(Vec<FieldProblem>);

impl Problems {
    /// `field` has `problem`.
    pub(super) fn add(&mut self, field: &str, problem: Problem) {
        self.0.push(FieldProblem::new(field, problem));
    }

    /// A text of one line: no control characters, at most `max` characters.
    pub(super) fn line(&mut self, field: &str, text: &str, max: usize) {
        if text.chars().any(char::is_control) {
            self.add(field, Problem::BadCharacter);
        } else {
            self.length(field, text, max);
        }
    }

    /// Like [`Self::line`], and not blank.
    pub(super) fn filled_line(&mut self, field: &str, text: &str, max: usize) {
        if is_blank(text) {
            self.add(field, Problem::Blank);
        } else {
            self.line(field, text, max);
        }
    }

    /// A text of several lines: no NUL (MySQL and C programs end there), at most `max` characters.
    pub(super) fn text(&mut self, field: &str, text: &str, max: usize) {
        if text.contains('\0') {
            self.add(field, Problem::BadCharacter);
        } else {
            self.length(field, text, max);
        }
    }

    fn length(&mut self, field: &str, text: &str, max: usize) {
        // Bytes first: most texts are short enough without counting their characters.
        if text.len() > max && text.chars().count() > max {
            self.add(field, Problem::TooLong { max });
        }
    }

    /// Refuses when anything was found.
    pub(super) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::fields(self.0)) }
    }
}

/// Is there nothing to see? Zero-width characters count as nothing, since a room
/// or a message of them alone would look empty.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
    })
}
