//! Tests of `netscape`: files as programs write them, then files as accidents leave them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use scraper::{Html, Selector};

use super::*;

const RAGGED: &str = include_str!("../../../../tests/fixtures/bookmarks-ragged.html");

fn read(text: &str) -> Vec<Entry> {
    parse(text.as_bytes()).unwrap()
}

fn only(text: &str) -> Entry {
    let entries = read(text);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.into_iter().next().unwrap()
}

fn named<'a>(entries: &'a [Entry], part: &str) -> &'a Entry {
    entries.iter().find(|entry| entry.href.contains(part)).unwrap_or_else(|| panic!("{part}"))
}

#[test]
fn a_ragged_file_is_read_to_its_end() {
    let entries = read(RAGGED);
    assert_eq!(entries.len(), 13);
    let tides = named(&entries, "tides");
    assert_eq!((tides.line, tides.title.as_str()), (13, "Tide tables & moon"));
    assert_eq!(tides.description, "High water,\nlow water\nand the moon.\n\nKept by hand — since 1998.");
    assert_eq!(tides.tags, ["sea", "tables", "harbour"]);
    assert_eq!((tides.added, tides.modified), (Some(1_700_000_003), Some(1_700_000_004)));
    assert!(tides.folders.is_empty());
    let rust = named(&entries, "rust.example");
    assert_eq!(
        (rust.href.as_str(), rust.title.as_str()),
        ("https://rust.example/?a=1&b=2", "Rust &amp; friends")
    );
    assert_eq!((rust.folders.join("|").as_str(), rust.added), ("Work|Rust <lang>", Some(1_700_000_005)));
    let unquoted = named(&entries, "unquoted");
    assert_eq!(
        (unquoted.added, unquoted.private, unquoted.toread),
        (Some(1_700_000_006), Some(true), Some(true))
    );
    assert_eq!(named(&entries, "after").folders, ["Work"]);
    assert_eq!(named(&entries, "after").added, Some(1_700_000_007));
}

#[test]
fn every_row_is_accounted_for() {
    let entries = read(RAGGED);
    assert_eq!(named(&entries, "place:").title, "Most Visited");
    let bookmarklet = named(&entries, "javascript:");
    assert_eq!((bookmarklet.title.as_str(), bookmarklet.added), ("Bookmarklet", None));
    assert!(
        entries
            .iter()
            .any(|entry| entry.href.is_empty() && entry.title == "No address" && entry.added.is_none())
    );
    let untitled = named(&entries, "untitled");
    assert_eq!((untitled.title.as_str(), untitled.private), ("", Some(false)));
    assert_eq!(untitled.tags, ["one", "two"]);
}

#[test]
fn missing_and_stray_ends_do_little_harm() {
    let entries = read(RAGGED);
    let unclosed = named(&entries, "unclosed");
    assert_eq!((unclosed.title.as_str(), unclosed.description.as_str()), ("Title without an end", "Its"));
    assert_eq!(named(&entries, "inside").title, "inner link");
    assert_eq!(named(&entries, "lines.example").title, "Over several lines");
    assert_eq!(named(&entries, "saved").added, Some(1_700_000_008));
    assert_eq!(
        (named(&entries, "last").title.as_str(), &named(&entries, "last").folders),
        ("Last", &vec!["Left open".to_owned()])
    );
}

