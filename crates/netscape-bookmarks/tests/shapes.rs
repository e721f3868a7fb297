//! Files as programs write them, then files as accidents leave them.

use netscape_bookmarks::{Bookmark, Error, parse};

const RAGGED: &str = include_str!("../../../tests/fixtures/bookmarks-ragged.html");

fn read(text: &str) -> Vec<Bookmark> {
    parse(text.as_bytes(), None).unwrap().entries
}

fn only(text: &str) -> Bookmark {
    let entries = read(text);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.into_iter().next().unwrap()
}

fn named<'a>(entries: &'a [Bookmark], part: &str) -> &'a Bookmark {
    entries.iter().find(|entry| entry.href.contains(part)).unwrap_or_else(|| panic!("{part}"))
}

#[test]
fn a_ragged_file_is_read_to_its_end() {
    let entries = read(RAGGED);
    assert_eq!(entries.len(), 12);
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
    assert_eq!(
        (unclosed.title.as_str(), unclosed.description.as_str()),
        ("Title without an end", "Its inner link (https://inside.example/) counts too")
    );
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
        "<!DOCTYPE html><html><head><title>Pocket Export</title></head><body><h1>Recipes</h1><ul>\
         <li><a href=\"https://a.example/\" time_added=\"1700000000\" tags=\"x,y\">A</a></li>\
         <li><a href='https://b.example/'>B</a></li></ul><h1>Read</h1><ul><li><a href=https://c.example/>C</ul>",
    );
    assert_eq!(saved.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
    assert_eq!((saved[0].added, saved[0].tags.len()), (Some(1_700_000_000), 2));
    assert_eq!(
        saved.iter().map(|entry| entry.folders.join("|")).collect::<Vec<_>>(),
        ["Recipes", "Recipes", "Read"]
    );
}

#[test]
fn lists_of_pocket_and_instapaper_are_states() {
    let lists = |title: &str, names: [&str; 2]| {
        let [one, other] =
            names.map(|name| format!("<h1>{name}</h1><ol><li><a href=x time_added=1 tags='a b'>x</a></ol>"));
        read(&format!(
            "<!DOCTYPE html><html><head><title>{title}</title></head><body>{one}{other}</body></html>"
        ))
    };
    for (title, archive) in [("Pocket Export", "Read Archive"), ("Instapaper: Export", "Archive")] {
        let found = lists(title, ["Unread", archive]);
        assert!(found.iter().all(|entry| entry.folders.is_empty()), "{found:?}");
        assert_eq!((found[0].toread, found[1].toread), (Some(true), None));
        assert_eq!(
            (found[0].tags.join("|"), found[1].tags.join("|")),
            ("a b".to_owned(), "a b|archived".to_owned())
        );
    }
    let starred = lists("Instapaper: Export", ["Starred", "Recipes"]);
    assert_eq!((starred[0].important, starred[1].folders.join("|")), (Some(true), "Recipes".to_owned()));
    let of_a_browser = lists("Bookmarks", ["Unread", "Archive"]);
    assert_eq!(of_a_browser[1].folders, ["Archive"]);
    assert_eq!((of_a_browser[0].toread, of_a_browser[1].tags.join("|")), (None, "a|b".to_owned()));
}

#[test]
fn favourites_of_raindrop_are_important() {
    let important = |value: &str| only(&format!("<DL><A HREF=x DATA-IMPORTANT=\"{value}\">x")).important;
    assert_eq!([important("true"), important("false"), important("")], [Some(true), Some(false), None]);
}

