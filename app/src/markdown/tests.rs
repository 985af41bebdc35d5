//! What each construct becomes, and that no other markup gets through.

mod bounds;

use chat::fold::fold;

use super::*;

fn names() -> MentionNames {
    MentionNames::new("lin", ["mei", "mei.chen", "小明"].map(str::to_owned).into_iter())
}

fn html(text: &str) -> String {
    render(text, &names())
}

#[test]
fn emphasis_needs_no_spaces_but_a_closing_delimiter() {
    for (text, expected) in [
        ("*a* **b** ~~c~~ _d_", "<em>a</em> <strong>b</strong> <del>c</del> <em>d</em>"),
        ("***a***", "<em><strong>a</strong></em>"),
        ("**注意：**明天上线", "<strong>注意：</strong>明天上线"),
        ("请_务必_看", "请<em>务必</em>看"),
        ("**a *b* c**", "<strong>a <em>b</em> c</strong>"),
        ("snake_case_name", "snake_case_name"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("*a **b", "*a **b"),
        ("**a*", "*<em>a</em>"),
        ("*a _b* c_", "<em>a _b</em> c_"),
        ("~a~ ~~~a~~~", "~a~ ~~~a~~~"),
        (r"\*a\* \\ \a", r"*a* \ \a"),
    ] {
        assert_eq!(html(text), format!("<p>{expected}</p>"), "{text}");
    }
}

#[test]
fn inline_code_is_literal() {
    for (text, expected) in [
        ("`*a* <b>`", "<code>*a* &lt;b&gt;</code>"),
        ("``a`b``", "<code>a`b</code>"),
        ("`` ` ``", "<code>`</code>"),
        ("`a", "`a"),
        ("```a``", "```a``"),
    ] {
        assert_eq!(html(text), format!("<p>{expected}</p>"), "{text}");
    }
}

#[test]
fn line_breaks_are_kept_and_empty_lines_separate_paragraphs() {
    assert_eq!(html("a\nb\n\n\nc\r\nd\n"), "<p>a\nb</p><p>c\nd</p>");
    assert_eq!(html("**a\nb**"), "<p><strong>a\nb</strong></p>");
}

#[test]
fn lists_and_quotes_nest() {
    assert_eq!(html("- a\n- b\n  c"), "<ul><li><p>a</p></li><li><p>b\nc</p></li></ul>");
    assert_eq!(
        html("看：\n- a\n  1. b\n  2. c"),
        "<p>看：</p><ul><li><p>a</p><ol><li><p>b</p></li><li><p>c</p></li></ol></li></ul>"
    );
    assert_eq!(html("3. a\n\n4. b"), "<ol start=\"3\"><li><p>a</p></li><li><p>b</p></li></ol>");
    assert_eq!(html("于\n2024. 年"), "<p>于\n2024. 年</p>");
    assert_eq!(html("-a\n1.b\n- "), "<p>-a\n1.b\n-</p>");
    assert_eq!(
        html("> a\n>b\n> > c\nd"),
        "<blockquote><p>a\nb</p><blockquote><p>c</p></blockquote></blockquote><p>d</p>"
    );
    assert_eq!(html("# 标题\n---\n#标签"), "<p class=\"prose-head prose-top\">标题</p><hr><p>#标签</p>");
}

#[test]
fn fenced_code_is_highlighted_in_known_languages() {
    assert_eq!(
        html("```\n<b>\n\n*a*\n```\nc"),
        "<pre tabindex=\"0\"><code>&lt;b&gt;\n\n*a*</code></pre><p>c</p>"
    );
    assert_eq!(
        html("```rust\nlet a = 1; // x\n```"),
        "<pre tabindex=\"0\"><code><span class=\"code-word\">let</span> a = <span class=\"code-number\">1</span>; \
         <span class=\"code-comment\">// x</span></code></pre>"
    );
    assert_eq!(
        html("~~~py\nf('#') # '\n"),
        "<pre tabindex=\"0\"><code>f(<span class=\"code-string\">&#39;#&#39;</span>) \
         <span class=\"code-comment\"># &#39;</span></code></pre>"
    );
}

#[test]
fn table_rows_are_padded_to_the_header() {
    assert_eq!(
        html("| a | b\\|c |\n|---|:-:|\n| *1* |\n| 2 | 3 | 4 |\n\nd"),
        "<div class=\"prose-table\" tabindex=\"0\"><table><thead><tr><th>a</th><th class=\"prose-centre\">b|c</th></tr></thead>\
         <tbody><tr><td><em>1</em></td><td class=\"prose-centre\"></td></tr>\
         <tr><td>2</td><td class=\"prose-centre\">3</td></tr></tbody></table></div><p>d</p>"
    );
    assert!(
        html("|a|b|c|\n|-|-|-|\n|1|")
            .ends_with("<tr><td>1</td><td colspan=\"2\"></td></tr></tbody></table></div>")
    );
    assert_eq!(html("a | b\nc | d"), "<p>a | b\nc | d</p>");
}

const REST: &str = "target=\"_blank\" rel=\"noopener nofollow ugc\">";

#[test]
fn links_end_before_punctuation() {
    for (text, address) in [
        ("看https://example.com/a?b=1，然后", "https://example.com/a?b=1"),
        ("(http://x.org).", "http://x.org"),
        ("https://x.org/a_(b)", "https://x.org/a_(b)"),
        ("**https://x.org/a_b_c**", "https://x.org/a_b_c"),
        ("mailto:lin@example.com!", "mailto:lin@example.com"),
    ] {
        let link = format!("<a href=\"{address}\" {REST}{address}</a>");
        assert!(html(text).contains(&link), "{text}: {}", html(text));
    }
    assert_eq!(
        html("[**a**](https://x.org/(b)?c=\"d)"),
        format!(
            "<p><a href=\"https://x.org/(b)?c=&quot;d\" title=\"https://x.org/(b)?c=&quot;d\" {REST}<strong>a</strong></a></p>"
        )
    );
}

#[test]
fn disallowed_links_are_text() {
    for text in [
        "javascript:alert(1)",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "[a](//evil.example)",
        "[a](https://)",
        "![a](x.png)",
        "xhttps://a.b",
        "http://",
        "https:// x",
        "https://例子",
    ] {
        assert!(!html(text).contains("<a"), "{text}: {}", html(text));
    }
}

#[test]
fn own_mention_is_highlighted() {
    assert_eq!(
        html("@Lin，@mei.chen @mei"),
        "<p><span class=\"mention mention-me\">@Lin</span>，\
        <span class=\"mention\">@mei.chen</span> <span class=\"mention\">@mei</span></p>"
    );
    assert_eq!(html("@小明你好"), "<p><span class=\"mention\">@小明</span>你好</p>");
    assert_eq!(html("@linda @bob @"), "<p>@linda @bob @</p>");
}

/// The texts in which the service finds mentions too.
#[test]
fn those_whom_the_service_notifies_are_highlighted() {
    for case in include_str!("../../../chat/src/model/mention_cases.txt").lines() {
        if case.is_empty() || case.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = case.split("=>").map(str::trim).collect();
        let [members, text, meant] = parts[..] else { panic!("{case}") };
        let members: Vec<&str> = members.split(", ").collect();
        let names = MentionNames::new("lin", members.iter().map(|&name| name.to_owned()));
        let mut found: Vec<&str> = Vec::new();
        for part in render(&unescaped(text), &names).split("<span class=\"mention\">").skip(1) {
            let name = part.split("</span>").next().unwrap_or_default().trim_start_matches('＠');
            let name = fold(name.strip_prefix('@').unwrap_or(name));
            let member = members.iter().find(|member| fold(member) == name).expect("a member");
            if !found.contains(member) {
                found.push(member);
            }
        }
        assert_eq!(found.join(", "), meant, "{case}");
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').expect("a character");
        let code = u32::from_str_radix(code, 16).expect("hexadecimal");
        plain.push(char::from_u32(code).expect("a character"));
        plain.push_str(rest);
    }
    plain.replace("\\n", "\n")
}

#[test]
fn a_long_text_is_one_of_many_characters_or_lines() {
    assert!(!is_long(&"聊".repeat(1_500)));
    assert!(is_long(&"聊".repeat(1_501)));
    assert!(is_long(&"\n".repeat(30)));
}

#[test]
fn an_excerpt_is_one_line() {
    assert_eq!(excerpt(" a\n\n b  c ", 20), "a b c");
    assert_eq!(excerpt("聊聊聊 聊聊", 4), "聊聊聊 …");
    assert_eq!(excerpt("聊".repeat(10_000).as_str(), 3), "聊聊聊…");
}

#[test]
fn excerpt_has_no_markup() {
    assert_eq!(
        excerpt("# 会议\n- **一**：`a < b`\n- @mei [二](https://example.org/?a=1&b=2)", 80),
        "会议 一：a < b @mei 二"
    );
    assert_eq!(excerpt("| 时间 | 谁 |\n|---|---|\n| 14:30 | \"Tom\" |", 80), "时间 谁 14:30 \"Tom\"");
    assert_eq!(excerpt("> 引\n\n```rust\nlet a = \"&amp;\"; // 1\n```", 80), "引 let a = \"&amp;\"; // 1");
    assert_eq!(excerpt("2 * 3 * 4 <b>no</b> a_b_c", 80), "2 * 3 * 4 <b>no</b> a_b_c");
}

/// Tags in the order in which they may be, each closed; and no sign of markup elsewhere.
fn assert_well_formed(html: &str, text: &str) {
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains(['>', '"', '\'']), "{text:?}: {html}");
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        let name = tag.split(' ').next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{text:?}: {html}");
        } else {
            assert!(
                matches!(
                    name,
                    "p" | "em"
                        | "strong"
                        | "del"
                        | "code"
                        | "pre"
                        | "a"
                        | "span"
                        | "ul"
                        | "ol"
                        | "li"
                        | "hr"
                        | "blockquote"
                        | "div"
                        | "table"
                        | "thead"
                        | "tbody"
                        | "tr"
                        | "th"
                        | "td"
                ),
                "{text:?}: {html}"
            );
            assert!(!tag.contains(" on") && !tag.contains("=\"javascript"), "{text:?}: {html}");
            if name != "hr" {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && !rest.contains('>'), "{text:?}: {html}");
}

/// What texts are made of that try to be hard to read.
const PIECES: [&str; 52] = [
    "*",
    "**",
    "_",
    "~~",
    "`",
    "``",
    "```",
    "[",
    "](",
    ")",
    "]",
    "(",
    "https://a.b/",
    "http://",
    "mailto:x",
    "javascript:alert(1)",
    "<script>",
    "</p>",
    "\"",
    "'",
    "&",
    "<img src=x onerror=y>",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "> ",
    "|",
    "|---|",
    "\n|-|-|\n",
    "# ",
    "---",
    "@lin",
    "@",
    "\\",
    "聊",
    " a ",
    "a",
    " *a",
    "a_ ",
    " ",
    "    ",
    "[a](",
    "[a](http://b)",
    "http://a)",
    "\n```js\n",
    "\n~~~\n",
    "/*",
    "\n- a\n",
    "\u{202e}",
    "e\u{301}\u{302}\u{303}",
    "h",
];

#[test]
fn html_is_always_well_formed() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..4_000 {
        let mut text = String::new();
        for _ in 0..24 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(PIECES[usize::try_from(state % 52).expect("small")]);
        }
        assert_well_formed(&html(&text), &text);
    }
}
