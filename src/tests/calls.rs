//! The list of the API's calls, for tests that are made of every one of them.
//!
//! It is taken from the documentation, which another test holds to the router: a call that
//! is new is missing in each such test until it has its row there.

use std::collections::BTreeSet;

use crate::documents;

/// Pages and documents of the API: they take nothing and touch no data.
const PAGES: [&str; 3] = ["/api/schema/", "/api/docs/", "/api/chat/test/"];

/// `METHOD /path/` of every call.
pub fn all() -> BTreeSet<String> {
    let calls = documents::named().into_iter().filter(|(_, path)| path.starts_with("/api/"));
    calls
        .filter(|(_, path)| !PAGES.contains(&path.as_str()))
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

/// Nothing is without its row, and no row without its call.
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
