//! Scripts as they are sent: without the lines that are only comments, and without indentation.

/// The script without comment lines, empty lines and indentation; unchanged if a template goes over several lines.
///
/// Lines are all it knows of JavaScript: a comment after code stays.
pub(crate) fn shorten(script: &str) -> String {
    if script.lines().any(|line| line.matches('`').count() % 2 == 1) {
        return script.to_owned();
    }
    let mut short = String::with_capacity(script.len());
    let mut is_in_comment = false;
    for line in script.lines() {
        let mut line = line.trim();
        if is_in_comment || line.starts_with("/*") {
            let end = line.split_once("*/");
            is_in_comment = end.is_none();
            line = end.map_or("", |(_, code)| code.trim());
        }
        if !line.is_empty() && !line.starts_with("//") {
            short.push_str(line);
            short.push('\n');
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn code_stays_line_by_line() {
        let script = "// What it is.\n/**\n * @param {any} a\n */\nexport function f(a) {\n    // Why.\n\n    return `//${a}`; // here\n}\n/* one */ a();\nf('/*');\n";
        assert_eq!(shorten(script), "export function f(a) {\nreturn `//${a}`; // here\n}\na();\nf('/*');\n");
    }

    #[test]
    fn template_over_several_lines_is_left_alone() {
        let script = "const text = `\n  // not a comment\n`;\n";
        assert_eq!(shorten(script), script);
    }
}
