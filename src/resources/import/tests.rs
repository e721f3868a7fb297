//! Where an import's numbers end: each of these was once broken by hand, and no test noticed.

use super::labels::Labels;
use std::ops::ControlFlow;

use super::choices::Choices;
use super::entry::Entry;
use super::formats::{FileError, Source};
use super::prepare::{Preparation, Slice};
use super::report::{Refusal, Report};
use super::twins::Twins;
use super::{NAMED, Ready, touched};
use crate::cache::Scope;
use crate::resources::draft::{BODY_LIMIT, TITLE_LIMIT};
use crate::resources::tag::{MAX_LENGTH, MAX_TAGS};
use crate::resources::{Visibility, cached};
use crate::system::System;
use crate::timestamp::Timestamp;
use uuid::Uuid;

const HEAD: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n";
const NOW: i64 = 1_700_000_000;
const SLICE: usize = 100;

fn open(file: &[u8]) -> Result<Source<'_>, FileError> {
    Source::open(file, &Choices::default())
}

fn entries(file: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    open(file).unwrap().each(|entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    });
    entries
}

fn read(lines: &str) -> Vec<Entry> {
    entries(format!("{HEAD}{lines}").as_bytes())
}

fn slices(lines: &str, skip: usize) -> Vec<Slice> {
    let choices = Choices { visibility: Visibility::Public, ..Choices::default() };
    let began_at = Timestamp::from_seconds(NOW).unwrap();
    let preparation = Preparation { context: System::real(), began_at, choices, slice: SLICE };
    let file = format!("{HEAD}{lines}");
    let source = open(file.as_bytes()).unwrap();
    let twins = Twins::find(&source, &preparation.choices);
    let mut slices = Vec::new();
    preparation.slices(&source, twins, skip, |slice| {
        slices.push(slice);
        ControlFlow::Continue(())
    });
    slices
}

fn prepared(lines: &str) -> Vec<Ready> {
    slices(lines, 0).into_iter().flat_map(|slice| slice.ready).collect()
}

fn tagged(tags: usize) -> Entry {
    Entry { tags: (0..tags).map(|n| format!("t{n}")).collect(), ..Entry::default() }
}

#[test]
fn a_long_tag_is_as_long_as_a_tag_may_be() {
    let entry = Entry { tags: vec!["x".repeat(MAX_LENGTH + 1)], ..Entry::default() };
    assert_eq!(Labels::new(&entry, true).tags[0].chars().count(), MAX_LENGTH);
    let whole = Entry { tags: vec!["x".repeat(MAX_LENGTH)], ..Entry::default() };
    assert!(Labels::new(&whole, true).shortened.is_empty());
}

#[test]
fn as_many_tags_as_an_entry_may_have_are_not_too_many() {
    let (full, more) = (Labels::new(&tagged(MAX_TAGS), true), Labels::new(&tagged(MAX_TAGS + 1), true));
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
    let ready = prepared(&lines);
    let now = Timestamp::from_seconds(NOW).unwrap();
    assert!(ready.iter().all(|ready| ready.created <= now && ready.updated > now));
    assert!(ready[2].created > ready[3].created, "the file's order stays");
    let webkit = "<DT><A HREF=\"https://e.example/\" ADD_DATE=\"11000000000000000\">In 1949</A>";
    assert_eq!(read(webkit)[0].added, None);
}

#[test]
fn a_cut_title_is_as_long_as_a_title_may_be() {
    let long = "y".repeat(TITLE_LIMIT + 1);
    let ready = prepared(&format!("<DT><A HREF=\"https://a.example/\">{long}</A>"));
    assert_eq!(ready[0].checked.title.chars().count(), TITLE_LIMIT);
    assert!(ready[0].checked.title.ends_with('…') && ready[0].checked.body.contains(&long));
}

/// Rows of one address with these descriptions.
fn described(texts: &[&str]) -> String {
    let row = |text: &&str| format!("<DT><A HREF=\"https://a.example/\">A</A>\n<DD>{text}\n");
    texts.iter().map(row).collect()
}

#[test]
fn descriptions_of_one_address_stand_below_each_other_once() {
    let body = |texts: &[&str]| prepared(&described(texts)).remove(0).checked.body;
    assert_eq!(body(&["first", "second"]), "first\n\nsecond");
    assert_eq!(body(&["first and second", "second", "", "first and second"]), "first and second");
    let long = "x".repeat(BODY_LIMIT - 10);
    let slice = slices(&described(&[&long, "second which is long"]), 0).remove(0);
    assert_eq!(slice.ready[0].checked.body.chars().count(), BODY_LIMIT);
    let told: Vec<_> =
        slice.shortenings.iter().map(|shortening| (shortening.line, &shortening.what)).collect();
    assert!(told.len() == 1 && told[0].1.contains("The rest was cut off"), "{told:?}");
    assert_eq!(told[0].0, slice.ready[0].twins[0].line);
}

