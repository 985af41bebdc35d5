//! What each mark becomes, and that nothing else gets through.

use super::*;

fn names() -> Names {
    Names { me: "lin".into(), others: vec!["mei".into(), "mei.chen".into(), "小明".into()] }
}

fn html(text: &str) -> String {
    render(text, &names())
}

#[test]
fn emphasis_needs_no_spaces_and_no_mark_without_a_fellow_counts() {
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
fn code_in_a_line_is_as_written() {
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
fn line_breaks_are_kept_and_an_empty_line_parts_paragraphs() {
    assert_eq!(html("a\nb\n\n\nc\r\nd\n"), "<p>a\nb</p><p>c\nd</p>");
    assert_eq!(html("**a\nb**"), "<p><strong>a\nb</strong></p>");
}

#[test]
fn lists_quotes_and_what_is_within_them() {
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
fn fenced_code_keeps_its_lines_and_is_coloured_where_the_language_is_known() {
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
fn a_table_has_as_many_cells_a_row_as_its_head() {
    assert_eq!(
        html("| a | b\\|c |\n|---|:-:|\n| *1* |\n| 2 | 3 | 4 |\n\nd"),
        "<div class=\"prose-table\" tabindex=\"0\"><table><thead><tr><th>a</th><th class=\"prose-centre\">b|c</th></tr></thead>\
         <tbody><tr><td><em>1</em></td><td class=\"prose-centre\"></td></tr>\
         <tr><td>2</td><td class=\"prose-centre\">3</td></tr></tbody></table></div><p>d</p>"
    );
    assert_eq!(html("a | b\nc | d"), "<p>a | b\nc | d</p>");
}

const REST: &str = "target=\"_blank\" rel=\"noopener nofollow ugc\">";

#[test]
fn links_end_where_people_would_end_them() {
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
fn what_may_not_be_followed_is_text() {
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
fn a_mention_is_marked_and_ones_own_stands_out() {
    assert_eq!(
        html("@Lin，@mei.chen @mei"),
        "<p><span class=\"mention mention-me\">@Lin</span>，\
        <span class=\"mention\">@mei.chen</span> <span class=\"mention\">@mei</span></p>"
    );
    assert_eq!(html("@小明你好"), "<p><span class=\"mention\">@小明</span>你好</p>");
    assert_eq!(html("@linda @bob @"), "<p>@linda @bob @</p>");
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
fn an_excerpt_has_no_marks() {
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

#[test]
fn whatever_is_written_the_markup_is_whole_and_ours() {
    const PIECES: [&str; 34] = [
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
        "https://a.b/",
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
        "@lin",
        "\\",
        "聊",
        " a ",
        "\u{202e}",
        "e\u{301}\u{302}\u{303}",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..4_000 {
        let mut text = String::new();
        for _ in 0..24 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(PIECES[usize::try_from(state % 34).expect("small")]);
        }
        assert_well_formed(&html(&text), &text);
    }
}

#[test]
fn the_longest_text_of_one_mark_is_read_too() {
    for piece in [
        "*a ", "*", "a* ", "_a", "`", "[", "[a](", "> ", "- ", "| ", "@", "\\", "~~a", "*a _b ", "https://",
        "1. ",
    ] {
        let text: String = piece.chars().cycle().take(10_000).collect();
        assert_well_formed(&html(&text), piece);
        let lines: String = format!("{piece}\n").chars().cycle().take(10_000).collect();
        assert_well_formed(&html(&lines), piece);
    }
}
