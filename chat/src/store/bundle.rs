//! All rows of a statement as one value.
//!
//! sqlx hands the rows of SQLite from its thread to ours one by one, each column copied twice and nearly each row a
//! change of threads: a list costs several times as much on that way as in the database. So SQLite puts the rows into
//! one JSON text, which is read here. MySQL sends them together, and needs nothing of the kind.

use serde::{Deserialize, Deserializer};

/// A row that [`all`] reads: its columns by name, in the order of the fields. Made by [`row`].
pub(super) trait Bundled: for<'de> Deserialize<'de> {
    /// The columns' names.
    const COLUMNS: &'static [&'static str];
}

/// Defines a row whose columns bear the names of its fields.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$of_field:meta])* $of_vis:vis $field:ident: $kind:ty,)+ }) => {
        $(#[$meta])*
        #[derive(sqlx_macros::FromRow, serde::Deserialize)]
        $vis struct $name { $($(#[$of_field])* $of_vis $field: $kind,)+ }

        impl $crate::store::bundle::Bundled for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
        }
    };
}
pub(super) use row;

/// Runs the SELECT `sql`, whose placeholders `$bound` fills, and gives all its rows, in its order.
macro_rules! all {
    ($conn:expr, $row:ty, $sql:expr, |$query:ident| $bound:expr) => {
        match $conn.link() {
            $crate::store::Link::Sqlite(link) => {
                let $query =
                    sqlx::query_scalar(sqlx::AssertSqlSafe($crate::store::bundle::text::<$row>($sql)));
                let json: String = $bound.fetch_one(&mut *link).await?;
                $crate::store::bundle::read::<$row>(&json)
            }
            $crate::store::Link::MySql(link) => {
                let $query = sqlx::query_as::<_, $row>(sqlx::AssertSqlSafe($sql));
                Ok($bound.fetch_all(&mut *link).await?)
            }
        }
    };
}
pub(super) use all;

/// Runs two SELECTs and gives the rows of each; on SQLite as one statement, so that both are of the same moment.
macro_rules! both {
    (
        $conn:expr,
        $first:ty, $first_sql:expr, |$first_query:ident| $first_bound:expr,
        $second:ty, $second_sql:expr, |$second_query:ident| $second_bound:expr $(,)?
    ) => {
        match $conn.link() {
            $crate::store::Link::Sqlite(link) => {
                let (first, second) = (
                    $crate::store::bundle::text::<$first>($first_sql),
                    $crate::store::bundle::text::<$second>($second_sql),
                );
                let $first_query = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT ({first}), ({second})")));
                let $second_query = $first_bound;
                let row = $second_bound.fetch_one(&mut *link).await?;
                (
                    $crate::store::bundle::read::<$first>(sqlx::Row::try_get(&row, 0)?)?,
                    $crate::store::bundle::read::<$second>(sqlx::Row::try_get(&row, 1)?)?,
                )
            }
            $crate::store::Link::MySql(link) => {
                let $first_query = sqlx::query_as::<_, $first>(sqlx::AssertSqlSafe($first_sql));
                let first = $first_bound.fetch_all(&mut *link).await?;
                let $second_query = sqlx::query_as::<_, $second>(sqlx::AssertSqlSafe($second_sql));
                (first, $second_bound.fetch_all(&mut *link).await?)
            }
        }
    };
}
pub(super) use both;

/// The statement that gives the rows of `sql` as one JSON text.
pub(super) fn text<Row: Bundled>(sql: impl AsRef<str>) -> String {
    format!("SELECT {} FROM ({}) q", columns::<Row>("q"), sql.as_ref())
}

/// What a SELECT from `table` on SQLite says to give its rows as one such text.
pub(super) fn columns<Row: Bundled>(table: &str) -> String {
    let columns = Row::COLUMNS.join(&format!(", {table}."));
    format!("json_group_array(json_array({table}.{columns}))")
}

/// The rows in such a text.
pub(super) fn read<Row: Bundled>(json: &str) -> super::StoreResult<Vec<Row>> {
    serde_json::from_str(json).map_err(|_| super::StoreError::Corrupt("a row that cannot be read"))
}

/// Reads a flag, which SQLite keeps as 0 or 1.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    i64::deserialize(deserializer).map(|number| number != 0)
}

/// The same where an outer join may leave it out.
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
        assert_eq!(text::<Sample>("SELECT 1"), expected);
    }

    #[test]
    fn rows_are_read_as_they_were_stored() {
        let json = r#"[[9007199254740993,1,null,null],[-1,0,1,"茶 \"\\\u0001\n"]]"#;
        let rows = [
            Sample { id: 9_007_199_254_740_993, is_kept: true, is_known: None, text: None },
            Sample { id: -1, is_kept: false, is_known: Some(true), text: Some("茶 \"\\\u{1}\n".into()) },
        ];
        assert_eq!(read::<Sample>(json).expect("rows"), rows);
    }

    #[test]
    fn what_no_database_wrote_is_an_error() {
        for json in ["", "{}", "[[1]]", r#"[["1",1,1,null]]"#] {
            assert!(read::<Sample>(json).is_err(), "{json}");
        }
    }
}
