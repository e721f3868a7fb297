//! Files as accidents and attackers leave them: no link that a browser shows is lost, and no file takes long.

use std::collections::BTreeSet;

use netscape_bookmarks::{Bookmark, Error, parse};
use proptest::prelude::*;
use scraper::{Html, Selector};

const RAGGED: &str = include_str!("../../../tests/fixtures/bookmarks-ragged.html");

fn read(text: &str) -> Vec<Bookmark> {
    parse(text.as_bytes(), None).unwrap().entries
}

/// The tokenizer looks through all attributes of a tag for each new one, so a flood would occupy a core for hours.
#[test]
fn floods_of_attributes_are_refused() {
    let many = (0..200_000).map(|i| format!("a{i} ")).collect::<Vec<_>>().concat();
    let quoted = (0..200_000).map(|i| format!("a{i}='<>'")).collect::<Vec<_>>().concat();
    for flood in [&many, &quoted] {
        for before in [
            "", "<!-- \" -->", "<!DOCTYPE a \">", "1 <2 '", "<title>'</title>", "<b\n c = \"x <y> '\">",
            "<?'>",
        ] {
            assert_eq!(
                parse(format!("<DL>{before}<A {flood}>x").as_bytes(), None).unwrap_err(),
                Error::TooManyAttributes,
                "{before}"
            );
        }
    }
}

#[test]
fn long_values_are_no_flood() {
    let words = "a = 'b' / <i>c</i> ".repeat(5_000);
    for text in [
        format!("<DL><A HREF=\"javascript:{words}\">x</A>"),
        format!("<DL><A\nHREF = \"javascript:{words}\" ICON='data:x'>x</A>"),
        format!("<DL><!-- {words} --><A HREF=x>x</A>"),
        format!("<script>if (1<a && {words}</script><DL><A HREF=x>x</A>"),
        format!("<DL>1 <2 {words}<A HREF=x>x</A>"),
    ] {
        assert_eq!(read(&text).len(), 1);
    }
}

/// The links that a browser would show, by html5ever's tree builder.
fn shown(text: &str) -> Vec<String> {
    let links = Selector::parse("a[href]").unwrap();
    let document = Html::parse_document(text);
    document.select(&links).filter_map(|link| link.attr("href")).map(|href| href.trim().to_owned()).collect()
}

fn hrefs(entries: &[Bookmark]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry.href.clone()).filter(|href| !href.is_empty()).collect()
}

/// The tree builder repeats an unclosed link in every paragraph that follows, hence sets.
fn distinct(shown: Vec<String>) -> BTreeSet<String> {
    shown.into_iter().filter(|href| !href.is_empty()).collect()
}

/// Links that a browser shows and that are neither entries nor in the description of one.
fn lost(text: &str) -> Vec<String> {
    let entries = parse(text.as_bytes(), None).map(|file| file.entries).unwrap_or_default();
    let found = hrefs(&entries);
    // Lines of a description are tidied, and an address may go over several.
    let words = |text: &str| text.split_whitespace().collect::<String>();
    let is_kept = |href: &String| {
        found.contains(href) || entries.iter().any(|entry| words(&entry.description).contains(&words(href)))
    };
    distinct(shown(text)).into_iter().filter(|href| !is_kept(href)).collect()
}

#[test]
fn the_ragged_file_has_the_links_that_a_browser_shows() {
    assert_eq!(lost(RAGGED), Vec::<String>::new());
    assert!(hrefs(&read(RAGGED)).is_subset(&distinct(shown(RAGGED))));
}

fn well_formed() -> impl Strategy<Value = String> {
    let link = ("[a-z]{1,8}", prop::option::of("[a-z &;<é\n]{0,20}")).prop_map(|(title, description)| {
        let description =
            description.map(|text| format!("<DD>{}\n", text.replace('<', "&lt;"))).unwrap_or_default();
        format!("<DT><A HREF=\"https://#/\" ADD_DATE=\"1700000000\" TAGS=\"a,b\">{title}</A>\n{description}")
    });
    let tree = link.prop_recursive(4, 40, 6, |inner| {
        ("[a-z]{1,5}", prop::collection::vec(inner, 0..6))
            .prop_map(|(name, items)| format!("<DT><H3>{name}</H3>\n<DL><p>\n{}</DL><p>\n", items.concat()))
    });
    prop::collection::vec(tree, 0..8).prop_map(|items| {
        let text = format!(
            "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>B</TITLE>\n<DL><p>\n{}</DL>",
            items.concat()
        );
        let mut parts = text.split('#');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.enumerate().fold(first, |text, (number, part)| format!("{text}{number}.example{part}"))
    })
}

/// Pieces that damage structure without hiding text from a browser.
const DEBRIS: [&str; 18] = [
    "</DL>", "<DL>", "<p>", "</A>", "<A>", "<DT>", "<DD>", "<H3>", "</H3>", "<b>", "</b>", "<br>", "<HR>",
    "<li>", "<ul>", "</ul>", "&lt;", "\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes, None);
        let _ = parse(&[b"<DL><A HREF=x>", bytes.as_slice()].concat(), None);
    }

    #[test]
    fn a_sound_file_has_each_link_once_with_its_line(text in well_formed()) {
        let entries = read(&text);
        prop_assert_eq!(entries.iter().map(|entry| entry.href.clone()).collect::<Vec<_>>(), shown(&text));
        for entry in &entries {
            let line = text.lines().nth(usize::try_from(entry.line).unwrap() - 1).unwrap();
            prop_assert!(line.contains(&entry.href) && line.contains(&entry.title));
            prop_assert_eq!(entry.tags.len(), 2);
        }
    }

    #[test]
    fn a_damaged_file_loses_no_link_that_a_browser_shows(
        text in well_formed(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(DEBRIS.to_vec()), 0_usize..4), 0..12),
    ) {
        let mut pieces: Vec<String> = text.split_inclusive('>').map(str::to_owned).collect();
        for (index, debris, cut) in damage {
            let at = index.index(pieces.len());
            // Tags of structure may vanish; a link's own tag only takes its link with it.
            if cut == 0 && !pieces[at].contains("HREF") && !pieces[at].contains("TITLE") {
                pieces.remove(at);
            } else {
                pieces.insert(at, debris.to_owned());
            }
            if pieces.is_empty() {
                break;
            }
        }
        let damaged = pieces.concat();
        let lost = lost(&damaged);
        prop_assert!(lost.is_empty(), "{lost:?}\n{damaged}");
    }

    #[test]
    fn a_mutated_file_loses_no_link_that_a_browser_shows(
        cuts in prop::collection::vec((0_usize..RAGGED.len(), 0_usize..6, "[<>\"'=/a-zA-Z !&;-]{0,3}"), 1..8),
    ) {
        let mut bytes = RAGGED.as_bytes().to_vec();
        for (at, length, new) in cuts {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, new.bytes());
        }
        let text = String::from_utf8_lossy(&bytes);
        let lost = lost(&text);
        prop_assert!(lost.is_empty(), "{lost:?}\n{text}");
    }
}
