//! One saved page as other programs write it: a JSON object or a row of a table, whose fields go by many names.

use netscape_bookmarks::{flag, is_comma, seconds};
use serde_json::{Map, Value};

use super::table::Role;
use crate::markdown;
use crate::resources::import::entry::Entry;
use crate::resources::{Draft, Visibility};
use crate::timestamp::Timestamp;

const ADDRESS: &[&str] = &["url", "href", "uri", "link", "address", "givenurl", "resolvedurl"];
const TITLE: &[&str] = &["title", "name", "resolvedtitle"];
const TEXT: &[&str] =
    &["extended", "description", "excerpt", "summary", "selection", "note", "notes", "text"];
const TAGS: &[&str] = &["tags", "labels", "documenttags"];
const FOLDER: &[&str] = &["folder", "collection", "folders"];
const ADDED: &[&str] = &[
    "createdat", "created", "savedat", "saveddate", "timeadded", "dateadded", "time", "timestamp", "added",
    "date",
];
const MODIFIED: &[&str] = &["updatedat", "lastmodified", "modified", "updated"];
const FAVOURITE: &[&str] = &["pinned", "favorite", "favourite", "isstarred", "starred", "isfavorite"];
const ARCHIVED: &[&str] = &["archived", "isarchived"];
const UNREAD: &[&str] = &["toread", "unread", "isunread"];
const PRIVATE: &[&str] = &["private", "isprivate"];
const SHARED: &[&str] = &["shared", "isshared", "public", "ispublic"];
const HIGHLIGHTS: &[&str] = &["highlights", "annotations"];
/// Fields that say with a word where a page is kept.
const PLACE: &[&str] = &["status", "state", "location", "folder"];
/// Folders that stand for such a word.
const PLACES: &[&str] = &["unread", "archive", "archived", "starred", "inbox", "new", "later"];

/// The fields by their names without case and separators, so that `Saved date` and `saved_date` are one.
pub struct Record(Map<String, Value>);

