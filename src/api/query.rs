//! Reads a query string parameter by parameter, and reports invalid ones in the contract's words.

use std::collections::HashMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use chat::model::{FieldError, Problem, id::MAX_ID};

use super::coerce;
use crate::error::ApiError;

/// The parameters of a request. If a name is repeated, the last value counts.
#[derive(Debug, Default)]
pub struct Params {
    values: HashMap<String, String>,
    problems: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    /// Parses a query string.
    pub fn parse(query: &str) -> Self {
        Self {
            values: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            problems: Vec::new(),
        }
    }

    /// A string, if present and not empty. One that contains NUL is an error: databases and C programs end there.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let text = self.values.remove(name).filter(|text| !text.is_empty())?;
        if text.contains('\0') {
            self.problem(name, Problem::BadCharacter);
            return None;
        }
        Some(text)
    }

    /// An integer, if present. It must be at most `MAX_ID`, the largest that JavaScript can hold.
    pub fn number(&mut self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        let number = coerce::number_of(&text).filter(|number| *number <= MAX_ID);
        if number.is_none() {
            self.problem(name, Problem::WrongType);
        }
        number
    }

    /// `true` or `false`, or another word that Django takes for them; false if it is missing.
    pub fn flag(&mut self, name: &str) -> bool {
        let Some(word) = self.text(name) else { return false };
        let flag = coerce::flag_of(&word);
        if flag.is_none() {
            self.problem(name, Problem::WrongType);
        }
        flag.unwrap_or_default()
    }

    /// Records an error of the parameter `name`.
    pub fn problem(&mut self, name: &str, problem: Problem) {
        self.problems.push(FieldError::new(name, problem));
    }

    /// Fails if any parameter was invalid.
    ///
    /// # Errors
    /// `invalid`, with all recorded errors.
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
    fn invalid_parameters_are_reported_by_name() {
        let mut params = Params::parse("page=9007199254740992&search=a%00b&mine=perhaps&size=&limit=7");
        assert_eq!(params.number("page"), None);
        assert_eq!(params.text("search"), None);
        assert!(!params.flag("mine"));
        assert_eq!(params.number("size"), None, "empty counts as missing");
        assert_eq!(params.number("limit"), Some(7));
        let error = params.finish().expect_err("three are bad");
        let noted: Vec<_> = error.failure().fields.iter().map(|f| (f.field.as_str(), f.problem)).collect();
        let expected =
            [("page", Problem::WrongType), ("search", Problem::BadCharacter), ("mine", Problem::WrongType)];
        assert_eq!(noted, expected);
    }
}
