//! Omnivore's ZIP: its entries are in files of JSON, and their highlights in Markdown files that have their slugs as names.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::FileError;
use super::archive::{Archive, MOST_OF_LIBRARY, MOST_OF_ONE, unpack};
use super::record::MARKDOWN_HIGHLIGHTS;

/// All entries as one list of JSON, with their highlights; copies of pages are left out. `None` for another ZIP.
pub fn parse(archive: &mut Archive<'_>) -> Result<Option<String>, FileError> {
    let names = archive.file_names().flatten().map(Cow::into_owned);
    let mut names: Vec<String> = names.filter(|name| is_metadata(name)).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    let (mut all, mut left) = (Vec::new(), MOST_OF_LIBRARY);
    for name in &names {
        let file = archive.by_name(name).map_err(|_| FileError::Archive("a file in it is damaged"))?;
        let text = unpack(file, left)?;
        left = left.saturating_sub(text.len() as u64);
        let entries: Vec<&RawValue> = serde_json::from_str(&text).unwrap_or_default();
        for entry in entries {
            let entry = with_highlights(archive, entry.get(), left)?;
            left = left.saturating_sub(entry.len() as u64);
            all.push(entry);
        }
    }
    Ok((!names.is_empty()).then(|| format!("[{}]", all.join(","))))
}

/// `metadata_0_to_20.json`
fn is_metadata(name: &str) -> bool {
    let numbers = name.strip_prefix("metadata_").and_then(|name| name.strip_suffix(".json"));
    numbers.is_some_and(|numbers| numbers.contains("_to_"))
}

/// The entry as it is where it has none, or can't be read.
fn with_highlights(archive: &mut Archive<'_>, entry: &str, limit: u64) -> Result<String, FileError> {
    let mut fields: Map<String, Value> = serde_json::from_str(entry).unwrap_or_default();
    let slug = fields.get("slug").and_then(Value::as_str).unwrap_or_default();
    let name = format!("highlights/{slug}.md");
    let Ok(file) = archive.by_name(&name) else { return Ok(entry.to_owned()) };
    let highlights = unpack(file, MOST_OF_ONE.min(limit))?;
    fields.insert(MARKDOWN_HIGHLIGHTS.to_owned(), Value::String(highlights));
    Ok(Value::Object(fields).to_string())
}
