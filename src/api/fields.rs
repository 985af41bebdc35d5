//! Reads the fields of a request body or a socket frame, and collects the errors of all invalid ones.

use chat::model::{Code, FieldError, Problem};
use serde_json::{Map, Value};

use super::coerce;
use crate::error::ApiError;

/// The byte order mark that some Windows programs put before JSON.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The fields of a JSON object or of a form.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    problems: Vec<FieldError>,
    /// Whether values are converted as by Django REST Framework's serializers, see [`coerce`].
    coerces: bool,
}

impl Fields {
    /// Parses the JSON object of a REST request.
    ///
    /// # Errors
    /// `parse_error` if it is not a JSON object.
    pub fn of_json(body: &[u8]) -> Result<Self, ApiError> {
        let strict = Self::of_frame(body.strip_prefix(BOM).unwrap_or(body))?;
        Ok(Self { coerces: true, ..strict })
    }

    /// Parses the JSON object of a socket frame, whose values must have the right types.
    ///
    /// # Errors
    /// `parse_error` if it is not a JSON object.
    pub fn of_frame(text: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(values)) => Ok(Self { values, problems: Vec::new(), coerces: false }),
            Ok(_) | Err(_) => Err(Code::ParseError.into()),
        }
    }

    /// The fields of a form, which are all strings.
    pub fn of_form(values: Map<String, Value>) -> Self {
        Self { values, problems: Vec::new(), coerces: true }
    }

    /// Adds a problem of `field`.
    pub fn problem(&mut self, field: &str, problem: Problem) {
        self.problems.push(FieldError::new(field, problem));
    }

    /// A required string. Empty, with an error added, if it is missing or invalid.
    pub fn text(&mut self, field: &str) -> String {
        match self.values.remove(field) {
            None => self.problem(field, Problem::Required),
            Some(Value::Null) => self.problem(field, Problem::Null),
            Some(value) => {
                return self.read(field, &value, coerce::strict_text, coerce::text).unwrap_or_default();
            }
        }
        String::new()
    }

    /// An optional string, which may be null.
    pub fn optional_text(&mut self, field: &str) -> Option<String> {
        let value = self.optional(field)?;
        self.read(field, &value, coerce::strict_text, coerce::text)
    }

    /// An optional integer, which may be null.
    pub fn optional_number(&mut self, field: &str) -> Option<i64> {
        let value = self.optional(field)?;
        self.read(field, &value, coerce::strict_number, coerce::number)
    }

    /// An integer; `None`, without an error, for anything else.
    pub fn number_if_any(&mut self, field: &str) -> Option<i64> {
        self.values.remove(field).as_ref().and_then(Value::as_i64)
    }

    /// A required integer. 0, with an error added, if it is missing or invalid.
    pub fn number(&mut self, field: &str) -> i64 {
        if !self.values.contains_key(field) {
            self.problem(field, Problem::Required);
        }
        self.changed_number(field).unwrap_or_default()
    }

    /// A required boolean. False, with an error added, if it is missing or invalid.
    pub fn flag(&mut self, field: &str) -> bool {
        if !self.values.contains_key(field) {
            self.problem(field, Problem::Required);
        }
        self.changed_flag(field).unwrap_or_default()
    }

    /// An optional string that must not be null: the change of a value that is always set.
    pub fn changed_text(&mut self, field: &str) -> Option<String> {
        let value = self.changed(field)?;
        self.read(field, &value, coerce::strict_text, coerce::text)
    }

    /// An optional integer that must not be null.
    pub fn changed_number(&mut self, field: &str) -> Option<i64> {
        let value = self.changed(field)?;
        self.read(field, &value, coerce::strict_number, coerce::number)
    }

    /// An optional boolean that must not be null.
    pub fn changed_flag(&mut self, field: &str) -> Option<bool> {
        let value = self.changed(field)?;
        self.read(field, &value, coerce::strict_flag, coerce::flag)
    }

    /// Fails if a field was invalid.
    ///
    /// # Errors
    /// `invalid`, with all errors.
    pub fn finish(&mut self) -> Result<(), ApiError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::fields(std::mem::take(&mut self.problems)))
        }
    }

    /// The value of an optional field. An empty field of a form counts as missing.
    fn optional(&mut self, field: &str) -> Option<Value> {
        let is_empty = |value: &Value| value.is_null() || (self.coerces && value == "");
        self.values.remove(field).filter(|value| !is_empty(value))
    }

    /// The value of an optional field that must not be null.
    fn changed(&mut self, field: &str) -> Option<Value> {
        let value = self.values.remove(field)?;
        if value.is_null() {
            self.problem(field, Problem::Null);
            return None;
        }
        Some(value)
    }

    fn read<T>(
        &mut self,
        field: &str,
        value: &Value,
        strict: fn(&Value) -> Option<T>,
        coerced: fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let read = if self.coerces { coerced(value) } else { strict(value) };
        if read.is_none() {
            self.problem(field, Problem::WrongType);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(fields: &mut Fields) -> Vec<(String, Problem)> {
        let error = fields.finish().expect_err("refused");
        error.failure().fields.iter().map(|field| (field.field.clone(), field.problem)).collect()
    }

    #[test]
    fn every_bad_field_is_noted_and_good_ones_are_read() {
        let text = br#"{"a":"x","b":null,"c":[],"n":7,"m":1.5,"big":99999999999999999999}"#;
        let mut fields = Fields::of_json(text).expect("an object");
        assert_eq!(fields.text("a"), "x");
        assert_eq!(fields.optional_text("b"), None);
        assert_eq!(fields.optional_number("n"), Some(7));
        fields.text("b");
        fields.text("c");
        fields.optional_number("m");
        fields.optional_number("big");
        let expected = [
            // It was taken by the first look.
            ("b".to_owned(), Problem::Required),
            ("c".to_owned(), Problem::WrongType),
            ("m".to_owned(), Problem::WrongType),
            ("big".to_owned(), Problem::WrongType),
        ];
        assert_eq!(problems(&mut fields), expected);
    }

    #[test]
    fn a_change_may_be_missing_and_may_not_be_null() {
        let mut fields = Fields::of_json(br#"{"a":"x","n":7,"f":false}"#).expect("an object");
        assert_eq!(fields.changed_text("a"), Some("x".into()));
        assert_eq!(fields.changed_number("n"), Some(7));
        assert_eq!(fields.changed_flag("f"), Some(false));
        assert_eq!(fields.changed_text("other"), None);
        assert_eq!(fields.changed_number("other"), None);
        assert_eq!(fields.changed_flag("other"), None);
        fields.finish().expect("nothing bad");

        let mut nulls = Fields::of_json(br#"{"a":null,"n":null,"f":null}"#).expect("an object");
        nulls.changed_text("a");
        nulls.changed_number("n");
        nulls.changed_flag("f");
        assert_eq!(problems(&mut nulls), ["a", "n", "f"].map(|field| (field.to_owned(), Problem::Null)));
    }

    #[test]
    fn an_empty_text_leaves_out_what_is_optional_and_is_no_value_of_a_change() {
        let empty = || json!({"a": "", "n": "", "f": ""}).to_string();
        let mut made = Fields::of_json(empty().as_bytes()).expect("an object");
        assert_eq!((made.optional_text("a"), made.optional_number("n")), (None, None));
        made.finish().expect("nothing bad");

        let mut changed = Fields::of_json(empty().as_bytes()).expect("an object");
        assert_eq!(changed.changed_text("a"), Some(String::new()));
        changed.changed_number("n");
        changed.changed_flag("f");
        assert_eq!(problems(&mut changed), ["n", "f"].map(|field| (field.to_owned(), Problem::WrongType)));
    }

    #[test]
    fn a_frame_is_not_coerced() {
        let text = json!({"a": 1, "n": "1", "f": "true", "o": ""}).to_string();
        let mut fields = Fields::of_frame(text.as_bytes()).expect("an object");
        fields.text("a");
        fields.number("n");
        fields.flag("f");
        assert_eq!(fields.optional_text("o"), Some(String::new()));
        assert_eq!(
            problems(&mut fields),
            ["a", "n", "f"].map(|field| (field.to_owned(), Problem::WrongType))
        );
        assert!(Fields::of_frame(b"\xef\xbb\xbf{}").is_err());
        assert!(Fields::of_json(b"\xef\xbb\xbf{}").is_ok());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = "[".repeat(10_000);
        for bad in ["", "{", "[]", "\"x\"", "{\"a\":\"\\ud800\"}", "nul", &deep] {
            let error = Fields::of_json(bad.as_bytes()).expect_err("refused");
            assert_eq!(error.code(), Code::ParseError);
        }
    }
}