#[test]
fn folders_are_the_named_lists_around_a_link() {
    let folders = |text: &str| only(text).folders.join("|");
    assert_eq!(folders("<DL><H3>a</H3><DL><H3>b</H3><DL><A HREF=x>x"), "a|b");
    assert_eq!(folders("<DL><H3>a</H3><DL></DL><A HREF=x>x"), "");
    assert_eq!(folders("<DL><H3>a</H3><A HREF=x>x"), "");
    assert_eq!(folders("<DL><H3>a</H3><DD>about <script> a <DL><A HREF=x>x"), "a");
    assert_eq!(read("<DL><H3>a</H3><DD>see <A HREF=y>y</A><DL><A HREF=x>x").pop().unwrap().folders, ["a"]);
    assert_eq!(folders("<H1>Bookmarks</H1><DL><p><A HREF=x>x"), "");
    assert_eq!(folders("<DL><p></DL><h1>Unread</h1>\n<ol>\n<li><a href=x>x</a>"), "Unread");
    assert_eq!(
        folders(
            "<html><title>Pocket Export</title><H1>Mine</H1><H2>Later <b>on</b></H2><p>These:</p><UL><LI><A HREF=x>x"
        ),
        "Later on"
    );
    assert_eq!(folders("<title>Pocket Export</title><h1>a</h1><ul></ul><ul><li><a href=x>x</a></ul>"), "");
    assert_eq!(folders("<DL><H3>a<DL><A HREF=x>x"), "a");
    assert_eq!(folders("<DL><H3> </H3><DL><A HREF=x>x"), "");
    assert_eq!(folders("<DL><H3 PERSONAL_TOOLBAR_FOLDER=false>a</H3><DL><A HREF=x>x"), "a");
    assert_eq!(folders("</DL></DL><DL><H3>a</H3><DL><A HREF=x>x"), "a");
}

const HEAD: &str =
    "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n";

#[test]
fn what_people_forgot_to_escape_swallows_nothing() {
    for mark in [
        "<script>", "<SCRIPT src=x>", "<title>", "<style>", "<textarea>", "<xmp>", "<iframe>", "<noembed>",
        "<noframes>", "<plaintext>", "<noscript>", "<template>", "<svg>", "<!--", "<!-- x -->", "<![CDATA[",
        "<!doctype", "<?php", "<?php echo ?>", "</script>", "<String>", "<script", "<a", "<b", "<", "<<",
        "<1>", "</", "<x y=\"",
    ] {
        let file = format!(
            "{HEAD}<DT><H3>in {mark} folder</H3>\n<DD>about {mark} it\n<DL><p>\n<DT><A HREF=\"https://1.example/\">a {mark} title</A>\n\
             <DD>put a {mark} before\n<DT><A HREF=\"https://2.example/\">two</A>\n</DL><p>\n<DT><A HREF=\"https://3.example/\">three</A>\n</DL>"
        );
        let entries = read(&file);
        assert_eq!(entries.len(), 3, "{mark}: {entries:?}");
        assert_eq!(entries[0].title, format!("a {mark} title"));
        assert_eq!(entries[0].description, format!("put a {mark} before"));
        assert_eq!(entries[1].folders, [format!("in {mark} folder")]);
        assert_eq!((entries[2].title.as_str(), entries[2].folders.len()), ("three", 0), "{mark}");
    }
    let entries = read(&format!("{HEAD}<DT><A HREF=x>The <h1> and <H2>tags</H2></A>\n<DT><A HREF=y>b"));
    assert_eq!((entries[0].title.as_str(), entries.len()), ("The <h1> and <H2>tags</H2>", 2));
    assert_eq!(only(&format!("{HEAD}<DT><A HREF=\"javascript:a<b&&c>d\" x='<'>x</A>")).title, "x");
    assert_eq!(
        only(&format!("{HEAD}<DT><A HREF=x>a <b>bold</b> <font color=\"red\">x</font>")).title,
        "a bold x"
    );
}

