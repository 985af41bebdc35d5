//! Files that import each other, directly or over others.
//!
//! A module and the modules inside it count as one: a parent names its children, and they share its types.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::Path,
};

use anyhow::{Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

use crate::fingerprint::files_under;

/// The source folders of the crates that are checked.
const SOURCES: &[&str] = &["chat/src", "src"];

/// A module's path in its crate.
type Module = Vec<String>;

pub(super) fn circles(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for source in SOURCES {
        for (from, to) in in_circles(imports(&root.join(source))?) {
            findings.push(format!("{source}: {} imports {}", from.join("::"), to.join("::")));
        }
    }
    Ok(findings)
}

/// Which modules of a crate each one imports from.
fn imports(source: &Path) -> Result<BTreeMap<Module, BTreeSet<Module>>> {
    let mut files = BTreeMap::new();
    for file in files_under(source)? {
        let relative = file.strip_prefix(source)?.with_extension("");
        let module = relative.iter().filter_map(OsStr::to_str).map(str::to_owned).collect::<Module>();
        let is_root = module == ["lib"] || module == ["main"];
        let is_code = file.extension() == Some(OsStr::new("rs"));
        if is_code && !is_root && !module.iter().any(|name| name == "tests") {
            files.insert(module, file);
        }
    }
    let mut imports = BTreeMap::new();
    for (module, file) in &files {
        let tokens = fs::read_to_string(file)?
            .parse::<TokenStream>()
            .map_err(|error| anyhow!("{}: {error}", file.display()))?;
        let mut paths = Vec::new();
        collect_uses(tokens, &mut paths);
        let known = |path: Module| {
            (1..=path.len())
                .rev()
                .map(|n| &path[..n])
                .find(|p| files.contains_key(*p))
                .map(<[String]>::to_vec)
        };
        let used = paths.into_iter().filter_map(|path| known(absolute(module, path)));
        let foreign = used.filter(|other| !other.starts_with(module) && !module.starts_with(other));
        imports.insert(module.clone(), foreign.collect());
    }
    Ok(imports)
}

/// The imports that are left when modules that import nothing, or are imported by nothing, are taken away again and again.
fn in_circles(mut imports: BTreeMap<Module, BTreeSet<Module>>) -> Vec<(Module, Module)> {
    loop {
        let before = imports.len();
        let imported = imports.values().flatten().cloned().collect::<BTreeSet<_>>();
        imports.retain(|module, used| !used.is_empty() && imported.contains(module));
        let left = imports.keys().cloned().collect::<BTreeSet<_>>();
        for used in imports.values_mut() {
            used.retain(|other| left.contains(other));
        }
        if imports.len() == before {
            break;
        }
    }
    imports.into_iter().flat_map(|(from, to)| to.into_iter().map(move |to| (from.clone(), to))).collect()
}

/// The path from the crate's root of a path in this module.
fn absolute(module: &[String], path: Module) -> Module {
    let mut words = path.into_iter().peekable();
    let mut base = if words.next_if(|word| word == "crate").is_some() { Vec::new() } else { module.to_vec() };
    let _ = words.next_if(|word| word == "self");
    while words.next_if(|word| word == "super").is_some() {
        base.pop();
    }
    base.extend(words);
    base
}

/// Collects the paths of all `use` items, except in `mod tests { … }`.
fn collect_uses(tokens: TokenStream, found: &mut Vec<Module>) {
    let tokens = tokens.into_iter().collect::<Vec<_>>();
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(ident) if ident == "use" => {
                let end = tokens[at..].iter().position(|token| is_punct(token, ';'));
                let end = end.map_or(tokens.len(), |end| at + end);
                expand(&tokens[at + 1..end], &[], found);
                at = end;
            }
            TokenTree::Group(group) if !(at >= 2 && is(at - 2, "mod") && is(at - 1, "tests")) => {
                collect_uses(group.stream(), found);
            }
            _ => {}
        }
        at += 1;
    }
}

/// The paths of a `use` tree.
fn expand(tree: &[TokenTree], prefix: &[String], found: &mut Vec<Module>) {
    for part in tree.split(|token| is_punct(token, ',')) {
        let mut path = prefix.to_vec();
        let mut is_alias = false;
        for token in part {
            match token {
                TokenTree::Ident(ident) if ident == "as" => is_alias = true,
                TokenTree::Ident(ident) if !is_alias => path.push(ident.to_string()),
                TokenTree::Group(group) => {
                    let inner = group.stream().into_iter().collect::<Vec<_>>();
                    expand(&inner, &path, found);
                    path.clear();
                }
                _ => {}
            }
        }
        if path.len() > prefix.len() {
            found.push(path);
        }
    }
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Module {
        text.split("::").map(str::to_owned).collect()
    }

    #[test]
    fn paths_of_uses_are_found() {
        let code =
            "use super::{a, b::{self, C as D}}; fn f() { use crate::x::Y; } mod tests { use super::*; }";
        let mut found = Vec::new();
        collect_uses(code.parse().expect("tokens"), &mut found);
        let found = found.into_iter().map(|path| absolute(&["m".into(), "n".into()], path));
        assert_eq!(found.collect::<Vec<_>>(), ["m::a", "m::b::self", "m::b::C", "x::Y"].map(path));
    }

    #[test]
    fn only_circles_are_left() {
        let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("d", "e")];
        let mut imports = BTreeMap::<_, BTreeSet<_>>::new();
        for (from, to) in edges {
            imports.entry(path(from)).or_default().insert(path(to));
            imports.entry(path(to)).or_default();
        }
        assert_eq!(in_circles(imports), [("b", "c"), ("c", "b")].map(|(from, to)| (path(from), path(to))));
    }
}
