//! Reading a query string parameter by parameter, with the contract's words for bad ones.

use std::collections::HashMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use chat::model::{FieldProblem, Problem, id::MAX_ID};

use super::coerce;
use crate::error::ApiError;

/// The parameters of a request; the last of equal names counts.
#[derive(Debug, Default)]
pub struct Params {
    values: HashMap<String, String>,
    problems: Vec<FieldProblem>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    /// Reads a query string.
    pub fn parse(query: &str) -> Self {
        Self {
            values: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            problems: Vec::new(),
        }
    }

    /// A text, if it is there and not empty. One with a NUL is noted: databases and C programs end there.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let text = self.values.remove(name).filter(|text| !text.is_empty())?;
        if text.contains('\0') {
            self.problem(name, Problem::BadCharacter);
            return None;
        }
        Some(text)
    }

    /// A whole number, if it is there; not one that JavaScript could not hold.
    pub fn number(&mut self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        let number = coerce::number_of(&text).filter(|number| *number <= MAX_ID);
        if number.is_none() {
            self.problem(name, Problem::WrongType);
        }
        number
    }

    /// `true` or `false`, or another word that Django takes for them; false when it is not there.
    pub fn flag(&mut self, name: &str) -> bool {
        let Some(word) = self.text(name) else { return false };
        let flag = coerce::flag_of(&word);
        if flag.is_none() {
            self.problem(name, Problem::WrongType);
        }
        flag.unwrap_or_default()
    }

    /// Notes that `name` has `problem`.
    pub fn problem(&mut self, name: &str, problem: Problem) {
        self.problems.push(FieldProblem::new(name, problem));
    }

    /// Refuses when a parameter was bad.
    ///
    /// # Errors
    /// `invalid`, with all of them.
    pub fn finish(&mut self) -> Result<(), ApiError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::fields(std::mem::take(&mut self.problems)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_parameter_may_be_is_noted_by_name() {
        let mut params = Params::parse("page=9007199254740992&search=a%00b&mine=perhaps&size=&limit=7");
        assert_eq!(params.number("page"), None);
        assert_eq!(params.text("search"), None);
        assert!(!params.flag("mine"));
        assert_eq!(params.number("size"), None, "empty is not there");
        assert_eq!(params.number("limit"), Some(7));
        let error = params.finish().expect_err("three are bad");
        let noted: Vec<_> = error.failure().fields.iter().map(|f| (f.field.as_str(), f.problem)).collect();
        let expected =
            [("page", Problem::WrongType), ("search", Problem::BadCharacter), ("mine", Problem::WrongType)];
        assert_eq!(noted, expected);
    }
}
