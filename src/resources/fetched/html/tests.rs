//! Pages as they are written, and what is read of them.

use super::*;

fn title(page: &str) -> String {
    parse(page).title
}

#[test]
fn the_first_title_of_the_head_is_the_pages() {
    assert_eq!(title("<title>Tide\n tables &amp; more</title><title>Second</title>"), "Tide tables & more");
    assert_eq!(title("<script>'<title>no</title>'</script><TITLE lang=en>Yes</TITLE>"), "Yes");
    assert_eq!(title("<!-- <title>no</title> --><title>Yes</title>"), "Yes");
    assert_eq!(title("<title>2 < 3 <b>bold</b></title>"), "2 < 3 <b>bold</b>");
    assert_eq!(title("<body><svg><title>Logo</title></svg>"), "");
    assert_eq!(title("<head></head><title>Late</title>"), "");
    assert_eq!(title("<title>never closed"), "never closed");
    assert_eq!(title("<title>a\0b\u{202e}c</title>"), "a\u{FFFD}b\u{202e}c");
    assert_eq!(title("<meta property=og:title content='Shared &lt;1&gt;'>"), "Shared <1>");
    assert_eq!(title("<meta property=og:title content=Shared><title> </title>"), "Shared");
    assert_eq!(title(""), "");
}

#[test]
fn descriptions_and_icons_come_along() {
    let head = parse(
        "<base href='/deep/'><meta name=Description content=' High\n and low '>
         <meta property='og:description' content=other>
         <link rel='shortcut icon' href=a.ico><link rel=icon sizes=32x32 href=b.png>
         <link rel=apple-touch-icon href=c.png><link rel=icon href='data:image/png;base64,AA=='>
         <link rel=stylesheet href=d.css><link rel='mask-icon' href=e.svg>",
    );
    assert_eq!(head.description, "High and low");
    assert_eq!(head.icons, ["b.png", "a.ico", "c.png"]);
    assert_eq!(head.base.as_deref(), Some("/deep/"));
}

#[test]
fn a_page_can_not_make_the_reader_slow_or_long() {
    assert_eq!(title(&format!("<title>{}", "a".repeat(1 << 20))).len(), TITLE_LIMIT);
    let attributes = (0..100_000).map(|number| format!(" a{number}=1")).collect::<Vec<_>>().concat();
    assert_eq!(title(&format!("<title>Before</title><p{attributes}><title>After</title>")), "Before");
    let icons = "<link rel=icon href=a>".repeat(10_000);
    assert_eq!(parse(&icons).icons.len(), ICONS);
}
