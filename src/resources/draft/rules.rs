//! The rules for each field of a draft.

use sha2::{Digest as _, Sha256};

use super::Draft;
use crate::error::FieldErrors;
use crate::resources::Kind;
use crate::resources::normal_url::{self, NormalUrl};

pub const TITLE_LIMIT: usize = 500;
pub const BODY_LIMIT: usize = 100_000;
/// Characters of plain text that a list shows of a resource.
const SUMMARY: usize = 280;

pub(super) fn check_url(url: Option<&str>, kind: Kind, errors: &mut FieldErrors) -> Option<NormalUrl> {
    match (kind, url) {
        (Kind::Note, None) => None,
        (Kind::Note, Some(url)) if url.trim().is_empty() => None,
        (Kind::Note, Some(_)) => {
            errors.add("url", "A note can’t have an address. Save it as a link, or remove the address.");
            None
        }
        (Kind::Link, url) => normal_url::parse(url.unwrap_or_default())
            .map_err(|error| errors.add("url", error.to_string()))
            .ok(),
    }
}

/// The title that was typed; without one, the address or the first line of the body.
pub(super) fn check_title(draft: &Draft, url: Option<&NormalUrl>, errors: &mut FieldErrors) -> String {
    check_text("title", &draft.title, TITLE_LIMIT, errors);
    let typed = one_line(&draft.title);
    if !typed.is_empty() {
        return typed;
    }
    let address = url.map(|url| normal_url::shown(&url.url)).unwrap_or_default();
    let instead = match url {
        Some(_) => address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/'),
        None => first_line(&draft.body),
    };
    if instead.is_empty() && url.is_none() && errors.get("url").is_none() {
        errors.add("title", "Enter a title or some text. The first line becomes the title.");
    }
    one_line(&instead.chars().take(TITLE_LIMIT).collect::<String>())
}

fn first_line(body: &str) -> &str {
    body.lines()
        .map(|line| line.trim_matches(|c: char| c == '#' || c.is_whitespace()))
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}

/// Counts the characters as they were sent, white space at the ends too: so the API describes it.
pub fn check_text(field: &'static str, text: &str, limit: usize, errors: &mut FieldErrors) {
    let length = text.chars().count();
    if length > limit {
        errors.add(
            field,
            format!("This is {length} characters long; at most {limit} are allowed. Shorten it."),
        );
    } else if text.contains('\0') {
        errors.add(field, "This contains a null character, which can’t be saved. Remove it.");
    }
}

/// An address for the search index: as it is stored, and also decoded if that differs.
pub(super) fn searched(url: &str) -> String {
    let readable = normal_url::readable(url);
    if readable == url { readable } else { format!("{url} {readable}") }
}

/// Collapses white space and removes other control characters. NUL stays, so that a check can refuse it.
pub fn one_line(text: &str) -> String {
    let said: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace() || *c == '\0').collect();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// SHA-256 of the normal form: the key of the unique index on addresses.
pub fn url_key(url: &NormalUrl) -> Vec<u8> {
    Sha256::digest(url.key.as_bytes()).to_vec()
}

/// A title from the database, where old ones may still contain control characters.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct StoredTitle(String);

impl From<StoredTitle> for String {
    fn from(StoredTitle(title): StoredTitle) -> Self {
        if title.chars().any(char::is_control) { one_line(&title) } else { title }
    }
}

pub(super) fn shorten(plain: &str) -> String {
    let line = one_line(&plain.chars().take(SUMMARY * 2).collect::<String>());
    if line.chars().count() <= SUMMARY {
        return line;
    }
    let cut: String = line.chars().take(SUMMARY).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{whole_words}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn wrong(draft: &Draft, field: &str) -> bool {
        matches!(draft.check(), Err(Error::Invalid(errors)) if errors.get(field).is_some())
    }

    #[test]
    fn a_link_without_a_title_is_named_by_its_address() {
        let draft = Draft { url: Some("https://example.org/tides/".into()), ..Draft::default() };
        assert_eq!(draft.check().unwrap().title, "example.org/tides");
    }

    #[test]
    fn a_note_without_a_title_is_named_by_its_first_line() {
        let draft = Draft { body: "\n# Tide tables\nHigh at noon".into(), ..Draft::default() };
        let checked = draft.check().unwrap();
        assert_eq!((checked.title.as_str(), checked.kind), ("Tide tables", Kind::Note));
    }

    #[test]
    fn each_field_says_what_is_wrong() {
        assert!(wrong(&Draft::default(), "title"));
        assert!(wrong(&Draft { title: "x".repeat(501), ..Draft::default() }, "title"));
        assert!(wrong(&Draft { title: "a\0b".into(), ..Draft::default() }, "title"));
        assert!(wrong(&Draft { title: "t".into(), body: "x".repeat(100_001), ..Draft::default() }, "body"));
        assert!(wrong(&Draft { url: Some("javascript:alert(1)".into()), ..Draft::default() }, "url"));
        assert!(wrong(&Draft { kind: Some(Kind::Link), ..Draft::default() }, "url"));
        assert!(wrong(&Draft { title: "t".into(), tags: vec!["x".repeat(61)], ..Draft::default() }, "tags"));
    }

    #[test]
    fn limits_count_characters() {
        assert!(
            Draft { title: "ß".repeat(500), body: "語".repeat(100_000), ..Draft::default() }.check().is_ok()
        );
    }
}
