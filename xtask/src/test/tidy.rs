//! Checks of this repository that no lint has. Each prints its findings, and one line with what is expected.

mod circles;
mod layers;

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;

use super::Tally;
use crate::{fingerprint::files_under, process, progress, workspace};

/// The folders of the product's code.
const CODE: &[&str] = &["app", "chat", "frontend", "src", "xtask"];
/// Where SQL is allowed: the store, its tests, and the measurement of SQLite alone.
const STORE: &[&str] = &["chat/src/store.rs", "chat/src/store", "chat/tests", "xtask/bench/src/disk.rs"];
/// Elements whose content Leptos does not escape: the markup, the one file that escapes the content, and how other files
/// may use it.
const UNESCAPED: &[(&str, &str, &str)] = &[
    ("<textarea", "app/src/ui/text_area.rs", "inner_html=text_area::content("),
    ("textarea()", "app/src/ui/text_area.rs", ""),
    ("<Title", "app/src/pages/title.rs", ""),
    ("<style", "", ""),
];
/// Crates that `chat` must not depend on, by the start of the name.
const NOT_IN_CHAT: &[&str] = &["axum", "leptos"];

/// One check: its name, what it expects, and the function that returns its findings.
type Check = (&'static str, &'static str, fn(&Path) -> Result<Vec<String>>);

const CHECKS: &[Check] = &[
    ("migrations", "each migration is in migrations/sqlite and migrations/mysql, under one name", migrations),
    ("locales", "each file in app/locales has the same keys", locales),
    ("modules", "a module is name.rs with name/ beside it, never mod.rs", modules),
    ("domain", "chat depends on neither axum nor leptos", domain),
    ("layers", "a module of chat imports only from lower layers, see tidy/layers.rs", layers::layers),
    ("circles", "no files of chat and src import each other, see tidy/circles.rs", circles::circles),
    ("sql", "the product's SQL is only in chat/src/store", sql),
    ("markup", "content that Leptos does not escape is written in one file, which escapes it", markup),
];

/// Runs every check.
pub(super) fn check() -> Tally {
    let root = workspace::root();
    let run = |(name, expected, find): &Check| {
        let findings = find(&root).unwrap_or_else(|error| vec![format!("{error:#}")]);
        for finding in &findings {
            progress::note(&format!("tidy {name}: {finding}"));
        }
        if !findings.is_empty() {
            progress::note(&format!("tidy {name}: expected: {expected}"));
        }
        Tally::check(findings.is_empty())
    };
    CHECKS.iter().map(run).sum()
}

fn migrations(root: &Path) -> Result<Vec<String>> {
    let names = |database: &str| -> Result<BTreeSet<PathBuf>> {
        let folder = root.join("migrations").join(database);
        let relative = |file: PathBuf| Ok(file.strip_prefix(&folder)?.to_path_buf());
        files_under(&folder)?.into_iter().map(relative).collect()
    };
    let (sqlite, mysql) = (names("sqlite")?, names("mysql")?);
    ensure!(!sqlite.is_empty(), "there are no migrations");
    let unpaired = sqlite.symmetric_difference(&mysql);
    Ok(unpaired.map(|name| format!("{} is missing in the other folder", name.display())).collect())
}

fn locales(root: &Path) -> Result<Vec<String>> {
    let files = files_under(&root.join("app/locales"))?;
    ensure!(!files.is_empty(), "there are no locales");
    let mut all = Vec::new();
    for file in files.iter().filter(|file| file.extension() == Some(OsStr::new("json"))) {
        let name = file.strip_prefix(root)?.display().to_string();
        let text = fs::read_to_string(file)?;
        let value = serde_json::from_str::<Value>(&text).with_context(|| format!("in {name}"))?;
        let mut keys = BTreeSet::new();
        collect_keys("", &value, &mut keys);
        all.push((name, keys));
    }
    let every = all.iter().flat_map(|(_, keys)| keys).cloned().collect::<BTreeSet<_>>();
    let lacking = |(name, keys): &(String, BTreeSet<String>)| {
        every.difference(keys).map(|key| format!("{name} lacks `{key}`")).collect::<Vec<_>>()
    };
    Ok(all.iter().flat_map(lacking).collect())
}

/// The keys of a locale, nested ones as `rooms.title`, plural forms without their ending: Chinese has one form
/// where English has two.
fn collect_keys(prefix: &str, value: &Value, keys: &mut BTreeSet<String>) {
    const FORMS: &[&str] = &["_zero", "_one", "_two", "_few", "_many", "_other"];
    let Value::Object(entries) = value else {
        let stem = FORMS.iter().find_map(|form| prefix.strip_suffix(form)).unwrap_or(prefix);
        keys.insert(stem.to_owned());
        return;
    };
    for (key, value) in entries {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        collect_keys(&path, value, keys);
    }
}

