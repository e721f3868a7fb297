//! JSON, and the trees of browsers.

use std::ops::ControlFlow;

use super::{added, all, entries, only, open};
use crate::resources::import::entry::Entry;
use crate::timestamp::Timestamp;

#[test]
fn pinboard() {
    let file = r#"[{"href":"https:\/\/tides.example\/","description":"Tide  tables","extended":"Of <the> coast","meta":"x",
        "time":"2023-11-14T22:13:20Z","shared":"no","toread":"yes","tags":"sea work"}]"#;
    let found = only(file);
    assert_eq!((found.title.as_str(), found.href.as_str()), ("Tide tables", "https://tides.example/"));
    assert_eq!((found.private, found.flags.unread, added(&found)), (Some(true), true, Some(1_700_000_000)));
    assert_eq!((found.tags.join("/"), found.notes.as_str()), ("sea/work".to_owned(), "Of &lt;the> coast"));
}

#[test]
fn wallabag_and_omnivore() {
    let wallabag = r#"[{"is_archived":1,"is_starred":1,"tags":["sea"],"title":"Tides","url":"https://tides.example/",
        "content":"<p>The page</p>","created_at":"2023-11-14T22:13:20+00:00",
        "annotations":[{"text":"So true","quote":"High water"}]}]"#;
    let found = only(wallabag);
    assert!(found.flags.pinned);
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
fn a_note_of_karakeep_is_markdown_and_its_title_is_not() {
    let note = |text: &str| {
        only(&format!(r#"{{"bookmarks":[{{"title":null,"content":{{"type":"text","text":"{text}"}}}}]}}"#))
    };
    let found = note("Just a **text** note\\n\\n- one");
    assert_eq!(
        (found.title.as_str(), found.notes.as_str()),
        ("Just a text note", "Just a **text** note\n\n- one")
    );
    assert!(found.is_note && found.href.is_empty());
    assert_eq!(note(&"x".repeat(600)).title.len(), 500);
}

#[test]
fn lists_of_karakeep_are_folders_by_ids_and_by_names() {
    let file = r#"{"bookmarks":[
        {"title":"Tides","content":{"type":"link","url":"https://tides.example/"},"lists":["n","w"]},
        {"title":"Fog","content":{"type":"link","url":"https://fog.example/"},"lists":["Weather",{"name":"Sea"}]}],
        "lists":[{"id":"s","name":"Sea","parentId":null},{"id":"n","name":"North","parentId":"s"},
            {"id":"w","name":"Weather","parentId":"w"}]}"#;
    let found = entries(file);
    let paths = |entry: &Entry| {
        let others = entry.other_folders.iter().map(|path| path.join("/"));
        std::iter::once(entry.folders.join("/")).chain(others).collect::<Vec<_>>()
    };
    assert_eq!(
        (paths(&found[0]), paths(&found[1])),
        (vec!["Sea/North".to_owned(), "Weather".to_owned()], vec!["Weather".to_owned(), "Sea".to_owned()])
    );
}

#[test]
fn collections_of_linkwarden_are_nested_and_may_be_private() {
    let file = r#"{"collections":[
        {"id":1,"name":"Public coll","isPublic":true,"parentId":null,"links":[{"id":7,"name":"A","url":"https://a.example/"}]},
        {"id":2,"name":"Child","isPublic":false,"parentId":1,"links":[{"id":8,"name":"B","url":"https://b.example/"}]},
        {"id":3,"name":"No mark","links":[{"id":9,"name":"C","url":"https://c.example/"}]}],
        "pinnedLinks":[{"id":8,"name":"B"}]}"#;
    let found = entries(file);
    let paths: Vec<String> = found.iter().map(|entry| entry.folders.join("/")).collect();
    assert_eq!(paths, ["Public coll", "Public coll/Child", "No mark"]);
    assert_eq!([found[0].private, found[1].private, found[2].private], [None, Some(true), None]);
    assert_eq!([found[0].flags.pinned, found[1].flags.pinned], [false, true]);
}

