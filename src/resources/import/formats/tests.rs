//! Files as other programs write them.

mod archive;
mod json;
mod table;

use std::ops::ControlFlow;

use super::{FileError, Source};
use crate::resources::import::choices::Choices;
use crate::resources::import::entry::Entry;

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
        ("Just a text.\nOf two lines.", "a text"),
        ("# Tides\n\nSee [the tables](https://tides.example/).", "a text"),
        ("<?php echo '<a href=x>x</a>';", "a program"),
        ("name,amount\nx,1\n", "a table without a column of addresses"),
        ("Dear Ada, how are you?\nWell, thanks.", "a text"),
        (
            "Return-Path: <ada@example.org>\nSubject: Tides\n\n<html><a href=https://x.example/>x</a></html>",
            "an email",
        ),
    ] {
        let error = refusal(text);
        assert!(error.contains("contains no bookmarks") && error.contains(seems), "{text}: {error}");
    }
}
