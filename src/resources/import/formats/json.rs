//! JSON: lists of saved pages, and the trees of browsers.
//!
//! Only where the entries stand in the text is kept. Each is read when it is asked for, so that a large file needs
//! little memory.

mod nesting;

use std::collections::{BTreeMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::rc::Rc;

use serde::Deserialize as _;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use self::nesting::Nesting;
use super::record::{Record, text_of};
use super::{Entries, Found};
use crate::resources::import::entry::{Entry, PastVersion};

/// A tree with more levels is not read. Every level is scanned once for each level above it.
const MAX_DEPTH: usize = 64;

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Where entries stand in a text.
#[derive(Debug, Default)]
pub struct Items {
    places: Vec<Place>,
    /// Whether coffer wrote them, with their older versions.
    is_own: bool,
    /// Of karakeep, whose entries name their lists.
    lists: Nesting,
    /// The ids of what linkwarden has pinned.
    pinned: HashSet<String>,
}

#[derive(Debug)]
struct Place {
    at: Range<usize>,
    /// Of a tree or a collection; `None` where the entry itself may name a folder.
    folder: Option<Rc<Folder>>,
}

#[derive(Debug, Default)]
struct Folder {
    /// From the outermost inwards.
    path: Vec<String>,
    is_private: bool,
}

/// `None` for a text that is no JSON, or holds no links and notes that are known.
pub fn parse<'a>(text: &str) -> Option<Found<'a>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let (format, items) = items(text)?;
    let is_own = items.is_own;
    let mut until_one = |Entry { href, is_note, .. }| {
        if href.is_empty() && !is_note { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let has_entries = is_own || items.each(text, &mut until_one).is_break();
    has_entries.then(|| Found { is_own, ..Found::new(format, Entries::Json(items)) })
}

/// What the format is called, and its entries.
fn items(text: &str) -> Option<(&'static str, Items)> {
    let others = |format, values: Vec<&RawValue>| {
        let places = values.into_iter().map(|value| place(text, value, None)).collect();
        Some((format, Items { places, ..Items::default() }))
    };
    let Ok(file) = serde_json::from_str::<Object<'_>>(text) else {
        return others("a JSON export", serde_json::from_str(text).ok()?);
    };
    let list = |name: &str| file.get(name).and_then(|value| list(value));
    if let Some(resources) = list("resources").filter(|_| file.contains_key("exported_at")) {
        let (_, items) = others("", resources)?;
        return Some(("coffer’s JSON export", Items { is_own: true, ..items }));
    }
    if let Some(roots) = file.get("roots").and_then(|roots| object(roots)) {
        return Some(("Chrome’s bookmarks (JSON)", tree(text, roots.into_values())?));
    }
    if file.get("type").and_then(|kind| string(kind)).as_deref() == Some("text/x-moz-place-container") {
        let root = serde_json::from_str(text).ok()?;
        return Some(("a Firefox backup (JSON)", tree(text, std::iter::once(root))?));
    }
    if let Some(collections) = list("collections") {
        let pinned = list("pinnedLinks").unwrap_or_default();
        return Some(("linkwarden’s JSON export", of_linkwarden(text, &collections, &pinned)));
    }
    let (format, items) = others("a JSON export", list("bookmarks").or_else(|| list("links"))?)?;
    let lists = list("lists").unwrap_or_default();
    let lists = Nesting::new(lists.into_iter().filter_map(object));
    Some((format, Items { lists, ..items }))
}

fn place(text: &str, value: &RawValue, folder: Option<Rc<Folder>>) -> Place {
    let start = value.get().as_ptr().addr() - text.as_ptr().addr();
    Place { at: start..start + value.get().len(), folder }
}

fn object(value: &RawValue) -> Option<Object<'_>> {
    serde_json::from_str(value.get()).ok()
}

fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

fn of_linkwarden(text: &str, collections: &[&RawValue], pinned: &[&RawValue]) -> Items {
    let nesting = Nesting::new(collections.iter().filter_map(|value| object(value)));
    let places = collections.iter().flat_map(|value| collection(text, value, &nesting)).collect();
    let id = |link: &&RawValue| object(link)?.get("id").map(|id| id.get().to_owned());
    Items { places, pinned: pinned.iter().filter_map(id).collect(), ..Items::default() }
}

