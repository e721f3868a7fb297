//! What people write.

mod hostile;

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