#[test]
fn only_the_outline_ends_a_description() {
    let described = |text: &str| only(&format!("{HEAD}<DT><A HREF=x>x</A>\n<DD>{text}\n</DL>")).description;
    for (html, plain) in [
        (
            "see <a href=\"https://inner.example/\">inner</a> for more",
            "see inner (https://inner.example/) for more",
        ),
        ("<A HREF=https://y.example/>https://y.example/</A>!", "https://y.example/!"),
        ("<a name=x>here</a> and <a href=y>", "here and y"),
        ("<ul><li>one</li><li>two</li></ul>three", "- one\n- two\nthree"),
        ("a<hr>b<h3>c</h3>d", "a\nb\nc\nd"),
        ("<blockquote>Quoted by Pinboard</blockquote> and mine", "Quoted by Pinboard\nand mine"),
        ("first<br>second<br/>third", "first\nsecond\nthird"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<pre>if x {\n    y();\n}</pre>", "if x {\n    y();\n}"),
        ("a &amp; b &lt; c &quot;d&quot; &#39;e&#39; &#x1F600;", "a & b < c \"d\" 'e' 😀"),
    ] {
        assert_eq!(described(html), plain);
    }
    let entries = read(&format!("{HEAD}<DT><A HREF=x>x</A>\n<DD>see <a href=z>z\n<DT><A HREF=y>y</A>"));
    assert_eq!((entries[0].description.as_str(), entries.len()), ("see z", 2));
    let after = read(&format!("{HEAD}<DT><A HREF=x>x</A><DD>text</DD> <A HREF=y>y</A>"));
    assert_eq!(after.len(), 2);
}

#[test]
fn leading_white_space_stays() {
    let list = "Shopping:\n- fruit\n  - apples\n\t- pears\n\n      code {\n          x\n      }\n- bread";
    for end in ["\n", "\r\n"] {
        let file = format!("{HEAD}<DT><A HREF=x>x</A>\n<DD>{list}\n<DT><A HREF=y>y</A>").replace('\n', end);
        assert_eq!(read(&file)[0].description, list);
    }
    let indented =
        "<DL><p>\n    <DT><A HREF=x>x</A>\n    <DD>One\n        two\n          three\n        four\n    <DT>";
    assert_eq!(only(indented).description, "One\ntwo\n  three\nfour");
    assert_eq!(only("<DL><DT><A HREF=x>x</A>\n<DD>  - a\n  - b").description, "  - a\n  - b");
    assert_eq!(only("<DL><DT><A HREF=x>x</A>\n<DD> a").description, "a");
}

#[test]
fn notes_of_linkding_are_told_from_the_description() {
    let described = |text: &str| {
        let entry =
            only(&format!("{HEAD}<DT><A HREF=x TAGS=\"a,linkding:bookmarks.archived\">x</A>\n<DD>{text}\n"));
        assert_eq!(entry.tags, ["a", "archived"]);
        (entry.description, entry.notes)
    };
    let both = described("The description[linkding-notes]my *own* notes\n\n- point[/linkding-notes]");
    assert_eq!(both, ("The description".to_owned(), "my *own* notes\n\n- point".to_owned()));
    assert_eq!(described("[linkding-notes]x[/linkding-notes]"), (String::new(), "x".to_owned()));
    assert_eq!(described("a[linkding-notes]never closed"), ("a".to_owned(), "never closed".to_owned()));
}

#[test]
fn tags_are_separated_by_commas_or_else_by_spaces() {
    let tags = |text: &str, others: &str| {
        let file = format!("{HEAD}<DT><A HREF=x TAGS=\"{text}\">x</A><DT><A HREF=y TAGS=\"{others}\">y</A>");
        read(&file).swap_remove(0).tags.join("|")
    };
    assert_eq!(tags("music server  stream", "a,b"), "music|server|stream");
    assert_eq!(tags("  a , b ,, c ", ""), "a|b|c");
    assert_eq!(tags("tide tables", "sea water,moon"), "tide tables", "this program allows spaces");
    assert_eq!(tags("编程，设计、rust", ""), "编程|设计|rust");
}

#[test]
fn what_is_not_clearly_shared_is_private() {
    let private = |text: &str| only(&format!("<DL><A HREF=x {text}>x")).private;
    for yes in
        ["PRIVATE=1", "private='true'", "Private=Yes", "PRIVATE", "PRIVATE=\"\"", "PRIVATE=2", "PRIVATE=on"]
    {
        assert_eq!(private(yes), Some(true), "{yes}");
    }
    for no in ["PRIVATE=0", "PRIVATE=false", "PRIVATE=\" No \""] {
        assert_eq!(private(no), Some(false), "{no}");
    }
    assert_eq!(private(""), None);
}

#[test]
fn a_file_of_coffers_own_is_read_to_the_letter() {
    let head = "<META NAME=\"generator\" CONTENT=\"coffer\">\n<DL><p>\n";
    let body = "    code first  \nand *more*\n\n\n[linkding-notes] &lt;DT&gt;\n";
    let own = format!(
        "{head}<DT><A HREF=\"x\" PRIVATE=\"1\" DATA-VISIBILITY=\"members\" TAGS=\"tide tables\">x</A>\n<DD>{body}\n</DL><p>\n"
    );
    let file = parse(own.as_bytes(), None).unwrap();
    let entry = &file.entries[0];
    assert!(file.is_own && entry.description.is_empty());
    assert_eq!(entry.notes, body.replace("&lt;", "<").replace("&gt;", ">"));
    assert_eq!(
        (entry.tags.join("|"), entry.visibility.clone()),
        ("tide tables".to_owned(), Some("members".to_owned()))
    );
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
    for same in [
        "1700000000",
        " 1700000000 ",
        "1700000000000",
        "1700000000000000",
        "13344473600000000",
        "1700000000.5",
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.75Z",
        "2023-11-14T23:13:20+01:00",
        "2023-11-14 22:13:20",
        "2023-11-14T22:13:20",
        "2023-11-14 23:13:20 +0100",
        "20231114T221320Z",
        "14/Nov/2023:22:13:20 +0000",
        "14/Nov/2023:14:13:20 -0800",
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue, 14 Nov 2023 23:13:20 +0100",
    ] {
        assert_eq!(added(same), Some(1_700_000_000), "{same}");
    }
    assert_eq!(added("2023-11-14"), Some(1_699_920_000));
    assert_eq!(added("1960-01-01"), Some(-315_619_200));
    for none in [
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1601-01-01T00:00:00Z",
        "2023-13-14",
        "14/Foo/2023:22:13:20 +0000",
        ".",
        "",
        "0",
        "-1",
        "soon",
        "1e9",
        "1700000000000000000",
        "99999999999999999999",
    ] {
        assert_eq!(added(none), None, "{none}");
    }
}

#[test]
fn a_day_in_numbers_is_read_where_it_has_one_meaning() {
    let added = |text: &str| only(&format!("<A HREF=x ADD_DATE=\"{text}\">")).added;
    for same in ["31.12.2020", "31/12/2020", "12/31/2020", "2020/12/31", "2020.12.31", "12/31/2020 12:00 am"]
    {
        assert_eq!(added(same), Some(1_609_372_800), "{same}");
    }
    for same in ["31.12.2020 14:05", "12/31/2020, 2:05:00 PM", "2020/12/31 14:05:00"] {
        assert_eq!(added(same), Some(1_609_423_500), "{same}");
    }
    assert_eq!((added("1.2.2020"), added("3/3/2020")), (Some(1_580_515_200), Some(1_583_193_600)));
    for none in ["1/2/2020", "31.12.20", "31.13.2020", "1.2.3.2020", "12/31", "a.b.2020"] {
        assert_eq!(added(none), None, "{none}");
    }
}

#[test]
fn dates_of_coffers_own_are_kept_whatever_they_are() {
    let own = |date: &str| {
        let head = "<META NAME=\"generator\" CONTENT=\"coffer\"><DL>";
        only(&format!("{head}<A HREF=x ADD_DATE=\"{date}\" LAST_MODIFIED=\"{date}\">x")).added
    };
    assert_eq!([own("0"), own("-5"), own("")], [Some(0), Some(-5), None]);
}

#[test]
fn encodings_are_recognised() {
    let text = "<META charset=utf-8><DL><DT><A HREF=\"https://x.example/é\">Café “x” €</A>";
    let western = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let is_read = |bytes: &[u8], charset| {
        let entries = parse(bytes, charset).unwrap().entries;
        assert_eq!(
            (entries[0].title.as_str(), entries[0].href.as_str()),
            ("Café “x” €", "https://x.example/é")
        );
    };
    for bytes in [
        text.as_bytes().to_vec(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        western(&text.replace("utf-8", "windows-1252")),
        text.replace("utf-8", "iso-8859-1").into_bytes(),
        utf16(u16::to_le_bytes, true),
        utf16(u16::to_be_bytes, true),
        utf16(u16::to_le_bytes, false),
        utf16(u16::to_be_bytes, false),
    ] {
        is_read(&bytes, None);
    }
    for undeclared in [western(text), western(&text.replace("<META charset=utf-8>", ""))] {
        assert_eq!(parse(&undeclared, None).unwrap_err(), Error::Charset { guess: "windows-1252" });
        is_read(&undeclared, Some(encoding_rs::WINDOWS_1252));
    }
    let japanese =
        encoding_rs::SHIFT_JIS.encode("<meta charset='Shift_JIS'><DL><A HREF=x>東京").0.into_owned();
    assert_eq!(parse(&japanese, None).unwrap().entries[0].title, "東京");
    let cyrillic = encoding_rs::WINDOWS_1251
        .encode("<META CONTENT=\"text/html; charset=windows-1251\"><DL><A HREF=x>Привет")
        .0
        .into_owned();
    assert_eq!(parse(&cyrillic, None).unwrap().entries[0].title, "Привет");
    let cut = [text.as_bytes(), b"<A HREF=y>caf\xC3</A>"].concat();
    let read = parse(&cut, None).unwrap();
    assert_eq!((read.entries[0].title.as_str(), read.unreadable, read.charset), ("Café “x” €", 1, "UTF-8"));
}

#[test]
fn a_guess_is_told_and_not_acted_upon() {
    let titles = ["新闻，科技与生活", "程序设计语言", "中华人民共和国"];
    let list = |head: &str| {
        format!("{head}<DL><p>\n<DT><A HREF=x>{}</A>\n</DL>", titles.join("</A>\n<DT><A HREF=x>"))
    };
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let wrong = "<META HTTP-EQUIV=Content-Type CONTENT=\"text/html; charset=Shift_JIS\">";
    for head in ["", "<META charset=utf-8>", wrong] {
        let bytes = gbk(&list(head));
        assert_eq!(parse(&bytes, None).unwrap_err(), Error::Charset { guess: "GBK" }, "{head}");
        let read = parse(&bytes, Some(encoding_rs::GBK)).unwrap();
        assert_eq!(read.entries.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(), titles);
    }
    assert!(parse(&gbk(&list("<meta charset=gbk>")), None).is_ok());
}

#[test]
fn a_stray_nul_is_one_unreadable_character() {
    assert_eq!(only("<DL>\0<A HREF=\"x\0y\">a\0b</A><DD>c\0").title, "a\u{FFFD}b");
    assert_eq!(only("<DL><A HREF=\"x\0y\">a").href, "x\u{FFFD}y");
    let long = format!("<DL><A HREF=x>{}\0\0\0</A>", "a".repeat(100));
    assert!(only(&long).title.ends_with("\u{FFFD}\u{FFFD}\u{FFFD}"));
}

#[test]
fn what_merely_has_links_is_refused() {
    let page = "<!DOCTYPE html><html><head><title>Home</title></head><body><nav><a href=https://a.example/>A</a></nav>";
    for text in [
        page.to_owned(),
        format!("{page}<dl><dt>Word</dt><dd>See <a href=https://b.example/>B</a></dd></dl>"),
        format!("{page}<ul><li>Read <a href=https://b.example/>B</a></ul>"),
        format!("{page}<a href=https://b.example/ tags=x>B</a><a href=https://c.example/>C</a>"),
        "<h1>Recipes</h1><ol><li><a href=https://a.example/>A</a></ol>".to_owned(),
        "<!DOCTYPE html><h1>Words</h1><dl><dt><a href=https://a.example/>A</a></dl>".to_owned(),
        "<?xml version=\"1.0\"?><!DOCTYPE html><html><a href=x>x</a>".to_owned(),
        "<p><a href=https://a.example/>A</a>".to_owned(),
    ] {
        assert_eq!(parse(text.as_bytes(), None).unwrap_err(), Error::NotBookmarks, "{text}");
    }
    for text in [
        "<html><title>Instapaper: Export</title><body><h1>Unread</h1><ol><li><a href=https://a.example/>A</a><li><a href=https://b.example/>B</a></ol>",
        "<html><DL><DT><A HREF=https://a.example/>A</A></DL><p><a href=https://b.example/ add_date=1700000000>B</a>",
        "<!DOCTYPE NETSCAPE-Bookmark-file-1><html><p><a href=https://a.example/>A</a>",
        "Bookmarks, saved\n<DL><A HREF=x>x",
    ] {
        assert!(!read(text).is_empty(), "{text}");
    }
}

#[test]
fn other_files_are_refused_with_a_reason() {
    for (bytes, error) in [
        (&b""[..], Error::Empty),
        (b"\xEF\xBB\xBF \n", Error::Empty),
        (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", Error::NotBookmarks),
        (b"<html><p>Hello</p></html>", Error::NotBookmarks),
        (b"see <a href=\"https://x.example/\">x</a>", Error::NotBookmarks),
        (b"<a", Error::NotBookmarks),
        (b"<p>if a <a then b</p>", Error::NotBookmarks),
    ] {
        assert_eq!(parse(bytes, None).unwrap_err(), error);
    }
    assert_eq!(parse(b"<DL><p></DL>", None).unwrap().entries, []);
}
