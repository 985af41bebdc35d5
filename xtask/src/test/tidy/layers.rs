//! The layers of `chat`: a module imports only from modules before it in [`LAYERS`], so there are no circles.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Component, Path},
};

use anyhow::{Context, Result, anyhow, ensure};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::fingerprint::files_under;

/// The top-level modules of `chat`, from the lowest layer to the highest.
const LAYERS: &[&str] = &[
    "model",
    "clock",
    "owned_task",
    "queue",
    "metrics",
    "credential",
    "fold",
    "event",
    "change",
    "store",
    "error",
    "password",
    "bus",
    "rules",
    "hub",
    "writer",
    "service",
];

pub(super) fn layers(root: &Path) -> Result<Vec<String>> {
    let source = root.join("chat/src");
    let mut findings = Vec::new();
    for file in files_under(&source)? {
        let relative = file.strip_prefix(&source)?;
        let is_test = relative.file_stem() == Some(OsStr::new("tests"));
        if relative.extension() != Some(OsStr::new("rs")) || relative == Path::new("lib.rs") || is_test {
            continue;
        }
        let Some(Component::Normal(first)) = relative.components().next() else { continue };
        let module =
            Path::new(first).file_stem().and_then(OsStr::to_str).context("a module without a name")?;
        let layer = LAYERS.iter().position(|layer| *layer == module);
        ensure!(layer.is_some(), "`{module}` is not in LAYERS of xtask/src/test/tidy/layers.rs");
        let tokens = fs::read_to_string(&file)?
            .parse::<TokenStream>()
            .map_err(|error| anyhow!("{}: {error}", relative.display()))?;
        let mut imports = BTreeSet::new();
        collect_imports(tokens, &mut imports);
        let is_higher = |import: &&String| {
            LAYERS.iter().position(|layer| layer == import).is_some_and(|import| Some(import) > layer)
        };
        let upward = imports.iter().filter(is_higher);
        findings.extend(upward.map(|import| format!("chat/src/{}: imports {import}", relative.display())));
    }
    Ok(findings)
}

/// Collects each `a` of `crate::a` and `crate::{a, …}`, except in `mod tests { … }`.
fn collect_imports(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let tokens = tokens.into_iter().collect::<Vec<_>>();
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
    for (at, token) in tokens.iter().enumerate() {
        let follows_crate = at >= 3 && is(at - 3, "crate") && is_path_separator(&tokens[at - 2..at]);
        match token {
            TokenTree::Ident(ident) if follows_crate => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) if follows_crate && group.delimiter() == Delimiter::Brace => {
                found.extend(first_words(group.stream()));
            }
            TokenTree::Group(group) if !(at >= 2 && is(at - 2, "mod") && is(at - 1, "tests")) => {
                collect_imports(group.stream(), found);
            }
            _ => {}
        }
    }
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    tokens.iter().all(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':'))
}

/// The first word of each item of a list.
fn first_words(list: TokenStream) -> Vec<String> {
    let mut words = Vec::new();
    let mut begins = true;
    for token in list {
        if let (true, TokenTree::Ident(word)) = (begins, &token) {
            words.push(word.to_string());
        }
        begins = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_in_paths_and_lists_and_not_in_tests() {
        let source = r"
            //! See crate::writer.
            use crate::{model::{Code, RoomId}, store::{self, Store}, error::Result};
            fn f() -> crate::clock::Clock { crate::rules::access::allow() }
            mod tests { use crate::service::Chat; }
        ";
        let mut found = BTreeSet::new();
        collect_imports(source.parse().expect("Rust"), &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["clock", "error", "model", "rules", "store"]);
    }
}