#[test]
fn dates_of_1970_and_before_are_coffers_own_alone() {
    let own = |date: &str| {
        only(&format!(
            r#"{{"exported_at":"x","resources":[{{"kind":"note","title":"A","body":"","created_at":"{date}"}}]}}"#
        ))
    };
    for date in ["1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.500Z", "1601-05-03T00:00:00.000Z"] {
        assert_eq!(own(date).added, Timestamp::parse(date), "{date}");
    }
    let others =
        |date: &str| added(&only(&format!(r#"[{{"url":"https://a.example/","created_at":"{date}"}}]"#)));
    assert_eq!(
        [others("1970-01-01T00:00:00Z"), others("0"), others("0001-01-01T00:00:00Z"), others("1960-01-01")],
        [None, None, None, Some(-315_619_200)]
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
    assert!(source.is_own() && found[0].flags.pinned && found[1].is_note);
    assert_eq!(found[0].added, Timestamp::parse("2023-11-14T22:13:20.250Z"));
    assert_eq!((found[0].notes.as_str(), &found[0].tags), ("*Mine*", &vec!["north sea".to_owned()]));
    assert_eq!(found.iter().map(|entry| entry.is_trashed).collect::<Vec<_>>(), [false, true]);
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

#[test]
fn an_entry_that_cannot_be_read_is_refused_and_not_the_file() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let file = format!(
        r#"[{{"url":"https://a.example/","title":"A"}}, {{"url":"https://b.example/","title":"\ud800"}},
        {{"url":"https://c.example/","tags":{deep}}}, 7, {{"url":"https://e.example/","title":"\ud83c\udf0a"}}]"#
    );
    let found = entries(&file);
    let seen: Vec<_> = found.iter().map(|entry| (entry.line, entry.href.as_str())).collect();
    assert_eq!(seen, [(1, "https://a.example/"), (2, ""), (3, ""), (5, "https://e.example/")]);
    assert_eq!(found[3].title, "🌊");
}

#[test]
fn a_folder_that_cannot_be_read_is_refused_by_its_number() {
    let broken = r#"{"\ud800":1,"children":[{"url":"https://lost.example/"}]}"#;
    let whole = r#"{"type":"url","name":"A","url":"https://a.example/"}"#;
    let nested =
        format!(r#"{{"roots":{{"bar":{{"children":[{broken},{whole}]}},"version":1,"other":{broken}}}}}"#);
    let seen =
        |file: &str| entries(file).into_iter().map(|entry| (entry.line, entry.href)).collect::<Vec<_>>();
    let (refused, kept) = (String::new(), "https://a.example/".to_owned());
    assert_eq!(seen(&nested), [(1, refused.clone()), (2, kept.clone()), (3, refused.clone())]);
    let collections = format!(r#"{{"collections":[{broken},{{"name":"Sea","links":[{whole}]}}]}}"#);
    assert_eq!(seen(&collections), [(1, refused), (2, kept)]);
}

#[test]
fn collections_are_numbered_on() {
    let file = r#"{"collections":[{"name":"Sea","links":[{"name":"A","url":"https://a.example/"}]},{"name":7},
        {"links":[{"name":"B","url":"https://b.example/"}]}]}"#;
    let found = entries(file);
    let seen: Vec<_> = found.iter().map(|entry| (entry.line, entry.folders.join("/"))).collect();
    assert_eq!(seen, [(1, "Sea".to_owned()), (2, String::new())]);
}

#[test]
fn a_tree_is_read_to_its_last_level() {
    let tree = |folders: usize| {
        let open = r#"{"name":"f","children":["#.repeat(folders);
        let link = r#"{"name":"A","url":"https://a.example/"}"#;
        format!(r#"{{"roots":{{"bar":{{"children":[{open}{link}{}]}}}}}}"#, "]}".repeat(folders))
    };
    assert_eq!(only(&tree(63)).folders.len(), 63);
    assert!(open(tree(64).as_bytes()).is_err());
}

#[test]
fn a_file_can_be_read_again_and_left_in_the_middle() {
    let file = r#"{"links":[{"url":"https://a.example/"},{"url":"https://b.example/"}]}"#;
    let source = open(file.as_bytes()).expect("links");
    let mut seen = 0;
    source.each(|_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((seen, all(&source).len(), all(&source).len()), (1, 2, 2));
    let utf16: Vec<u8> = format!("\u{FEFF}{file}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(all(&open(&utf16).expect("links")), all(&source));
}
