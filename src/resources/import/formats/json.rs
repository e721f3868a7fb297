//! JSON: lists of saved pages, and the trees of browsers.

use serde::Deserialize as _;
use serde_json::Value;

use super::Found;
use super::record::Record;
use crate::resources::import::entry::{Entry, PastVersion};

/// Folders nested deeper are flattened into this level.
const MAX_DEPTH: usize = 64;

/// `None` for a text that is no JSON, or holds no links that are known.
pub fn parse(text: &str) -> Option<Found> {
    let text = text.trim_start();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let file: Value = serde_json::from_str(text).ok()?;
    let list = |name: &str| file.get(name).and_then(Value::as_array);
    if let Some(resources) = list("resources").filter(|_| file.get("exported_at").is_some()) {
        let (format, entries) = ("coffer’s JSON export", own_entries(resources));
        return Some(Found { format, entries, is_own: true, ..Found::default() });
    }
    let (format, entries) = if let Some(roots) = file.get("roots").and_then(Value::as_object) {
        ("Chrome’s bookmarks (JSON)", tree(roots.values()))
    } else if file.get("type").is_some_and(|kind| kind == "text/x-moz-place-container") {
        ("a Firefox backup (JSON)", tree(std::iter::once(&file)))
    } else if let Some(collections) = list("collections") {
        ("linkwarden’s JSON export", collections.iter().flat_map(collection).collect())
    } else {
        let items = list("bookmarks").or_else(|| list("links")).or_else(|| file.as_array())?;
        ("a JSON export", entries(items))
    };
    let has_links = entries.iter().any(|entry| !entry.href.is_empty());
    has_links.then_some(Found { format, entries, ..Found::default() })
}

/// Numbered from 1, as most programs write everything into one line.
fn entries(items: &[Value]) -> Vec<Entry> {
    let numbered = (1..).zip(items);
    let records =
        numbered.filter_map(|(number, item)| Some((number, Record::new(item.as_object()?.clone()))));
    records.filter_map(|(number, record)| record.entry(number)).collect()
}

fn own_entries(items: &[Value]) -> Vec<Entry> {
    let mut entries = entries(items);
    for entry in &mut entries {
        let item = usize::try_from(entry.line).ok().and_then(|number| items.get(number - 1));
        entry.versions = item.map(past_versions).unwrap_or_default();
    }
    entries
}

/// Those before the current one.
fn past_versions(item: &Value) -> Vec<PastVersion> {
    let current = item.get("version").and_then(Value::as_i64).unwrap_or_default();
    let all = item.get("revisions").and_then(Value::as_array).into_iter().flatten();
    let read = all.filter_map(|version| PastVersion::deserialize(version).ok());
    let mut past: Vec<PastVersion> = read.filter(|past| past.version < current).collect();
    past.sort_by_key(|past| past.version);
    past
}

/// Of linkwarden.
fn collection(value: &Value) -> Vec<Entry> {
    let name = value.get("name").and_then(Value::as_str).map(str::to_owned);
    let mut links =
        value.get("links").and_then(Value::as_array).map(|links| entries(links)).unwrap_or_default();
    for link in &mut links {
        link.folders = name.iter().cloned().collect();
    }
    links
}

struct Node<'a> {
    value: &'a Value,
    folders: Vec<String>,
}

/// The links below these folders, whose own names are a browser's.
fn tree<'a>(roots: impl Iterator<Item = &'a Value>) -> Vec<Entry> {
    let top = roots.flat_map(children).map(|value| Node { value, folders: Vec::new() });
    let mut open: Vec<Node<'_>> = top.collect();
    open.reverse();
    let (mut entries, mut number) = (Vec::new(), 0);
    while let Some(Node { value, folders }) = open.pop() {
        let inside = below(&folders, value);
        open.extend(children(value).iter().rev().map(|value| Node { value, folders: inside.clone() }));
        if value.get("url").or_else(|| value.get("uri")).is_some() {
            number += 1;
            entries.extend(link(value, number, &folders));
        }
    }
    entries
}

fn children(value: &Value) -> &[Value] {
    value.get("children").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The folders of what a node holds. Roots of a browser and links add none.
fn below(folders: &[String], value: &Value) -> Vec<String> {
    let name = ["name", "title"].iter().find_map(|name| value.get(name)?.as_str());
    let is_folder = value.get("children").is_some() && value.get("root").is_none();
    let name = name.filter(|name| is_folder && !name.is_empty() && folders.len() < MAX_DEPTH);
    folders.iter().cloned().chain(name.map(str::to_owned)).collect()
}

fn link(value: &Value, number: u64, folders: &[String]) -> Option<Entry> {
    let mut entry = Record::new(value.as_object()?.clone()).entry(number)?;
    entry.folders = folders.to_vec();
    // Firefox has places of its own, such as recent tags.
    (!entry.href.starts_with("place:")).then_some(entry)
}
