//! Tables (CSV).

use std::collections::BTreeMap;

use super::super::{Role, Source};
use super::{added, all, entries, only, open};
use crate::resources::import::choices::Choices;

#[test]
fn pocket() {
    let file = "title,url,time_added,tags,status\nTide tables,https://tides.example/,1572048000,sea|work,unread\n\
        \"Fog, again\",https://fog.example/,1572048001,,archive\n";
    let found = entries(file);
    assert_eq!((found[0].href.as_str(), found[0].title.as_str()), ("https://tides.example/", "Tide tables"));
    assert_eq!((found[0].line, added(&found[0]), found[0].flags.unread), (2, Some(1_572_048_000), true));
    assert_eq!(found[0].tags, ["sea", "work"]);
    assert_eq!((found[1].title.as_str(), &found[1].tags), ("Fog, again", &vec!["archived".to_owned()]));
}

#[test]
fn instapaper() {
    let file = "URL,Title,Selection,Folder,Timestamp,Tags\nhttps://a.example/,A,Some words,Unread,1572048000,\"[\"\"sea\"\"]\"\n\
        https://b.example/,B,,Recipes,1572048000,[]\nhttps://c.example/,C,,Starred,1572048000,[]\n";
    let found = entries(file);
    assert_eq!(
        (found[0].flags.unread, found[0].notes.as_str(), found[0].folders.len()),
        (true, "Some words", 0)
    );
    assert_eq!(found[0].tags, ["sea"]);
    assert_eq!((found[1].folders.join("/"), found[1].tags.len()), ("Recipes".to_owned(), 0));
    assert!(found[2].flags.pinned && !found[0].flags.pinned);
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
        (added(&found), found.flags.pinned, found.notes.as_str()),
        (Some(1_700_000_000), true, "Theirs\n\nMine")
    );
}

#[test]
fn readwise_reader_and_other_tables() {
    let reader = "Title,URL,ID,Document tags,Saved date,Reading progress,Location,Seen\n\
        Tides,https://tides.example/,1,sea,2023-11-14 22:13:20+00:00,0.5,archive,True\n";
    let found = only(reader);
    assert_eq!((found.tags.join("/"), added(&found)), ("sea/archived".to_owned(), Some(1_700_000_000)));
    let tagged =
        |tags: &str| only(&format!("Title,URL,Document tags\nTides,https://tides.example/,{tags}\n")).tags;
    assert_eq!(tagged("\"['rust', 'a b']\""), ["rust", "a b"]);
    assert_eq!((tagged("['shortlisted']"), tagged("[]").len()), (vec!["shortlisted".to_owned()], 0));
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

#[test]
fn columns_that_are_not_there_or_have_two_roles_are_refused() {
    let table = "title,url\nTides,https://tides.example/\n";
    let refused = |columns: &[(Role, usize)]| {
        let columns = columns.iter().copied().collect();
        let opened = Source::open(table.as_bytes(), &Choices { columns, ..Choices::default() });
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(refused(&[(Role::Address, 99)]).contains("no column 99 for the address"));
    assert!(refused(&[(Role::Address, 2)]).contains("the last of this table is 1"));
    assert!(refused(&[(Role::Address, 0), (Role::Title, 0)]).contains("can’t be address and title"));
    assert_eq!(refused(&[(Role::Address, 1), (Role::Title, 0)]), "");
}

#[test]
fn a_day_in_numbers_dates_a_row() {
    let date = |text: &str| added(&only(&format!("url,date\nhttps://a.example/,{text}\n")));
    assert_eq!(
        [date("31.12.2020"), date("12/31/2020"), date("1/2/2020")],
        [Some(1_609_372_800), Some(1_609_372_800), None]
    );
}
