//! The styles: `style/main.css` with the files it imports, as one file.
//!
//! Each file is parsed and minified by itself, so that an error names its file and line, and replaces its `@import`. As
//! in CSS, imports come first; a layer that an import names is kept.

use std::{ffi::OsStr, fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet};

/// One `@import`: the file, and its layer.
#[derive(Debug, PartialEq, Eq)]
struct Import<'a> {
    file: &'a str,
    layer: Option<&'a str>,
}

/// The file with its imports, recursively, minified.
pub(crate) fn bundle(path: &Path) -> Result<String> {
    let source = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let folder = path.parent().unwrap_or(path);
    let mut imported = String::new();
    let mut own = String::new();
    for line in source.lines() {
        let Some(import) = import(line).with_context(|| format!("in {}", path.display()))? else {
            own.push_str(line);
            own.push('\n');
            continue;
        };
        // An empty line instead keeps the line numbers in errors.
        own.push('\n');
        let css = bundle(&folder.join(import.file))?;
        match import.layer {
            Some(layer) => imported.extend(["@layer ", layer, " {\n", css.trim_end(), "\n}\n"]),
            None => imported.push_str(&css),
        }
    }
    // Statements that fix the order of layers must be before the first use of a layer.
    let (order, rest) = split_layer_order(&own);
    Ok(minified(&order, path)? + &imported + &minified(&rest, path)?)
}

/// Reads a line of the form `@import "file.css";` or `@import "file.css" layer(name);`.
fn import(line: &str) -> Result<Option<Import<'_>>> {
    let Some(words) = line.trim().strip_prefix("@import") else { return Ok(None) };
    let parsed = || {
        let (file, rest) = words.trim().strip_prefix('"')?.split_once('"')?;
        let rest = rest.trim().strip_suffix(';')?.trim();
        let layer =
            if rest.is_empty() { None } else { Some(rest.strip_prefix("layer(")?.strip_suffix(')')?) };
        let is_local = !file.contains("://") && Path::new(file).extension() == Some(OsStr::new("css"));
        is_local.then_some(Import { file, layer })
    };
    match parsed() {
        Some(import) => Ok(Some(import)),
        None => {
            bail!("`{}` should read: @import \"file.css\"; or @import \"file.css\" layer(name);", line.trim())
        }
    }
}

/// Splits the lines `@layer a, b;` from the rest. Both parts keep their line numbers.
fn split_layer_order(source: &str) -> (String, String) {
    let mut order = String::new();
    let mut rest = String::new();
    for line in source.lines() {
        let is_order = line.starts_with("@layer") && line.trim_end().ends_with(';') && !line.contains('{');
        let (this, other) = if is_order { (&mut order, &mut rest) } else { (&mut rest, &mut order) };
        this.push_str(line);
        this.push('\n');
        other.push('\n');
    }
    (order, rest)
}

/// Parses and minifies a source. An error in it names the file and the line.
fn minified(source: &str, path: &Path) -> Result<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let options = ParserOptions { filename: name.clone(), ..ParserOptions::default() };
    let mut sheet = StyleSheet::parse(source, options).map_err(|error| anyhow!("style/{error}"))?;
    sheet.minify(MinifyOptions::default()).map_err(|error| anyhow!("style/{name}: {error}"))?;
    let printed = sheet.to_css(PrinterOptions { minify: true, ..PrinterOptions::default() })?;
    Ok(printed.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundled(files: &[(&str, &str)]) -> Result<String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, css) in files {
            fs::write(folder.path().join(name), css).expect("write");
        }
        bundle(&folder.path().join("main.css"))
    }

    #[test]
    fn imports_stand_where_they_were_before_what_follows() {
        let css = bundled(
            &[
                ("main.css", "@layer reset, parts;\n@import \"a.css\" layer(reset);\n@import \"b.css\";\np { color: red }\n"),
                ("a.css", "* { margin: 0px }"),
                ("b.css", "@import \"c.css\";\nb { color: blue }"),
                ("c.css", "i { color: #ff0000 }"),
            ],
        )
        .expect("a bundle");

        assert_eq!(
            css,
            "@layer reset,parts;@layer reset {\n*{margin:0}\n}\ni{color:red}b{color:#00f}p{color:red}"
        );
    }

    #[test]
    fn an_error_names_the_file_and_the_line() {
        let error = bundled(&[("main.css", "@import \"a.css\";\n"), ("a.css", "a {}\nb { color: ")])
            .and_then(|_| bundled(&[("main.css", "@import \"a.css\";\n"), ("a.css", "a {}\n} b")]))
            .expect_err("broken");

        assert!(error.to_string().contains("a.css:2"), "{error}");
    }

    #[test]
    fn an_import_from_elsewhere_is_refused() {
        for line in
            ["@import url(a.css);", "@import \"https://example.org/a.css\";", "@import \"a.css\" screen;"]
        {
            assert!(import(line).is_err(), "{line}");
        }
        assert_eq!(import("p {}").expect("no import"), None);
    }
}
