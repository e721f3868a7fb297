//! Tests of `markdown`: what people write, what attackers write, what keeps a parser busy.

use proptest::prelude::*;
use scraper::Html;

use super::*;

#[test]
fn renders_what_people_write() {
    for (markdown, html) in [
        ("*a* **b** ~~c~~ `d<e`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;e</code></p>\n"),
        (
            "# a\n## b\n###### c",
            "<h2 id=\"user-a\">a</h2>\n<h3 id=\"user-b\">b</h3>\n<h6 id=\"user-c\">c</h6>\n",
        ),
        ("## a\n### b", "<h2 id=\"user-a\">a</h2>\n<h3 id=\"user-b\">b</h3>\n"),
        ("one\ntwo\n> a\n> b", "<p>one<br>\ntwo</p>\n<blockquote>\n<p>a<br>\nb</p>\n</blockquote>\n"),
        ("```rust\nlet a;\n```", "<pre tabindex=\"0\"><code class=\"language-rust\">let a;\n</code></pre>\n"),
        ("- [x] a\n- [ ] b", "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>\n"),
        ("3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>\n"),
        ("\"a\" -- b...", "<p>\"a\" -- b...</p>\n"),
        ("a  \nb\n\n---", "<p>a<br>\nb</p>\n<hr>\n"),
        ("<kbd>Esc</kbd> &amp; 1 < 2", "<p><kbd>Esc</kbd> &amp; 1 &lt; 2</p>\n"),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
    ] {
        assert_eq!(render(markdown), html, "{markdown}");
    }
}

