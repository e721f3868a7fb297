//! Files as other programs write them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;

use super::{FileError, Role, Source};
use crate::resources::import::choices::Choices;
use crate::resources::import::entry::Entry;
use crate::timestamp::Timestamp;

fn open(file: &[u8]) -> Result<Source<'_>, FileError> {
    Source::open(file, &Choices::default())
}

fn all(source: &Source<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    source.each(|entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    });
    entries
}

fn entries(file: &str) -> Vec<Entry> {
    all(&open(file.as_bytes()).expect("a file of links"))
}

/// The second that an entry was added.
fn added(entry: &Entry) -> Option<i64> {
    entry.added.map(|at| at.micros() / 1_000_000)
}

fn only(file: &str) -> Entry {
    let mut found = entries(file);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn refusal(file: &str) -> String {
    open(file.as_bytes()).err().expect("a refusal").to_string()
}

#[test]
fn pocket() {
    let file = "title,url,time_added,tags,status\nTide tables,https://tides.example/,1572048000,sea|work,unread\n\
        \"Fog, again\",https://fog.example/,1572048001,,archive\n";
    let found = entries(file);
    assert_eq!((found[0].href.as_str(), found[0].title.as_str()), ("https://tides.example/", "Tide tables"));
    assert_eq!((found[0].line, added(&found[0]), found[0].toread), (2, Some(1_572_048_000), Some(true)));
    assert_eq!(found[0].tags, ["sea", "work"]);
    assert_eq!((found[1].title.as_str(), &found[1].tags), ("Fog, again", &vec!["archived".to_owned()]));
}

#[test]
fn instapaper() {
    let file = "URL,Title,Selection,Folder,Timestamp,Tags\nhttps://a.example/,A,Some words,Unread,1572048000,\"[\"\"sea\"\"]\"\n\
        https://b.example/,B,,Recipes,1572048000,[]\nhttps://c.example/,C,,Starred,1572048000,[]\n";
    let found = entries(file);
    assert_eq!(
        (found[0].toread, found[0].notes.as_str(), found[0].folders.len()),
        (Some(true), "Some words", 0)
    );
    assert_eq!(found[0].tags, ["sea"]);
    assert_eq!((found[1].folders.join("/"), found[1].tags.len()), ("Recipes".to_owned(), 0));
    assert!(found[2].pinned && !found[0].pinned);
}

#[test]
fn raindrop() {
    let file = "id,title,note,excerpt,url,folder,tags,created,cover,highlights,favorite\n\
        1,Tides,Mine,Theirs,https://tides.example/,Sea / North,\"sea, work\",2023-11-14T22:13:20.000Z,,,true\n";
    let found = only(file);
    assert_eq!(
        (found.folders.join("/"), found.tags.join("/")),
        ("Sea/North".to_owned(), "sea/work".to_owned())
    );
    assert_eq!(
        (added(&found), found.pinned, found.notes.as_str()),
        (Some(1_700_000_000), true, "Theirs\n\nMine")
    );
}

#[test]
fn readwise_reader_and_other_tables() {
    let reader = "Title,URL,ID,Document tags,Saved date,Reading progress,Location,Seen\n\
        Tides,https://tides.example/,1,sea,2023-11-14 22:13:20+00:00,0.5,archive,True\n";
    let found = only(reader);
    assert_eq!((found.tags.join("/"), added(&found)), ("sea/archived".to_owned(), Some(1_700_000_000)));
    let found = only("name;link\r\n\"Tide; \"\"tables\"\"\";https://tides.example/\r\n");
    assert_eq!((found.title.as_str(), found.href.as_str()), ("Tide; \"tables\"", "https://tides.example/"));
    assert_eq!(only("link\tremark\nhttps://tides.example/\tx\n").href, "https://tides.example/");
    // A row without an address is refused later, with its line.
    let found = entries("url,title\n,Nothing\n\nhttps://b.example/,B\n");
    assert_eq!(
        found.iter().map(|entry| (entry.line, entry.href.is_empty())).collect::<Vec<_>>(),
        [(2, true), (4, false)]
    );
}

#[test]
fn pinboard() {
    let file = r#"[{"href":"https:\/\/tides.example\/","description":"Tide  tables","extended":"Of <the> coast","meta":"x",
        "time":"2023-11-14T22:13:20Z","shared":"no","toread":"yes","tags":"sea work"}]"#;
    let found = only(file);
    assert_eq!((found.title.as_str(), found.href.as_str()), ("Tide tables", "https://tides.example/"));
    assert_eq!((found.private, found.toread, added(&found)), (Some(true), Some(true), Some(1_700_000_000)));
    assert_eq!((found.tags.join("/"), found.notes.as_str()), ("sea/work".to_owned(), "Of &lt;the> coast"));
}