#[test]
fn either_row_of_an_address_sets_its_flags() {
    let row = |marks: &str| format!("<DT><A HREF=\"https://a.example/\" {marks}>A</A>\n");
    let ready = prepared(&[row(""), row("TOREAD=\"1\""), row("DATA-IMPORTANT=\"true\"")].concat()).remove(0);
    assert!(ready.checked.unread && ready.checked.pinned);
}

#[test]
fn equal_notes_of_coffers_own_file_are_entries_of_their_own() {
    let note = r#"{"kind":"note","title":"Thought","body":"Of the sea"}"#;
    let own = format!(r#"{{"exported_at":"x","resources":[{note},{note},{note}]}}"#);
    let others = format!("[{note},{note},{note}]").replace("\"body\"", "\"url\":\"?\",\"body\"");
    let count = |file: &str| {
        let source = open(file.as_bytes()).unwrap();
        let twins = Twins::find(&source, &Choices::default());
        (0..3).map(|place| (twins.is_one(place), twins.equal_before(place))).collect::<Vec<_>>()
    };
    assert_eq!(count(&own), [(false, 0), (false, 1), (false, 2)]);
    assert!(open(others.as_bytes()).is_ok_and(|source| !source.is_own()));
    assert_eq!(count(&others).iter().filter(|(is_one, _)| *is_one).count(), 2);
}

#[test]
fn an_address_without_a_scheme_is_no_note() {
    let prepared = prepared("<DT><A HREF=\"//a.example/x\">Elsewhere</A>\n<DT><A HREF=\"/x\">A note</A>");
    let notes: Vec<_> = prepared.iter().filter(|ready| ready.checked.url.is_none()).collect();
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
    assert!(matches!(open(&file), Err(FileError::Charset { .. })));
}

#[test]
fn a_nul_in_a_small_file_is_an_accident() {
    assert!(entries(b"<DL>\0").is_empty());
    assert!(matches!(open(b"<DL>\0\0\0\0"), Err(FileError::Binary)));
}

#[test]
fn a_report_keeps_five_hundred_of_a_kind_by_their_lines() {
    let refused = |line| Refusal { line, reason: String::new(), text: String::new(), address: String::new() };
    let mut report = Report::default();
    for from in [300, 0] {
        let refusals = (from..from + 300).map(refused).collect();
        report.take_slice(&mut Slice { refusals, ..Slice::default() });
    }
    report.sort();
    let lines: Vec<u64> = report.refusals.iter().map(|refusal| refusal.line).collect();
    assert_eq!((report.refused, lines.len(), lines.is_sorted()), (600, 500, true));
}

/// Links `0` to `count`, of which every tenth stands in the file twice and every seventh is none.
fn many(count: usize) -> String {
    let link = |number: usize| {
        let scheme = if number.is_multiple_of(7) { "javascript" } else { "https" };
        let line = format!("<DT><A HREF=\"{scheme}://{number}.example/\">{number}</A>\n");
        if number.is_multiple_of(10) { line.repeat(2) } else { line }
    };
    (0..count).map(link).collect()
}

#[test]
fn what_is_left_of_a_file_is_the_rest_of_its_slices() {
    let file = many(1_000);
    let whole = slices(&file, 0);
    assert!(whole.iter().all(|slice| slice.ready.len() + slice.refusals.len() <= SLICE + 1));
    assert_eq!(whole.last().map(|slice| slice.end), Some(1_100));
    let titles = |slices: &[Slice]| -> Vec<String> {
        slices.iter().flat_map(|slice| &slice.ready).map(|ready| ready.checked.title.clone()).collect()
    };
    let all = titles(&whole);
    assert_eq!((all.len(), whole.iter().map(|slice| slice.refusals.len()).sum::<usize>()), (857, 158));
    for done in 1..whole.len() {
        let rest = slices(&file, whole[done - 1].end);
        assert_eq!(titles(&rest), titles(&whole[done..]), "after {done}");
    }
}

#[test]
fn many_changed_entries_touch_everything() {
    let ids: Vec<Uuid> = (0..=NAMED).map(|id| Uuid::from_u128(id as u128)).collect();
    let (owner, all) = (Uuid::from_u128(7), Scope::All);
    assert!(touched(owner, &ids).contains(&all) && !touched(owner, &ids[1..]).contains(&all));
    assert!(touched(owner, &ids[1..]).contains(&cached::scope(ids[NAMED])));
}
