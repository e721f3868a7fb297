//! One saved page as other programs write it: a JSON object or a row of a table, whose fields go by many names.

use netscape_bookmarks::{flag, seconds};
use serde_json::{Map, Value};

use super::field_names::{
    ADDED, ADDRESS, ARCHIVED, FAVOURITE, FOLDER, HIGHLIGHTS, MODIFIED, PLACE, PLACES, PRIVATE, SHARED, TAGS,
    TEXT, TITLE, UNREAD, plain_name,
};
use super::tag_list;
use crate::markdown;
use crate::resources::draft::TITLE_LIMIT;
use crate::resources::import::entry::Entry;
use crate::resources::{Draft, Visibility};
use crate::timestamp::Timestamp;

/// Highlights that are Markdown already, as [`super::omnivore`] puts them together.
pub const MARKDOWN_HIGHLIGHTS: &str = "markdownhighlights";

pub struct Record {
    /// By their names without case and separators, so that `Saved date` and `saved_date` are one.
    fields: Map<String, Value>,
    /// Whether coffer wrote it.
    is_own: bool,
}

impl Record {
    pub fn new(fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (plain_name(&name), value)).collect();
        Self { fields, is_own: false }
    }

    pub fn of_coffer(self, is_own: bool) -> Self {
        Self { is_own, ..self }
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
        self.text(&["kind"]).is_some_and(|kind| kind == "note") || self.note_text().is_some()
    }

    /// The Markdown of a note of karakeep.
    fn note_text(&self) -> Option<String> {
        let text = || self.inside("content", "text").unwrap_or_default();
        self.inside("content", "type").is_some_and(|kind| kind == "text").then(text)
    }

    /// Pinboard's titles are called descriptions; notes without a title are called by their first line.
    fn title(&self) -> String {
        let title = self.text(TITLE).or_else(|| self.inside("content", "title"));
        let title = title
            .or_else(|| self.fields.contains_key("extended").then(|| self.text(&["description"])).flatten());
        title
            .or_else(|| self.note_text().map(|text| first_line(&text)))
            .map_or_else(String::new, |title| one_line(&title))
    }

    /// Markdown: coffer's own text as it is, others' texts and highlights.
    fn notes(&self, title: &str) -> String {
        if let Some(Value::String(body)) = self.fields.get("body") {
            return body.clone();
        }
        let mut parts: Vec<String> = Vec::new();
        let note = self.note_text();
        let content = self.inside("content", "text").filter(|_| note.is_none());
        let texts = TEXT.iter().filter_map(|name| self.text(&[name])).chain(content);
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
        let markdown = note.into_iter().chain(self.text(&[MARKDOWN_HIGHLIGHTS]));
        parts.extend(markdown.filter(|text| !text.is_empty()));
        parts.join("\n\n")
    }

    fn tags(&self) -> Vec<String> {
        let mut tags = match self.value(TAGS) {
            Some(Value::Array(tags)) => tags.iter().filter_map(name_of).collect(),
            // Pinboard's tags have no spaces.
            Some(Value::String(text)) => tag_list::split(text, self.fields.contains_key("extended")),
            _ => Vec::new(),
        };
        if self.flag(ARCHIVED) || self.is_at(&["archive", "archived"]) {
            tags.push("archived".to_owned());
        }
        tags
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
            let marks = names.iter().filter_map(|name| self.fields.get(*name)).filter(|mark| !is_empty(mark));
            marks.map(move |mark| flag_of(mark) == Some(shared))
        };
        let word = self.text(&["visibility"]).map(|word| word.eq_ignore_ascii_case("public"));
        let marks = shared_by(PRIVATE, false).chain(shared_by(SHARED, true)).chain(word);
        marks.reduce(|one, other| one && other).map(|is_shared| !is_shared)
    }

    fn flag(&self, names: &[&str]) -> bool {
        self.value(names).and_then(flag_of) == Some(true)
    }

    /// To the fraction of a second where it is written as coffer writes it; others write the beginning of their clock for none.
    fn time(&self, names: &[&str]) -> Option<Timestamp> {
        names.iter().find_map(|name| {
            let text = self.text(&[name])?;
            let rounded = seconds(&text);
            let exact = Timestamp::parse(&text).filter(|_| self.is_own || rounded.is_some());
            exact.or_else(|| Timestamp::from_seconds(rounded?))
        })
    }

    /// The first of these fields that says something, as text.
    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().filter_map(|name| self.fields.get(*name)).find_map(text_of)
    }

    fn inside(&self, outer: &str, name: &str) -> Option<String> {
        self.fields.get(outer)?.get(name).and_then(text_of)
    }

    fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().filter_map(|name| self.fields.get(*name)).find(|value| !value.is_null())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Of Markdown, as plain text that fits into a title.
fn first_line(text: &str) -> String {
    let plain = markdown::to_text(text);
    plain.lines().next().unwrap_or_default().chars().take(TITLE_LIMIT).collect()
}

pub fn text_of(value: &Value) -> Option<String> {
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