#[test]
fn lists_of_other_services_are_read() {
    let saved = read(
        "<!DOCTYPE html><html><head><title>Export</title></head><body><h1>Unread</h1><ul>\
         <li><a href=\"https://a.example/\" time_added=\"1700000000\" tags=\"x,y\">A</a></li>\
         <li><a href='https://b.example/'>B</a></li></ul><h1>Read</h1><ul><li><a href=https://c.example/>C</ul>",
    );
    assert_eq!(saved.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
    assert_eq!((saved[0].added, saved[0].tags.len()), (Some(1_700_000_000), 2));
    assert!(saved.iter().all(|entry| entry.folders.is_empty()));
}

#[test]
fn folders_are_the_named_lists_around_a_link() {
    let folders = |text: &str| only(text).folders.join("|");
    assert_eq!(folders("<DL><H3>a</H3><DL><H3>b</H3><DL><A HREF=x>x"), "a|b");
    assert_eq!(folders("<DL><H3>a</H3><DL></DL><A HREF=x>x"), "");
    assert_eq!(folders("<DL><H3>a</H3><A HREF=x>x"), "");
    assert_eq!(folders("<DL><H3>a</H3><DD>about a<DL><A HREF=x>x"), "a");
    assert_eq!(folders("<DL><H3>a<DL><A HREF=x>x"), "a");
    assert_eq!(folders("<DL><H3> </H3><DL><A HREF=x>x"), "");
    assert_eq!(folders("<DL><H3 PERSONAL_TOOLBAR_FOLDER=false>a</H3><DL><A HREF=x>x"), "a");
    assert_eq!(folders("</DL></DL><DL><H3>a</H3><DL><A HREF=x>x"), "a");
}

#[test]
fn deep_folders_are_flattened() {
    let depth = 10_000;
    let deep = format!(
        "{}<A HREF=x>x</A>{}<H3>b</H3><DL><A HREF=y>y",
        "<H3>a</H3><DL>".repeat(depth),
        "</DL>".repeat(depth)
    );
    let entries = read(&deep);
    assert_eq!(entries[0].folders.len(), 64);
    assert_eq!(entries[1].folders, ["b"]);
}

#[test]
fn times_are_told_by_magnitude() {
    let added = |text: &str| only(&format!("<A HREF=x ADD_DATE=\"{text}\">")).added;
    for same in ["1700000000", " 1700000000 ", "1700000000000", "1700000000000000", "13344473600000000"] {
        assert_eq!(added(same), Some(1_700_000_000), "{same}");
    }
    for none in ["", "0", "-1", "soon", "1e9", "1700000000000000000", "99999999999999999999"] {
        assert_eq!(added(none), None, "{none}");
    }
}

#[test]
fn encodings_are_recognised() {
    let text = "<META charset=utf-8><DL><DT><A HREF=\"https://x.example/é\">Café “x” €</A>";
    let western = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    for bytes in [
        text.as_bytes().to_vec(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        western(text),
        western(&text.replace("utf-8", "windows-1252")),
        western(&text.replace("<META charset=utf-8>", "")),
        text.replace("utf-8", "iso-8859-1").into_bytes(),
        utf16(u16::to_le_bytes, true),
        utf16(u16::to_be_bytes, true),
        utf16(u16::to_le_bytes, false),
        utf16(u16::to_be_bytes, false),
    ] {
        let entries = parse(&bytes).unwrap();
        assert_eq!(
            (entries[0].title.as_str(), entries[0].href.as_str()),
            ("Café “x” €", "https://x.example/é")
        );
    }
    let japanese = encoding_rs::SHIFT_JIS.encode("<meta charset='Shift_JIS'><A HREF=x>東京").0.into_owned();
    assert_eq!(parse(&japanese).unwrap()[0].title, "東京");
    let cyrillic = encoding_rs::WINDOWS_1251
        .encode("<META CONTENT=\"text/html; charset=windows-1251\"><A HREF=x>Привет")
        .0
        .into_owned();
    assert_eq!(parse(&cyrillic).unwrap()[0].title, "Привет");
    let cut = [text.as_bytes(), b"<A HREF=y>caf\xC3</A>"].concat();
    assert_eq!(parse(&cut).unwrap()[0].title, "Café “x” €");
}

#[test]
fn other_files_are_refused_with_a_reason() {
    for (bytes, error) in [
        (&b""[..], FileError::Empty),
        (b"\xEF\xBB\xBF \n", FileError::Empty),
        (b"<DL>\0<A HREF=x>", FileError::Binary),
        (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", FileError::Binary),
        (b"{\"bookmarks\": []}", FileError::NotBookmarks),
        (b"<html><p>Hello</p></html>", FileError::NotBookmarks),
    ] {
        assert_eq!(parse(bytes), Err(error));
    }
    assert_eq!(parse(b"<DL><p></DL>"), Ok(Vec::new()));
    assert!(FileError::Empty.to_string().ends_with('.'));
}

/// The tokenizer looks through all attributes of a tag for each new one, so a flood would occupy a core for hours.
#[test]
fn floods_of_attributes_are_refused() {
    let many = (0..200_000).map(|i| format!("a{i} ")).collect::<Vec<_>>().concat();
    let quoted = (0..200_000).map(|i| format!("a{i}='<>'")).collect::<Vec<_>>().concat();
    for flood in [&many, &quoted] {
        for before in [
            "",
            "<!-- \" -->",
            "<!DOCTYPE a \">",
            "1 <2 '",
            "<title>'</title>",
            "<b\n c = \"x <y> '\">",
            "<?'>",
        ] {
            assert_eq!(
                parse(format!("<DL>{before}<A {flood}>x").as_bytes()),
                Err(FileError::Damaged),
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

fn hrefs(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry.href.clone()).filter(|href| !href.is_empty()).collect()
}

/// The tree builder repeats an unclosed link in every paragraph that follows, hence sets.
fn distinct(shown: Vec<String>) -> BTreeSet<String> {
    shown.into_iter().filter(|href| !href.is_empty()).collect()
}

#[test]
fn the_ragged_file_has_the_links_that_a_browser_shows() {
    assert_eq!(hrefs(&read(RAGGED)), distinct(shown(RAGGED)));
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
        let _ = parse(&bytes);
        let _ = parse(&[b"<DL><A HREF=x>", bytes.as_slice()].concat());
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
        let found = parse(damaged.as_bytes()).map(|entries| hrefs(&entries)).unwrap_or_default();
        prop_assert_eq!(found, distinct(shown(&damaged)), "{}", damaged);
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
        let text = decode::decode(&bytes).into_owned();
        let found = parse(&bytes).map(|entries| hrefs(&entries)).unwrap_or_default();
        let lost: Vec<_> = distinct(shown(&text)).difference(&found).cloned().collect();
        prop_assert!(lost.is_empty(), "{lost:?}\n{text}");
    }
}