#[test]
fn wallabag_and_omnivore() {
    let wallabag = r#"[{"is_archived":1,"is_starred":1,"tags":["sea"],"title":"Tides","url":"https://tides.example/",
        "content":"<p>The page</p>","created_at":"2023-11-14T22:13:20+00:00",
        "annotations":[{"text":"So true","quote":"High water"}]}]"#;
    let found = only(wallabag);
    assert!(found.pinned);
    assert_eq!(
        (found.tags.join("/"), found.notes.as_str()),
        ("sea/archived".to_owned(), "> High water\n\nSo true")
    );
    let omnivore = r#"[{"id":"1","title":"Tides","description":"Of the coast","url":"https://tides.example/",
        "state":"Archived","readingProgress":40,"labels":["sea"],"savedAt":"2023-11-14T22:13:20.000Z"}]"#;
    let found = only(omnivore);
    assert_eq!((found.tags.join("/"), found.notes.as_str()), ("sea/archived".to_owned(), "Of the coast"));
}

#[test]
fn karakeep_and_linkwarden() {
    let karakeep = r#"{"bookmarks":[
        {"createdAt":1700000000,"title":"Tides","tags":["sea"],"content":{"type":"link","url":"https://tides.example/"},
            "note":"Mine","archived":true},
        {"createdAt":1700000000,"title":null,"tags":[],"content":{"type":"text","text":"A thought"},"note":null}]}"#;
    let found = entries(karakeep);
    assert_eq!(
        (found[0].href.as_str(), found[0].tags.join("/")),
        ("https://tides.example/", "sea/archived".to_owned())
    );
    assert_eq!((found[0].notes.as_str(), added(&found[0])), ("Mine", Some(1_700_000_000)));
    assert!(found[1].is_note && found[1].notes == "A thought" && found[1].href.is_empty());
    let linkwarden = r#"{"username":"ada","collections":[{"name":"Sea","links":[
        {"name":"Tides","url":"https://tides.example/","description":"","tags":[{"name":"coast"}],
            "createdAt":"2023-11-14T22:13:20.000Z"}]}]}"#;
    let found = only(linkwarden);
    assert_eq!(
        (found.title.as_str(), found.folders.join("/"), found.tags.join("/")),
        ("Tides", "Sea".to_owned(), "coast".to_owned())
    );
}

#[test]
fn the_trees_of_browsers() {
    let chrome = r#"{"checksum":"x","roots":{"bookmark_bar":{"type":"folder","name":"Bookmarks bar","children":[
        {"type":"url","name":"First","url":"https://a.example/","date_added":"13344473600000000"},
        {"type":"folder","name":"Sea","children":[{"type":"folder","name":"North","children":[
            {"type":"url","name":"Tides","url":"https://tides.example/"}]}]},
        {"type":"url","name":"Last","url":"https://z.example/"}]},
        "other":{"type":"folder","name":"Other bookmarks","children":[]}},"version":1}"#;
    let found = entries(chrome);
    let seen: Vec<_> = found.iter().map(|entry| (entry.title.as_str(), entry.folders.join("/"))).collect();
    assert_eq!(seen, [("First", String::new()), ("Tides", "Sea/North".to_owned()), ("Last", String::new())]);
    assert_eq!(added(&found[0]), Some(1_700_000_000));
    let firefox = r#"{"guid":"root________","title":"","type":"text/x-moz-place-container","root":"placesRoot","children":[
        {"title":"menu","type":"text/x-moz-place-container","root":"bookmarksMenuFolder","children":[
            {"title":"Sea","type":"text/x-moz-place-container","children":[
                {"title":"Tides","type":"text/x-moz-place","uri":"https://tides.example/","dateAdded":1700000000000000,
                    "tags":"coast,north sea"},
                {"title":"Recent","type":"text/x-moz-place","uri":"place:sort=8"}]}]}]}"#;
    let found = only(firefox);
    assert_eq!(
        (found.folders.join("/"), found.tags.join("/")),
        ("Sea".to_owned(), "coast/north sea".to_owned())
    );
    assert_eq!(added(&found), Some(1_700_000_000));
}