impl Record {
    pub fn new(fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (plain_name(&name), value)).collect())
    }

    /// A link or a note. `None` where every field is empty.
    pub fn entry(&self, line: u64) -> Option<Entry> {
        let href = self.text(ADDRESS).or_else(|| self.inside("content", "url")).unwrap_or_default();
        let title = self.title();
        let notes = self.notes(&title);
        let is_empty = [&href, &title, &notes].iter().all(|text| text.is_empty());
        (!is_empty).then(|| Entry {
            line,
            href,
            is_note: self.is_note(),
            is_trashed: self.text(&["trashedat"]).is_some(),
            title,
            notes,
            tags: self.tags(),
            folders: self.folders(),
            added: self.time(ADDED),
            modified: self.time(MODIFIED),
            private: self.is_private(),
            visibility: self.text(&["visibility"]).and_then(|text| Visibility::parse(&text)),
            flags: Draft {
                unread: self.flag(UNREAD) || self.is_at(&["unread"]),
                pinned: self.flag(FAVOURITE) || self.is_at(&["starred"]),
                ..Draft::default()
            },
            ..Entry::default()
        })
    }

    /// coffer's own, or karakeep's.
    fn is_note(&self) -> bool {
        self.text(&["kind"]).is_some_and(|kind| kind == "note")
            || self.inside("content", "type").is_some_and(|kind| kind == "text")
    }

    /// Pinboard's titles are called descriptions.
    fn title(&self) -> String {
        let title = self.text(TITLE).or_else(|| self.inside("content", "title"));
        let title =
            title.or_else(|| self.0.contains_key("extended").then(|| self.text(&["description"])).flatten());
        one_line(&title.unwrap_or_default())
    }

    /// Markdown: coffer's own text as it is, others' texts and highlights.
    fn notes(&self, title: &str) -> String {
        if let Some(Value::String(body)) = self.0.get("body") {
            return body.clone();
        }
        let mut parts: Vec<String> = Vec::new();
        let texts = TEXT.iter().filter_map(|name| self.text(&[name])).chain(self.inside("content", "text"));
        for text in texts.filter(|text| one_line(text) != title) {
            let text = markdown::from_plain(&text);
            if !parts.contains(&text) {
                parts.push(text);
            }
        }
        match self.value(HIGHLIGHTS) {
            Some(Value::Array(highlights)) => parts.extend(highlights.iter().filter_map(highlight)),
            Some(text) => parts.extend(highlight(text)),
            None => {}
        }
        parts.join("\n\n")
    }

    fn tags(&self) -> Vec<String> {
        let mut tags = match self.value(TAGS) {
            Some(Value::Array(tags)) => tags.iter().filter_map(name_of).collect(),
            Some(Value::String(text)) => self.split_tags(text),
            _ => Vec::new(),
        };
        if self.flag(ARCHIVED) || self.is_at(&["archive", "archived"]) {
            tags.push("archived".to_owned());
        }
        tags
    }

    /// At commas or bars; at spaces where the program is Pinboard, whose tags have none.
    fn split_tags(&self, text: &str) -> Vec<String> {
        if let Ok(tags) = serde_json::from_str::<Vec<String>>(text) {
            return tags;
        }
        let is_spaced = self.0.contains_key("extended");
        let parts = text.split(|c| is_comma(c) || c == '|' || is_spaced && c == ' ');
        parts.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    }

    fn folders(&self) -> Vec<String> {
        let folder = self.text(FOLDER).filter(|folder| !PLACES.contains(&folder.to_lowercase().as_str()));
        let parts = folder.iter().flat_map(|folder| folder.split('/'));
        parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn is_at(&self, places: &[&str]) -> bool {
        PLACE
            .iter()
            .filter_map(|name| self.text(&[name]))
            .any(|place| places.contains(&place.to_lowercase().as_str()))
    }

    /// What a mark doesn't clearly share stays private. `None` where the program has no such mark.
    fn is_private(&self) -> Option<bool> {
        let shared_by = |names: &'static [&str], shared: bool| {
            let marks = names.iter().filter_map(|name| self.0.get(*name)).filter(|mark| !is_empty(mark));
            marks.map(move |mark| flag_of(mark) == Some(shared))
        };
        let word = self.text(&["visibility"]).map(|word| word.eq_ignore_ascii_case("public"));
        let marks = shared_by(PRIVATE, false).chain(shared_by(SHARED, true)).chain(word);
        marks.reduce(|one, other| one && other).map(|is_shared| !is_shared)
    }

    fn flag(&self, names: &[&str]) -> bool {
        self.value(names).and_then(flag_of) == Some(true)
    }

    /// To the fraction of a second where it is written as coffer writes it.
    fn time(&self, names: &[&str]) -> Option<Timestamp> {
        names.iter().find_map(|name| {
            let text = self.text(&[name])?;
            let exact = Timestamp::parse(&text).filter(|at| at.micros() > 0);
            exact.or_else(|| Timestamp::from_seconds(seconds(&text)?))
        })
    }

    /// The first of these fields that says something, as text.
    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().filter_map(|name| self.0.get(*name)).find_map(text_of)
    }

    fn inside(&self, outer: &str, name: &str) -> Option<String> {
        self.0.get(outer)?.get(name).and_then(text_of)
    }

    fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().filter_map(|name| self.0.get(*name)).find(|value| !value.is_null())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lower case, letters and digits alone.
pub fn plain_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a column of this name holds.
pub fn role(name: &str) -> Option<Role> {
    let name = plain_name(name);
    let lists = [
        (ADDRESS, Role::Address),
        (TITLE, Role::Title),
        (TEXT, Role::Notes),
        (TAGS, Role::Tags),
        (FOLDER, Role::Folder),
        (ADDED, Role::Date),
    ];
    lists.into_iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, role)| role)
}

pub fn is_address(name: &str) -> bool {
    role(name) == Some(Role::Address)
}

/// The first name of what such a column holds.
pub const fn field_of(role: Role) -> &'static str {
    match role {
        Role::Address => ADDRESS[0],
        Role::Title => TITLE[0],
        Role::Notes => "note",
        Role::Tags => TAGS[0],
        Role::Folder => FOLDER[0],
        Role::Date => ADDED[0],
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => flag(&number.to_string()),
        Value::String(text) => flag(text),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A tag: its name, or an object that has one.
fn name_of(value: &Value) -> Option<String> {
    text_of(value).or_else(|| ["name", "label"].into_iter().find_map(|name| text_of(value.get(name)?)))
}

/// A quotation, and what was remarked on it.
fn highlight(value: &Value) -> Option<String> {
    let find = |names: &[&str]| names.iter().find_map(|name| text_of(value.get(name)?));
    let quote = text_of(value).or_else(|| find(&["quote", "highlight", "content"]));
    let remark = find(&["note", "annotation", "text"]).filter(|remark| Some(remark) != quote.as_ref());
    let quote = quote.map(|quote| {
        let quote = markdown::from_plain(&quote);
        quote.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
    });
    let remark = remark.map(|remark| markdown::from_plain(&remark));
    let parts: Vec<String> = [quote, remark].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}