#[test]
fn tables_are_aligned_without_styles() {
    let html = render("| a | b |\n|:-:|--:|\n| 1 | 2 |");
    assert!(html.contains(r#"<th align="center">a</th><th align="right">b</th>"#), "{html}");
    assert!(html.contains(r#"<td align="center">1</td><td align="right">2</td>"#), "{html}");
    assert!(html.contains("</thead><tbody>"), "{html}");
}

#[test]
fn links_are_marked_as_foreign() {
    let rel = r#"rel="nofollow noopener ugc""#;
    assert_eq!(
        render("[a](https://x.example/ \"t\")"),
        format!("<p><a href=\"https://x.example/\" title=\"t\" {rel}>a</a></p>\n")
    );
    assert_eq!(
        render("<me@x.example>"),
        format!("<p><a href=\"mailto:me@x.example\" {rel}>me@x.example</a></p>\n")
    );
    for (markdown, text) in [
        ("[a](/logout)", "a (/logout)"),
        ("[a](/resources/../logout)", "a (/resources/../logout)"),
        ("[a](/resources/%2e%2E/logout)", "a (/resources/%2e%2E/logout)"),
        ("[a](/resourcesx)", "a (/resourcesx)"),
        ("[a](//x.example)", "a (//x.example)"),
        ("[a](ftp://x.example)", "a (ftp://x.example)"),
        ("[tel](tel:+4912)", "tel (tel:+4912)"),
        ("[a *b*](x.html)", "a <em>b</em> (x.html)"),
        ("![cat](x.png)", "cat (x.png)"),
        ("[a](javascript:alert(1))", "a (javascript:alert(1))"),
        ("[a]()", "a"),
    ] {
        assert_eq!(render(markdown), format!("<p>{text}</p>\n"), "{markdown}");
    }
    for own in [
        "/resources/01234567-89ab-7cde-8f01-23456789abcd",
        "/resources",
        "/resources?tag=sea",
        "/tags",
        "/u/ada",
        "#x",
    ] {
        let href = own.replace("#x", "#user-x");
        assert_eq!(render(&format!("[a]({own})")), format!("<p><a href=\"{href}\" {rel}>a</a></p>\n"));
    }
}

#[test]
fn headings_have_names_that_links_find() {
    let html = render(
        "[a](#tide-tables) [b](#überschrift-1)\n\n# Tide *tables*!\n\n# Überschrift\n\n# Überschrift\n\n# Note[^Note]\n\n# !\n\n[^Note]: x\n",
    );
    for part in [
        "href=\"#user-tide-tables\"",
        "<h2 id=\"user-tide-tables\">",
        "<h2 id=\"user-überschrift\">",
        "<h2 id=\"user-überschrift-1\">",
        "<h2>!</h2>",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let once: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), once.len(), "{html}");
    assert!(ids.iter().all(|id| id.starts_with("user-")), "{html}");
    assert!(!render("<h2 id=save>a</h2>").contains("id="));
}

#[test]
fn tags_that_no_text_may_hold_are_shown() {
    for (markdown, html) in [
        (
            "How to use Vec<String> and HashMap<K, V>",
            "<p>How to use Vec&lt;String&gt; and HashMap&lt;K, V&gt;</p>\n",
        ),
        (
            "run: make <package name> then <Enter>",
            "<p>run: make &lt;package name&gt; then &lt;Enter&gt;</p>\n",
        ),
        (
            "<script> tags are *blocked*.\nSame.\n\nSecond.",
            "<p>&lt;script&gt; tags are <em>blocked</em>.<br>\nSame.</p>\n<p>Second.</p>\n",
        ),
        ("a \\<foo> \\\\<foo> `\\<foo>`", "<p>a &lt;foo&gt; \\&lt;foo&gt; <code>\\&lt;foo&gt;</code></p>\n"),
        ("<?php echo 1 ?>\n\nb", "<p>&lt;?php echo 1 ?&gt;</p>\n<p>b</p>\n"),
        ("<!-- a -->\n\nb", "<p>&lt;!-- a --&gt;</p>\n<p>b</p>\n"),
        ("<!DOCTYPE html>", "<p>&lt;!DOCTYPE html&gt;</p>\n"),
        ("std::vector<std::string> <ftp://x>", "<p>std::vector&lt;std::string&gt; &lt;ftp://x&gt;</p>\n"),
        (
            "<title> and <style>\n\n<iframe src=x>",
            "<p>&lt;title&gt; and &lt;style&gt;</p>\n<p>&lt;iframe src=x&gt;</p>\n",
        ),
        (
            "`Vec<T>`\n\n    a<T>\n\n```\n<script>\n```",
            "<p><code>Vec&lt;T&gt;</code></p>\n<pre tabindex=\"0\"><code>a&lt;T&gt;\n</code></pre>\n<pre tabindex=\"0\"><code>&lt;script&gt;\n</code></pre>\n",
        ),
        ("<div><b>a</b> <c>d</c></div>", "<div><b>a</b> &lt;c&gt;d&lt;/c&gt;</div>"),
        ("Vec<a> b", "<p>Vec&lt;a&gt; b</p>\n"),
        ("a <a href=\"javascript:x\">b</a>", "<p>a &lt;a href=\"javascript:x\"&gt;b</p>\n"),
        ("\u{FDD0}<x>", "<p>\u{FDD0}&lt;x&gt;</p>\n"),
        (
            "[a](<https://x.example/b c>)",
            "<p><a href=\"https://x.example/b%20c\" rel=\"nofollow noopener ugc\">a</a></p>\n",
        ),
        (
            "[a]\n\n[a]: <https://x.example/>",
            "<p><a href=\"https://x.example/\" rel=\"nofollow noopener ugc\">a</a></p>\n",
        ),
        ("1 < 2 <3 x<y", "<p>1 &lt; 2 &lt;3 x&lt;y</p>\n"),
    ] {
        assert_eq!(render(markdown), html, "{markdown}");
    }
    assert_eq!(
        to_text("Vec<String> <!-- a -->\n\n<script>x</script>"),
        "Vec<String> <!-- a -->\n<script>x</script>"
    );
}

#[test]
fn bare_addresses_are_taken_whole() {
    let link = |href: &str, text: &str| format!(r#"<a href="{href}" rel="nofollow noopener ugc">{text}</a>"#);
    let same = |url: &str| link(url, url);
    for (markdown, html) in [
        (
            "https://x.example/pkg/__init__.py end",
            format!("{} end", same("https://x.example/pkg/__init__.py")),
        ),
        (
            "https://x.example/web/*/https://y.example/*",
            format!("{}*", same("https://x.example/web/*/https://y.example/")),
        ),
        (
            "https://x.example/a?b=`tick`",
            link("https://x.example/a?b=%60tick%60", "https://x.example/a?b=`tick`"),
        ),
        (
            "`a` *https://x.example/a_b_c*",
            format!("<code>a</code> <em>{}</em>", same("https://x.example/a_b_c")),
        ),
        ("`see https://x.example`", "<code>see https://x.example</code>".to_owned()),
        ("https://x.example/[a](b)", link("https://x.example/%5Ba%5D(b)", "https://x.example/[a](b)")),
        ("https://x.example/?a=1&copy;", format!("{}©", same("https://x.example/?a=1"))),
        ("HTTPS://x.example/;", format!("{};", same("HTTPS://x.example/"))),
        (
            "已创建：https://a.example/issues/477，涵盖了",
            format!("已创建：{}，涵盖了", same("https://a.example/issues/477")),
        ),
        ("（https://a.example/x）", format!("（{}）", same("https://a.example/x"))),
        (
            "https://a.example/x、https://a.example/y",
            format!("{}、{}", same("https://a.example/x"), same("https://a.example/y")),
        ),
        ("见https://a.example/x。", format!("见{}。", same("https://a.example/x"))),
        ("「www.a.example」", format!("「{}」", link("http://www.a.example", "www.a.example"))),
        (
            "see www.x.example/a_b_c.",
            format!("see {}.", link("http://www.x.example/a_b_c", "www.x.example/a_b_c")),
        ),
        (
            "(www.x.example) xwww.x.example a/www.x.example",
            format!("({}) xwww.x.example a/www.x.example", link("http://www.x.example", "www.x.example")),
        ),
        (
            "write to me_you+x@mail.example.",
            format!("write to {}.", link("mailto:me_you+x@mail.example", "me_you+x@mail.example")),
        ),
        (
            "mailto:a@x.example a@b a@b.c- @x.example",
            format!("{} a@b a@b.c- @x.example", link("mailto:a@x.example", "mailto:a@x.example")),
        ),
        ("\\https://x.example", "\\https://x.example".to_owned()),
        (
            "[see www.x.example a@b.example](https://y.example)",
            link("https://y.example", "see www.x.example a@b.example"),
        ),
    ] {
        assert_eq!(render(markdown), format!("<p>{html}</p>\n"), "{markdown}");
    }
    let table = render("| a |\n|---|\n| https://x.example/a|");
    assert!(table.contains(&same("https://x.example/a")), "{table}");
}

#[test]
fn bare_addresses_are_links() {
    let link = |url: &str| format!(r#"<a href="{url}" rel="nofollow noopener ugc">{url}</a>"#);
    let long = format!("https://x.example/{}", ")".repeat(90_000));
    for (markdown, html) in [
        ("see https://x.example/a_b_c.", format!("see {}.", link("https://x.example/a_b_c"))),
        ("(http://x.example/a_(b))", format!("({})", link("http://x.example/a_(b)"))),
        (
            "https://x.example, https://y.example",
            format!("{}, {}", link("https://x.example"), link("https://y.example")),
        ),
        ("**https://x.example**", format!("<strong>{}</strong>", link("https://x.example"))),
        ("<https://x.example>", link("https://x.example")),
        ("`https://x.example`", "<code>https://x.example</code>".to_owned()),
        ("https:// xhttps://x.example ://", "https:// xhttps://x.example ://".to_owned()),
        ("javascript://x.example", "javascript://x.example".to_owned()),
        (&long, format!("{}{}", link("https://x.example/"), ")".repeat(90_000))),
    ] {
        assert_eq!(render(markdown), format!("<p>{html}</p>\n"), "{markdown:.60}");
    }
    let code = "<pre tabindex=\"0\"><code>https://x.example</code></pre>\n";
    assert_eq!(render("    https://x.example"), code);
    assert_eq!(
        render("[https://x.example](https://y.example)"),
        format!("<p>{}</p>\n", link("https://y.example").replace(">https://y", ">https://x"))
    );
}

#[test]
fn images_become_links_to_them() {
    let link = |text: &str| {
        format!("<p><a href=\"https://x.example/a.png\" rel=\"nofollow noopener ugc\">{text}</a></p>\n")
    };
    assert_eq!(render("![a *cat*](https://x.example/a.png)"), link("a <em>cat</em>"));
    assert_eq!(render("![](https://x.example/a.png)"), link("https://x.example/a.png"));
    assert_eq!(render("[![cat](https://y.example/)](https://x.example/a.png)"), link("cat"));
    assert_eq!(render("![a](data:image/png;base64,AAAA)"), "<p>a (data:image/png;base64,AAAA)</p>\n");
}

#[test]
fn raw_html_is_balanced_within_its_markdown() {
    for (markdown, html) in [
        ("*a <b>b* c</b>", "<p><em>a <b>b</b></em> c</p>\n"),
        ("<b>a\n\nb", "<p><b>a</b></p>\n<p>b</p>\n"),
        ("</p></div>a", "a"),
        (
            "<details>\n<summary>a</summary>\n\n*b*\n\n</details>\n\nc",
            "<details>\n<summary>a</summary>\n<p><em>b</em></p>\n</details>\n<p>c</p>\n",
        ),
        ("<h1>a</h1>", "<h2>a</h2>"),
        ("<abbr title='a\"<b'>c</abbr>", "<p><abbr title=\"a&quot;&lt;b\">c</abbr></p>\n"),
        (
            "a <img src='https://x.example/' alt=cat>",
            "<p>a <a href=\"https://x.example/\" rel=\"nofollow noopener ugc\">cat</a></p>\n",
        ),
    ] {
        assert_eq!(render(markdown), html, "{markdown}");
    }
}

#[test]
fn footnotes_lead_to_prefixed_ids() {
    let html = render("a[^n]\n\n[^n]: note");
    assert!(html.contains("href=\"#user-n\"") && html.contains("<div id=\"user-n\">"), "{html}");
    assert_eq!(render("<div id=\"save\" name=\"save\">a</div>"), "<div>a</div>");
}

#[test]
fn plain_text_has_the_words_and_no_marks() {
    for (markdown, text) in [
        (
            "# Tide *tables*\n\nSee [the page](https://x.example) and\n`code`.",
            "Tide tables\nSee the page and code.",
        ),
        ("- a\n  - b\n- [x] c", "a\nb\nc"),
        ("| a | b |\n|--|--|\n| 1 | 2 |", "a b\n1 2"),
        ("```\nlet a;\nlet b;\n```", "let a;\nlet b;"),
        ("![a cat](x.png) a&amp;b <b>c</b>", "a cat a&b c"),
        ("<div>a <b>b</b> &lt;</div>\n<script>c</script>\n\nd", "a b <\n<script>c</script>\nd"),
        ("a[^1]\n\n[^1]: b", "a\nb"),
        ("> a\n\nb  \nc", "a\nb\nc"),
        ("", ""),
    ] {
        assert_eq!(to_text(markdown), text, "{markdown}");
    }
}

const ATTACKS: [&str; 48] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//x.example></sCrIpT>",
    "<scr<script>ipt>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
    "<svg><animate href=#x attributeName=href values=javascript:alert(1) />",
    "<img src=x onerror=alert(1)>",
    "<img src=x:alert(1) onerror=eval(src) alt=`a`>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"java&#x09;script:alert(1)\">x</a>",
    "<a href=\"java&Tab;script&colon;alert(1)\">x</a>",
    "<a href=\" &#14; javascript:alert(1)\">x</a>",
    "<a href=\"&#106;avascript:alert(1)\">x</a>",
    "<a href=\"JaVaScRiPt:alert(1)\">x</a>",
    "<a href=\"vbscript:x\">x</a>",
    "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
    "<a href=\"https://x.example\" onclick=alert(1) target=_top>x</a>",
    "<a href=\"https://x.example\" ping=\"https://y.example\" download>x</a>",
    "[x](javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](https://x.example \"a\" onmouseover=\"alert(1)\")",
    "![x](javascript:alert(1))",
    "![x\" onerror=\"alert(1)](https://x.example/)",
    "<javascript:alert(1)>",
    "```\" onmouseover=\"alert(1)\nx\n```",
    "[^\" onclick=\"alert(1)]\n\n[^\" onclick=\"alert(1)]: x",
    "<style>*{display:none}</style>",
    "<p style=\"position:fixed\" class=\"button\" id=save>x</p>",
    "<iframe src=\"https://x.example\" srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<object data=x></object><embed src=x><applet code=x>",
    "<form action=/logout method=post><button formaction=//x.example>x</button><input name=_csrf></form>",
    "<button hx-post=\"/resources/bulk\" hx-trigger=load>x</button>",
    "<div hx-get=\"/x\" data-hx-get=\"/x\" hx-on:click=\"alert(1)\" hx-on--load=x>x</div>",
    "<div data-x=y aria-label=z role=alert tabindex=1 contenteditable>x</div>",
    "<base href=//x.example><meta http-equiv=refresh content=0><link rel=stylesheet href=x>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math><mi//xlink:href=\"data:x,<script>alert(4)</script>\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<template><script>alert(1)</script></template><textarea><img src=x onerror=alert(1)></textarea>",
    "<xmp><img src=x onerror=alert(1)></xmp><plaintext><script>alert(1)</script>",
    "<!--><script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]><?php x ?>",
    "<table background=javascript:x><td background=javascript:x align=\"x\" onclick=x>x",
    "<video><source onerror=alert(1)></video><audio src=x autoplay><details open ontoggle=alert(1)>x",
];

/// Reads the result as a browser would and finds what must not be there.
fn unsafe_part(html: &str) -> Option<String> {
    let allowed_attribute = |element: &str, name: &str, value: &str| match (element, name) {
        ("a", "href") if value.starts_with('/') => target::is_own_path(value),
        ("a", "href") => {
            ["http://", "https://", "mailto:", "#user-"].iter().any(|scheme| value.starts_with(scheme))
        }
        ("a", "rel") => value == "nofollow noopener ugc",
        ("a" | "abbr", "title") | ("td" | "th", "align") | ("ol", "start") => true,
        ("pre" | "table", "tabindex") => value == "0",
        ("code", "class") => value.starts_with("language-") && !value.contains(char::is_whitespace),
        ("div" | "h2" | "h3" | "h4" | "h5" | "h6", "id") => value.starts_with("user-"),
        _ => false,
    };
    let allowed = "a abbr b blockquote br caption cite code dd del details dfn div dl dt em h2 h3 h4 h5 h6 hr i ins kbd \
        li mark ol p pre q s samp small span strong sub summary sup ul table tbody td th thead tr html";
    let fragment = Html::parse_fragment(html);
    fragment.root_element().descendent_elements().find_map(|element| {
        let name = element.value().name();
        if !allowed.split(' ').any(|allowed| allowed == name) {
            return Some(format!("<{name}>"));
        }
        let bad =
            element.value().attrs().find(|(attribute, value)| !allowed_attribute(name, attribute, value));
        bad.map(|(attribute, value)| format!("<{name} {attribute}={value}>"))
    })
}

#[test]
fn attacks_are_disarmed() {
    for attack in ATTACKS {
        for markdown in [attack.to_owned(), format!("a {attack} b"), format!("> - {attack}\n\n{attack}")] {
            let html = render(&markdown);
            assert_eq!(unsafe_part(&html), None, "{markdown}\n{html}");
            let text = to_text(&markdown);
            assert_eq!(unsafe_part(&render(&html)), None, "{text}");
        }
    }
}

/// Texts that have cost Markdown and HTML parsers quadratic time or their stack.
fn hostile(size: usize) -> Vec<(&'static str, String)> {
    let times = |part: &str| part.repeat(size / part.len());
    let numbered = |write: fn(usize) -> String| (0..size / 8).map(write).collect::<Vec<_>>().concat();
    vec![
        ("quotes", times(">")),
        ("quotes with lines", format!("{}\n{}", ">".repeat(size / 2), "a\n".repeat(size / 4))),
        ("quoted lines", format!("{}a\n", ">".repeat(300)).repeat(size / 302)),
        ("lists", times("- ")),
        ("ordered lists", times("1. ")),
        ("lists with lines", format!("{}\n{}", "* ".repeat(size / 4), "a\n".repeat(size / 4))),
        ("stairs", (0..150).map(|i| format!("{}- a\n", "  ".repeat(i))).collect::<Vec<_>>().concat()),
        ("emphasis", times("*a ")),
        ("strong", times("**a")),
        ("mixed emphasis", times("*a_b")),
        ("closed emphasis", format!("{}a{}", "*_".repeat(size / 4), "_*".repeat(size / 4))),
        ("brackets", times("[")),
        ("closed brackets", format!("{}{}", "[".repeat(size / 2), "]".repeat(size / 2))),
        ("links", times("[a](")),
        ("images", times("![")),
        ("nested images", format!("{}a{}", "![".repeat(size / 8), "](x)".repeat(size / 8))),
        ("backticks", (1..300).map(|i| format!("{}a", "`".repeat(i))).collect::<Vec<_>>().concat()),
        ("fences", times("```\n")),
        ("angles", times("<")),
        ("comments", times("<!--")),
        ("instructions", times("<?")),
        ("declarations", times("<!A ")),
        ("entities", times("&amp")),
        ("footnotes", numbered(|i| format!("[^{i}]: a\n\n"))),
        ("footnote uses", format!("[^a]: b\n\n{}", times("[^a]"))),
        ("references", format!("[a]: /{}\n\n{}", "b".repeat(size / 4), "[a]".repeat(size / 6))),
        ("definitions", numbered(|i| format!("[{i}]: x\n"))),
        (
            "wide table",
            format!("{}\n{}\n", "|a".repeat(size / 8), "|-".repeat(size / 8)) + &"|\n".repeat(size / 4),
        ),
        (
            "raw formatting over paragraphs",
            format!(
                "<p>{}\n\n{}",
                (0..20).map(|i| format!("<b><i x={i}><u>")).collect::<Vec<_>>().concat(),
                "a\n\n".repeat(size / 3)
            ),
        ),
        (
            "raw formatting and tables",
            format!("{}\n\n{}", "<table><td><b></b></table><b>\n".repeat(40), "a\n\n".repeat(size / 3)),
        ),
        ("raw nesting", times("<b>")),
        ("raw blocks", times("<div>")),
        ("raw misnesting", times("<a><b><i><p></a>")),
        ("raw tables", times("<table><td>")),
        ("raw attributes", format!("<b {}>", numbered(|i| format!("a{i} ")))),
        ("more nesting", "<b>".repeat(1_999)),
        ("more blocks", "<div>\n".repeat(1_999)),
        ("more misnesting", "<a><b><i><p></a>".repeat(390)),
        (
            "more fonts",
            (0..1_900).map(|i| format!("<font a{i}>")).collect::<Vec<_>>().concat() + &"<p>".repeat(90),
        ),
        ("more tables", "<table><td>".repeat(990)),
        (
            "more attributes",
            format!("<b {}>", (0..10_000).map(|i| format!("a{i} ")).collect::<Vec<_>>().concat()),
        ),
        ("rule", times("- - -\n")),
        ("setext", times("a\n=\n")),
        ("parentheses", format!("[a]({}", "(".repeat(size))),
        ("spaces", format!("a{}b", " ".repeat(size))),
        ("tildes", times("~~a ")),
        ("html mix", times("<a href=\"")),
        ("autolinks", times("<a@")),
        ("bare addresses", times("http://a ")),
        ("bare addresses that are none", times("http://!")),
        ("bare hosts", times("www.a,")),
        ("mail addresses", times("a@b.c,")),
        ("at signs", times("a@")),
        ("hosts within words", times("awww.")),
        ("addresses within words", times("ahttp://a")),
        ("unknown tags", times("<x>")),
        ("scripts", times("<script>\n")),
        ("headings", times("# a\n")),
    ]
}

/// Shapes that make a renderer slow, or its output grow with the square of the input.
#[test]
fn hostile_texts_stay_flat() {
    for (name, markdown) in hostile(20_000) {
        let sizes = (render(&markdown).len(), to_text(&markdown).len());
        assert!(sizes.0.max(sizes.1) <= markdown.len() * 40 + 1_000, "{name}: {sizes:?}");
    }
}

#[test]
fn nesting_is_flattened_without_losing_words() {
    let html = render(&format!("{} deep", ">".repeat(10_000)));
    assert_eq!(html.matches("<blockquote>").count(), shape::MAX_DEPTH);
    assert!(html.contains("deep"));
    assert!(to_text(&format!("{}deep", "- ".repeat(10_000))).contains("deep"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_renders_safely(text in any::<String>()) {
        prop_assert_eq!(unsafe_part(&render(&text)), None);
        let _ = to_text(&text);
    }

    #[test]
    fn any_mixture_of_attacks_renders_safely(
        pieces in prop::collection::vec((prop::sample::select(ATTACKS.to_vec()), 0_usize..40, "[ \n>*`<\"'\\[\\](){}!|-]{0,4}"), 1..5),
    ) {
        let rest = |(attack, cut, glue): &(&str, usize, String)| {
            attack.chars().skip(*cut).chain(glue.chars()).collect::<String>()
        };
        let mixed = pieces.iter().map(rest).collect::<Vec<_>>().concat();
        let html = render(&mixed);
        prop_assert_eq!(unsafe_part(&html), None, "{}\n{}", mixed, html);
    }
}
