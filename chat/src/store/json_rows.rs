//! Reads all rows of a statement as one JSON value on SQLite.
//!
//! The SQLite driver of sqlx passes rows from its thread to ours one at a time, copying each column twice, with
//! nearly one thread switch per row: reading a list costs several times as much as the query. So SQLite aggregates
//! the rows into one JSON text, which is parsed here. MySQL sends its rows together and does not need this.

use serde::{Deserialize, Deserializer};

/// A row that [`fetch_all`] reads, with its columns in the order of the fields. Implemented by [`row`].
pub(super) trait JsonRow: for<'de> Deserialize<'de> {
    /// The columns' names.
    const COLUMNS: &'static [&'static str];
}

/// Defines a row type whose columns have the names of its fields.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$of_field:meta])* $of_vis:vis $field:ident: $kind:ty,)+ }) => {
        $(#[$meta])*
        #[derive(sqlx_macros::FromRow, serde::Deserialize)]
        $vis struct $name { $($(#[$of_field])* $of_vis $field: $kind,)+ }

        impl $crate::store::json_rows::JsonRow for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
        }
    };
}
pub(super) use row;

/// Runs the SELECT `$sql` with the placeholders bound by `$bound` and returns all rows in their order.
macro_rules! fetch_all {
    ($conn:expr, $row:ty, $sql:expr, |$query:ident| $bound:expr) => {
        match $conn.driver() {
            $crate::store::DriverConn::Sqlite(db) => {
                let $query = sqlx::query_scalar(sqlx::AssertSqlSafe(
                    $crate::store::json_rows::select_json::<$row>($sql),
                ));
                let json: String = $bound.fetch_one(&mut *db).await?;
                $crate::store::json_rows::parse::<$row>(&json)
            }
            $crate::store::DriverConn::MySql(db) => {
                let $query = sqlx::query_as::<_, $row>(sqlx::AssertSqlSafe($sql));
                Ok($bound.fetch_all(&mut *db).await?)
            }
        }
    };
}
pub(super) use fetch_all;

/// The statement that returns the rows of `sql` as one JSON text.
pub(super) fn select_json<Row: JsonRow>(sql: impl AsRef<str>) -> String {
    format!("SELECT {} FROM ({}) q", json_columns::<Row>("q"), sql.as_ref())
}

/// The SELECT expression that aggregates the rows of `table` into a JSON text on SQLite.
pub(super) fn json_columns<Row: JsonRow>(table: &str) -> String {
    let columns = Row::COLUMNS.join(&format!(", {table}."));
    format!("json_group_array(json_array({table}.{columns}))")
}

/// Parses such a JSON text.
pub(super) fn parse<Row: JsonRow>(json: &str) -> super::StoreResult<Vec<Row>> {
    serde_json::from_str(json).map_err(|_| super::StoreError::Corrupt("a row that cannot be read"))
}

/// Deserialises a boolean, which SQLite stores as 0 or 1.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    i64::deserialize(deserializer).map(|number| number != 0)
}

/// The same for a nullable column.
pub(super) fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(|number| number != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    row! {
        #[derive(Debug, PartialEq)]
        struct Sample {
            id: i64,
            #[serde(deserialize_with = "flag")]
            is_kept: bool,
            #[serde(deserialize_with = "optional_flag")]
            is_known: Option<bool>,
            text: Option<String>,
        }
    }

    #[test]
    fn columns_are_named_in_the_order_of_the_fields() {
        let expected =
            "SELECT json_group_array(json_array(q.id, q.is_kept, q.is_known, q.text)) FROM (SELECT 1) q";
        assert_eq!(select_json::<Sample>("SELECT 1"), expected);
    }

    #[test]
    fn rows_are_read_as_they_were_stored() {
        let json = r#"[[9007199254740993,1,null,null],[-1,0,1,"茶 \"\\\u0001\n"]]"#;
        let rows = [
            Sample { id: 9_007_199_254_740_993, is_kept: true, is_known: None, text: None },
            Sample { id: -1, is_kept: false, is_known: Some(true), text: Some("茶 \"\\\u{1}\n".into()) },
        ];
        assert_eq!(parse::<Sample>(json).expect("rows"), rows);
    }

    #[test]
    fn malformed_json_is_an_error() {
        for json in ["", "{}", "[[1]]", r#"[["1",1,1,null]]"#] {
            assert!(parse::<Sample>(json).is_err(), "{json}");
        }
    }
}