fn modules(root: &Path) -> Result<Vec<String>> {
    let of_old_style = |file: &PathBuf| file.file_name() == Some(OsStr::new("mod.rs"));
    Ok(rust_files(root)?.into_iter().filter(of_old_style).map(|file| file.display().to_string()).collect())
}

fn domain(_: &Path) -> Result<Vec<String>> {
    let mut cargo = workspace::cargo();
    cargo.args(["tree", "--package", "chat", "--all-features", "--edges", "normal,build"]);
    cargo.args(["--target", "all", "--prefix", "none", "--format", "{p}"]);
    let tree = process::output(&mut cargo).context("`cargo tree` fails")?;
    ensure!(tree.starts_with("chat "), "`cargo tree` does not show chat");
    let odd = |line: &&str| NOT_IN_CHAT.iter().any(|name| line.starts_with(name));
    let found = tree.lines().filter(odd).map(str::to_owned).collect::<BTreeSet<_>>();
    Ok(found.into_iter().collect())
}

fn sql(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in rust_files(root)? {
        let relative = file.strip_prefix(root)?;
        if STORE.iter().any(|place| relative.starts_with(place)) {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        let tokens = source
            .parse::<TokenStream>()
            .map_err(|error| anyhow::anyhow!("{}: {error}", relative.display()))?;
        let mut statements = Vec::new();
        collect_sql(tokens, &mut statements);
        findings.extend(statements.iter().map(|sql| format!("{}: {sql}", relative.display())));
    }
    Ok(findings)
}

fn markup(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in rust_files(root)? {
        let relative = file.strip_prefix(root)?;
        if !relative.starts_with("app/src") {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>();
        let count = |text: &str| code.iter().filter(|line| !text.is_empty() && line.contains(text)).count();
        let odd = |(markup, home, escaped): &&(&str, &str, &str)| {
            relative != Path::new(home) && count(markup) > count(escaped)
        };
        let found = UNESCAPED.iter().filter(odd);
        findings.extend(found.map(|(markup, ..)| format!("{}: {markup}", relative.display())));
    }
    Ok(findings)
}

/// Collects the string literals that look like a statement, except in documentation.
fn collect_sql(tokens: TokenStream, found: &mut Vec<String>) {
    let mut is_doc = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_sql(group.stream(), found),
            TokenTree::Ident(ident) => is_doc = ident == "doc",
            TokenTree::Punct(punct) => is_doc &= punct.as_char() == '=',
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if !is_doc && text.contains('"') && is_statement(&text) {
                    found.push(text.chars().take(60).collect());
                }
            }
        }
    }
}

/// Whether a literal begins with the words of an SQL statement in capitals.
fn is_statement(literal: &str) -> bool {
    let text = literal.trim_start_matches(['b', 'c', 'r', '#', '"']).replace("\\n", " ");
    let words = text.split_whitespace().take_while(|word| *word != "\\").collect::<Vec<_>>();
    match words.as_slice() {
        ["SELECT" | "WITH", _, ..] | ["INSERT" | "REPLACE", "INTO", ..] | ["DELETE", "FROM", ..] => true,
        ["UPDATE", rest @ ..] => rest.contains(&"SET"),
        _ => false,
    }
}

/// Every Rust file of the product.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in CODE {
        files.extend(files_under(&root.join(folder))?);
    }
    files.retain(|file| file.extension() == Some(OsStr::new("rs")));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_found_in_literals_and_not_in_comments() {
        let source = r##"
            /// SELECT a person.
            // SELECT nobody.
            fn rooms() {
                query("SELECT id FROM chat_room");
                query(r#"
                    UPDATE chat_room SET seq = 1"#);
                say("UPDATE your browser");
                say("Please SELECT one");
            }
        "##;
        let mut found = Vec::new();
        collect_sql(source.parse().expect("Rust"), &mut found);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn plural_forms_of_one_key_are_one_key() {
        let keys = |json: &str| {
            let mut keys = BTreeSet::new();
            collect_keys("", &serde_json::from_str(json).expect("JSON"), &mut keys);
            keys
        };
        let english = keys(
            r#"{"rooms": {"count_one": "a room", "count_other": "{{ count }} rooms"}, "hello": "Hello"}"#,
        );
        assert_eq!(english, keys(r#"{"rooms": {"count_other": "{{ count }} 个房间"}, "hello": "你好"}"#));
        assert_ne!(english, keys(r#"{"rooms": {}, "hello": "你好"}"#));
    }
}