/// One of linkwarden; what is in one that is not public is private.
fn collection(text: &str, value: &RawValue, nesting: &Nesting) -> Vec<Place> {
    let Some(fields) = object(value) else { return vec![place(text, value, None)] };
    let name = || fields.get("name").and_then(|name| string(name)).into_iter().collect();
    let path = fields.get("id").map_or_else(name, |id| nesting.path(id.get()));
    let is_private = fields.get("isPublic").is_some_and(|mark| mark.get() == "false");
    let folder = Rc::new(Folder { path, is_private });
    let links = fields.get("links").and_then(|links| list(links)).unwrap_or_default();
    links.into_iter().map(|link| place(text, link, Some(Rc::clone(&folder)))).collect()
}

struct Node<'a> {
    value: &'a RawValue,
    folder: Rc<Folder>,
    depth: usize,
}

/// The links below these folders, whose own names are a browser's.
fn tree<'a>(text: &str, roots: impl Iterator<Item = &'a RawValue>) -> Option<Items> {
    let no_folder = Rc::<Folder>::default();
    let top = roots.flat_map(|root| object(root).map_or_else(|| vec![root], |root| children(&root)));
    let mut open: Vec<Node<'_>> =
        top.map(|value| Node { value, folder: Rc::clone(&no_folder), depth: 1 }).collect();
    open.reverse();
    let mut places = Vec::new();
    while let Some(Node { value, folder, depth }) = open.pop() {
        if depth > MAX_DEPTH {
            return None;
        }
        let Some(node) = object(value) else {
            // Refused by its number, with what lies below it.
            places.extend(value.get().starts_with('{').then(|| place(text, value, Some(folder))));
            continue;
        };
        let inside = below(&folder, &node);
        let inner = children(&node).into_iter().rev();
        open.extend(inner.map(|value| Node { value, folder: Rc::clone(&inside), depth: depth + 1 }));
        if node.contains_key("url") || node.contains_key("uri") {
            places.push(place(text, value, Some(folder)));
        }
    }
    Some(Items { places, ..Items::default() })
}

fn children<'a>(node: &Object<'a>) -> Vec<&'a RawValue> {
    node.get("children").and_then(|children| list(children)).unwrap_or_default()
}

/// The folder of what a node holds. Roots of a browser and links add none.
fn below(folder: &Rc<Folder>, node: &Object<'_>) -> Rc<Folder> {
    let is_folder = node.contains_key("children") && !node.contains_key("root");
    let name = ["name", "title"].iter().find_map(|name| string(node.get(*name)?));
    match name.filter(|name| is_folder && !name.is_empty()) {
        Some(name) => {
            let path = folder.path.iter().cloned().chain([name]).collect();
            Rc::new(Folder { path, ..Folder::default() })
        }
        None => Rc::clone(folder),
    }
}

impl Items {
    /// Each is numbered from 1, as most programs write everything into one line.
    pub fn each(&self, text: &str, take: &mut impl FnMut(Entry) -> ControlFlow<()>) -> ControlFlow<()> {
        let read = |(number, place): (u64, &Place)| self.entry(number, place, text.get(place.at.clone())?);
        (1..).zip(&self.places).filter_map(read).try_for_each(take)
    }

    /// An entry that can't be read is empty, so that it is refused with its number.
    fn entry(&self, number: u64, place: &Place, text: &str) -> Option<Entry> {
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return Some(Entry { line: number, ..Entry::default() });
        };
        let versions = if self.is_own { past_versions(&value) } else { Vec::new() };
        let Value::Object(fields) = value else { return None };
        let mut lists = self.lists_of(&fields);
        let is_pinned = fields.get("id").is_some_and(|id| self.pinned.contains(&id.to_string()));
        let mut entry = Entry { versions, ..Record::new(fields).of_coffer(self.is_own).entry(number)? };
        entry.flags.pinned |= is_pinned;
        if let Some(folder) = &place.folder {
            entry.folders.clone_from(&folder.path);
            entry.private = if folder.is_private { Some(true) } else { entry.private };
        }
        if entry.folders.is_empty() && !lists.is_empty() {
            entry.folders = lists.remove(0);
        }
        entry.other_folders = lists;
        // Firefox has places of its own, such as recent tags.
        (!entry.href.starts_with("place:")).then_some(entry)
    }

    /// The paths of the lists that an entry names by their ids or names.
    fn lists_of(&self, fields: &Map<String, Value>) -> Vec<Vec<String>> {
        let named = fields.get("lists").and_then(Value::as_array).into_iter().flatten();
        let paths = named.map(|list| {
            let id = list.get("id").unwrap_or(list);
            let path = self.lists.path(&id.to_string());
            let name = || text_of(list.get("name").unwrap_or(list)).into_iter().collect();
            if path.is_empty() { name() } else { path }
        });
        paths.filter(|path| !path.is_empty()).collect()
    }
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
