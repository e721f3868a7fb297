//! Texts that attack those who read them, and texts that attack the parser.

use proptest::prelude::*;
use scraper::Html;

use super::*;

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
