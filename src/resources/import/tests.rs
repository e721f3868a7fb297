//! Where an import's numbers end: each of these was once broken by hand, and no test noticed.

use super::labels::Labels;
use super::netscape::{self, Bookmarks, Entry, FileError};
use super::prepare::{Preparation, Prepared};
use super::report::{Duplicate, Refusal, Report, Shortening};
use super::{NAMED, touched};
use crate::cache::Scope;
use crate::resources::draft::TITLE_LIMIT;
use crate::resources::tag::{MAX_LENGTH, MAX_TAGS};
use crate::resources::{Visibility, cached};
use crate::system::System;
use crate::timestamp::Timestamp;
use uuid::Uuid;

const HEAD: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n";
const NOW: i64 = 1_700_000_000;

fn read(lines: &str) -> Vec<Entry> {
    netscape::parse(format!("{HEAD}{lines}").as_bytes(), None).unwrap().entries
}

fn prepared(lines: &str) -> Prepared {
    let file = Bookmarks { entries: read(lines), has_lists: true, ..Bookmarks::default() };
    let (context, now) = (System::real(), Timestamp::from_seconds(NOW).unwrap());
    Preparation { context: &context, now, visibility: Visibility::Public }.prepare(&file)
}

fn tagged(tags: usize) -> Entry {
    Entry { tags: (0..tags).map(|n| format!("t{n}")).collect(), ..Entry::default() }
}

#[test]
fn a_long_tag_is_as_long_as_a_tag_may_be() {
    let entry = Entry { tags: vec!["x".repeat(MAX_LENGTH + 1)], ..Entry::default() };
    assert_eq!(Labels::new(&entry).tags[0].chars().count(), MAX_LENGTH);
    let whole = Entry { tags: vec!["x".repeat(MAX_LENGTH)], ..Entry::default() };
    assert!(Labels::new(&whole).shortened.is_empty());
}

#[test]
fn as_many_tags_as_an_entry_may_have_are_not_too_many() {
    let (full, more) = (Labels::new(&tagged(MAX_TAGS)), Labels::new(&tagged(MAX_TAGS + 1)));
    assert!(full.tags.len() == MAX_TAGS && full.shortened.is_empty(), "{:?}", full.shortened);
    assert!(more.tags.len() == MAX_TAGS && more.shortened.len() == 1, "{:?}", more.shortened);
}

#[test]
fn dates_that_cannot_be_are_not_believed() {
    let ahead = NOW + 60;
    let lines = format!(
        "<DT><A HREF=\"https://a.example/\" ADD_DATE=\"{ahead}\">Ahead</A>
        <DT><A HREF=\"https://b.example/\" ADD_DATE=\"1600000000\" LAST_MODIFIED=\"1500000000\">Changed before</A>
        <DT><A HREF=\"https://c.example/\">Undated</A>\n<DT><A HREF=\"https://d.example/\">Undated too</A>"
    );
    let ready = prepared(&lines).ready;
    let now = Timestamp::from_seconds(NOW).unwrap();
    assert!(ready.iter().all(|ready| ready.created <= now && ready.updated >= ready.created));
    assert!(ready.iter().all(|ready| ready.updated == now));
    assert!(ready[2].created > ready[3].created, "the file's order stays");
    let webkit = "<DT><A HREF=\"https://e.example/\" ADD_DATE=\"11000000000000000\">In 1949</A>";
    assert_eq!(read(webkit)[0].added, None);
}

#[test]
fn a_cut_title_is_as_long_as_a_title_may_be() {
    let long = "y".repeat(TITLE_LIMIT + 1);
    let ready = prepared(&format!("<DT><A HREF=\"https://a.example/\">{long}</A>")).ready;
    assert_eq!(ready[0].checked.title.chars().count(), TITLE_LIMIT);
    assert!(ready[0].checked.title.ends_with('…') && ready[0].checked.body.contains(&long));
}

#[test]
fn the_first_of_two_descriptions_stays() {
    let lines = "<DT><A HREF=\"https://a.example/\">A</A>\n<DD>first\n<DT><A HREF=\"https://a.example/\">A</A>\n<DD>second\n";
    assert_eq!(prepared(lines).ready[0].checked.body, "first");
}

#[test]
fn an_address_without_a_scheme_is_no_note() {
    let prepared = prepared("<DT><A HREF=\"//a.example/x\">Elsewhere</A>\n<DT><A HREF=\"/x\">A note</A>");
    let notes: Vec<_> = prepared.ready.iter().filter(|ready| ready.checked.url.is_none()).collect();
    assert!(notes.len() == 1 && notes[0].checked.title == "A note");
}

#[test]
fn what_lies_deeper_than_folders_go_leads_back_to_the_last_of_them() {
    let folders: Vec<String> = (0..67).map(|n| format!("<DT><H3>f{n}</H3>\n<DL><p>\n")).collect();
    let folders = folders.concat();
    let entries = read(&format!("{folders}</DL><p>\n</DL><p>\n<DT><A HREF=\"https://a.example/\">A</A>"));
    let path = &entries[0].folders;
    assert_eq!(path.last().map(String::as_str), Some("f62"), "{path:?}");
}

#[test]
fn lines_that_stand_less_far_in_than_their_tag_keep_their_place() {
    let lines = "<DT><A HREF=\"https://a.example/\">A</A>\n        <DD>first\n    code\n    more\n";
    assert_eq!(read(lines)[0].description, "first\n    code\n    more");
    let deeper = "<DT><A HREF=\"https://a.example/\">A</A>\n    <DD>first\n        code\n            more\n";
    assert_eq!(read(deeper)[0].description, "first\ncode\n    more");
}

#[test]
fn a_file_of_bytes_is_not_utf_16_whatever_it_says() {
    let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode("Таблицы приливов и отливов на каждый день года");
    let head = "<META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=utf-16\">";
    let link = b"<DT><A HREF=\"https://a.example/\">";
    let file = [HEAD.as_bytes(), head.as_bytes(), link, &cyrillic, b"</A>"].concat();
    assert!(matches!(netscape::parse(&file, None), Err(FileError::Charset { .. })));
}

#[test]
fn a_nul_in_a_small_file_is_an_accident() {
    assert!(netscape::parse(b"<DL>\0", None).unwrap().entries.is_empty());
    assert!(matches!(netscape::parse(b"<DL>\0\0\0\0", None), Err(FileError::Binary)));
}

#[test]
fn a_report_follows_the_lines_of_the_file() {
    let twin = |line| Duplicate { line, title: String::new(), existing: None, added: Vec::new() };
    let short = |line| Shortening { line, title: String::new(), what: String::new() };
    let refused = Refusal { line: 1, reason: String::new(), text: String::new() };
    let mut report = Report::default();
    report.list(vec![twin(9), twin(2)], vec![short(8), short(3)], vec![refused; 501]);
    assert_eq!(report.duplicates.iter().map(|twin| twin.line).collect::<Vec<_>>(), [2, 9]);
    assert_eq!(report.shortenings.iter().map(|short| short.line).collect::<Vec<_>>(), [3, 8]);
    assert_eq!((report.refused, report.refusals.len(), report.merged), (501, 500, 0));
}

#[test]
fn many_changed_entries_touch_everything() {
    let ids: Vec<Uuid> = (0..=NAMED).map(|id| Uuid::from_u128(id as u128)).collect();
    let (owner, all) = (Uuid::from_u128(7), Scope::All);
    assert!(touched(owner, &ids).contains(&all) && !touched(owner, &ids[1..]).contains(&all));
    assert!(touched(owner, &ids[1..]).contains(&cached::scope(ids[NAMED])));
}