#[test]
fn coffers_own_json() {
    let file = r#"{"exported_at": "2026-11-28T14:05:00.000Z", "resources": [
{"kind":"link","title":"Tides","url":"https://tides.example/","body":"*Mine*","tags":["north sea"],"visibility":"members","pinned":true,"created_at":"2023-11-14T22:13:20.250Z","trashed_at":null},
{"kind":"note","title":"Thought","url":null,"body":"A thought","tags":[],"visibility":"private","pinned":false,"created_at":"2023-11-14T22:13:20.000Z","trashed_at":"2024-11-14T22:13:20.000Z"}
]}"#;
    let source = open(file.as_bytes()).expect("coffer's own");
    let found = all(&source);
    assert!(source.is_own() && found[0].pinned && found[1].is_note);
    assert_eq!(found[0].added, Timestamp::parse("2023-11-14T22:13:20.250Z"));
    assert_eq!((found[0].notes.as_str(), &found[0].tags), ("*Mine*", &vec!["north sea".to_owned()]));
    assert_eq!(found.iter().map(|entry| entry.is_trashed).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_list_of_addresses() {
    let found =
        entries("\u{FEFF}# mine\nhttps://a.example/\n\n  http://b.example/x Tide tables\nno address\n");
    let seen: Vec<_> =
        found.iter().map(|entry| (entry.line, entry.href.as_str(), entry.title.as_str())).collect();
    assert_eq!(
        seen,
        [(2, "https://a.example/", ""), (4, "http://b.example/x", "Tide tables"), (5, "no", "address")]
    );
}

#[test]
fn what_is_none_of_these_is_refused_by_name() {
    for (file, what) in [
        (r#"{"name":"coffer","version":"1.0"}"#, "JSON"),
        (r#"[{"href":"https://a.example/","toread":"no""#, "Pinboard’s JSON"),
        ("just text", "contains no bookmarks"),
        ("name,amount\nx,1\n", "contains no bookmarks"),
    ] {
        assert!(refusal(file).contains(what), "{file}: {}", refusal(file));
    }
    // Without a mark or UTF-8 it can't be read for sure, whatever its format.
    let latin = [
        b"url,title\nhttps://a.example/,Caf\xE9 au lait\n".to_vec(),
        b"https://b.example/,\xFCber\n".to_vec(),
    ]
    .concat();
    assert!(open(&latin).err().expect("a question").to_string().contains("encoding"));
    let western = Choices { charset: "windows-1252".to_owned(), ..Choices::default() };
    assert_eq!(all(&Source::open(&latin, &western).expect("rows"))[0].title, "Café au lait");
}

#[test]
fn files_of_other_kinds_are_told_what_they_seem_to_be() {
    for (text, seems) in [
        (
            "{\"exported_at\": \"x\", \"resources\": [\n{\"body\":\"<a href='https://x.example/'>x</a><dl>\"}",
            "coffer’s own JSON",
        ),
        ("[{\"is_archived\":0,\"content\":\"<dl><a href=\\\"https://x.example\\\">\"}]", "wallabag’s JSON"),
        (" \u{FEFF}[ ]", "JSON"),
        ("{\"checksum\":\"\", \"roots\":{}}", "Chrome’s internal bookmarks file"),
        ("{\"type\":\"text/x-moz-place-container\"}", "Firefox"),
        (
            "<!DOCTYPE html><html><head></head><body><p><a href=https://x.example/>x</a></body></html>",
            "a web page",
        ),
        ("%PDF-1.7 <dl><a href=x>", "a PDF document"),
        ("GIF89a", "a picture"),
        ("<?xml version=\"1.0\"?>\n<opml><body/></opml>", "OPML"),
        ("<rss><item>&lt;a href=x&gt;</item></rss>", "a feed"),
        ("<?xml version=\"1.0\"?><wallabag><a href=\"x\"/></wallabag>", "XML"),
        ("SQLite format 3\0<dl><a href=x>", "a database"),
        ("Opera Hotlist version 2.0\n", "Opera"),
    ] {
        let error = refusal(text);
        assert!(error.contains("contains no bookmarks") && error.contains(seems), "{text}: {error}");
    }
}

#[test]
fn columns_without_known_names_are_found_and_can_be_chosen() {
    let table = "what;where;when;why\nTides;https://tides.example/;2023-11-14;sea, moon\n";
    let source = open(table.as_bytes()).expect("a table");
    let roles: Vec<Option<Role>> = source.columns().iter().map(|column| column.role).collect();
    assert_eq!(roles, [None, Some(Role::Address), None, None]);
    assert_eq!(source.columns()[1].example, "https://tides.example/");
    let columns = BTreeMap::from([(Role::Title, 0), (Role::Address, 1), (Role::Date, 2), (Role::Tags, 3)]);
    let source = Source::open(table.as_bytes(), &Choices { columns, ..Choices::default() });
    let found = all(&source.expect("a table")).remove(0);
    assert_eq!((found.title.as_str(), added(&found)), ("Tides", Some(1_699_920_000)));
    assert_eq!(found.tags, ["sea", "moon"]);
    // What a person leaves out stays out, although its name says what it is.
    let table = "title,url\nTides,https://tides.example/\n";
    let columns = BTreeMap::from([(Role::Address, 1)]);
    let source = Source::open(table.as_bytes(), &Choices { columns, ..Choices::default() });
    assert_eq!(all(&source.expect("a table")).remove(0).title, "");
}

/// A ZIP of these files.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a file");
        writer.write_all(text.as_bytes()).expect("its text");
    }
    writer.finish().expect("a ZIP").into_inner()
}

#[test]
fn a_vault_of_notes_and_clippings() {
    let vault = zip(&[
        (".obsidian/app.json", "{}"),
        ("Notes/Sea/Tides.md", "---\ntags:\n  - moon\n  - tables\ncreated: 2023-11-14\n---\nHigh *water*\n"),
        (
            "Clippings/Fog.md",
            "---\ntitle: \"Fog, again\"\nsource: https://fog.example/\nauthor:\n  - \"[[Ada]]\"\n---\n> Thick\n",
        ),
        ("../../etc/passwd.md", "no properties"),
        ("Notes/.hidden.md", "no"),
        ("__MACOSX/Notes/._Tides.md", "no"),
        ("picture.png", "no"),
    ]);
    let source = open(&vault).expect("a vault");
    let found = all(&source);
    assert!(!source.is_own() && found.len() == 3, "{found:?}");
    assert!(found[0].is_note && found[0].title == "Tides" && found[0].notes == "High *water*");
    assert_eq!(
        (found[0].folders.join("/"), found[0].tags.join("/")),
        ("Notes/Sea".to_owned(), "moon/tables".to_owned())
    );
    assert_eq!(added(&found[0]), Some(1_699_920_000));
    assert_eq!((found[1].href.as_str(), found[1].title.as_str()), ("https://fog.example/", "Fog, again"));
    assert_eq!((found[2].title.as_str(), found[2].folders.join("/")), ("passwd", "etc".to_owned()));
}

#[test]
fn archives_that_are_none_of_notes_or_unpack_to_too_much_are_refused() {
    let large = "x".repeat(1 << 20);
    let bomb: Vec<(String, &str)> = (0..140).map(|number| (format!("{number}.md"), large.as_str())).collect();
    let bomb: Vec<(&str, &str)> = bomb.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let cut = zip(&[("a.md", "text")]);
    for (archive, sentence) in [
        (zip(&[("a.html", "<DL>")]), "a ZIP archive without Markdown files"),
        (zip(&[("[Content_Types].xml", ""), ("a.md", "x")]), "a document or a program"),
        (zip(&bomb), "unpacks to more than 128 MiB"),
        (zip(&[("a.md", &"x".repeat((1 << 20) + 1))]), "a file in it to more than 1 MiB"),
        (cut[..cut.len() - 30].to_vec(), "it is damaged"),
        (b"PK\x03\x04x".to_vec(), "it is damaged"),
    ] {
        let refused = open(&archive).err().expect("a refusal").to_string();
        assert!(refused.contains(sentence), "{sentence}: {refused}");
    }
}

#[test]
fn what_is_not_clearly_shared_is_private() {
    let private = |mark: &str| only(&format!(r#"[{{"url":"https://a.example/",{mark}}}]"#)).private;
    for mark in [
        r#""private":true"#,
        r#""isPrivate":1"#,
        r#""private":"yes""#,
        r#""is_private":"perhaps""#,
        r#""shared":false"#,
        r#""shared":"no""#,
        r#""public":0"#,
        r#""is_public":"maybe""#,
        r#""visibility":"private""#,
        r#""visibility":"MEMBERS""#,
        r#""visibility":"unlisted""#,
        r#""public":true,"private":true"#,
    ] {
        assert_eq!(private(mark), Some(true), "{mark}");
    }
    for mark in [
        r#""private":false"#,
        r#""isPrivate":"0""#,
        r#""shared":"yes""#,
        r#""public":1"#,
        r#""visibility":"Public""#,
    ] {
        assert_eq!(private(mark), Some(false), "{mark}");
    }
    for mark in [r#""private":null"#, r#""shared":"""#, r#""title":"private""#] {
        assert_eq!(private(mark), None, "{mark}");
    }
    let column = |cell: &str| only(&format!("url,title,private\nhttps://a.example/,A,{cell}\n")).private;
    assert_eq!(
        [column("1"), column("yes"), column("0"), column("")],
        [Some(true), Some(true), Some(false), None]
    );
}
