//! The list of all API calls, for tests with a row for each.
//!
//! It is read from the documentation, which another test compares with the router. So each such test fails until a new
//! call has its row.

use std::collections::BTreeSet;

use crate::documents;

/// Pages and documents of the API: they have no input and no effect.
const PAGES: [&str; 3] = ["/api/schema/", "/api/docs/", "/api/chat/test/"];

/// `METHOD /path/` of every call.
pub fn all() -> BTreeSet<String> {
    let calls = documents::named().into_iter().filter(|(_, path)| path.starts_with("/api/"));
    calls
        .filter(|(_, path)| !PAGES.contains(&path.as_str()))
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

/// Asserts that each call has a row, and each row a call.
#[track_caller]
pub fn assert_complete<'a>(rows: impl IntoIterator<Item = &'a str>) {
    let rows: BTreeSet<String> = rows.into_iter().map(str::to_owned).collect();
    let all = all();
    assert_eq!(
        rows.difference(&all).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "rows of calls that are not"
    );
    assert_eq!(all.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "calls without a row");
}
