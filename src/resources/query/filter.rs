//! Filters of a query, such as `tag:recipes` or `is:pinned`.

use std::fmt::Write as _;

use time::Date;
use uuid::Uuid;

use super::super::{Kind, Visibility, normal_url, tag};
use super::lex::Lexeme;
use super::terms::words_of;
use super::unknown::no_such_filter;
use super::{QueryError, Term};
use crate::timestamp::Timestamp;

pub(super) const NAMES: [&str; 11] =
    ["tag", "site", "url", "title", "by", "kind", "is", "has", "visibility", "before", "after"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub criterion: Criterion,
    pub negated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    /// A folded tag name; tags below it match as well ([`tag::range_of`]).
    Tag(String),
    /// A host as [`normal_url::site_of`] writes it; its subdomains match too. The path has no slash at its end, and all
    /// paths below it match too; `""` for none.
    Site {
        site: String,
        path: String,
    },
    /// Parts of an address, in lower case, of which it contains one.
    Url(Vec<String>),
    /// Folded words that the title contains in a row.
    Title(Term),
    /// A username in lower case.
    By(String),
    /// Of the viewer.
    Mine,
    /// What the last two become before a search: an id.
    Owner(Uuid),
    Kind(Kind),
    Pinned,
    /// Kept to be read later.
    Unread,
    Untagged,
    Broken,
    /// With a text.
    HasNotes,
    Visibility(Visibility),
    /// One entry alone, which no one can type.
    Entry(Uuid),
    /// Made after this, which only the API's parameters say.
    CreatedAfter(Timestamp),
    /// The same of the last change.
    ChangedAfter(Timestamp),
    /// Saved before this day began (UTC).
    Before(Date),
    /// Saved on this day (UTC) or later.
    After(Date),
}

/// Whether `name:` is a filter, not just a word with a colon.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn parse(name: &str, value: &str, lexeme: &Lexeme) -> Result<Filter, QueryError> {
    let refuse = |message: String| QueryError::at(lexeme.position, message);
    let value = value.trim();
    let name = name.to_ascii_lowercase();
    let criterion = match name.as_str() {
        "tag" => tag_of(value),
        "site" => site_of(value),
        "url" => part_of_url(value),
        "title" => title_of(value),
        "by" => username_of(value),
        "kind" => kind_of(value),
        "is" => is_of(value),
        "has" => has_of(value),
        "visibility" => visibility_of(value),
        "before" => date_of(&name, value).map(Criterion::Before),
        "after" => date_of(&name, value).map(Criterion::After),
        _ => Err(no_such_filter(&name)),
    };
    Ok(Filter { criterion: criterion.map_err(refuse)?, negated: lexeme.negated })
}

fn tag_of(value: &str) -> Result<Criterion, String> {
    match tag::parse_one(value) {
        Ok(tag) => Ok(Criterion::Tag(tag.folded)),
        Err(tag::TagError::Empty) => Err("Enter a tag after “tag:”, for example tag:recipes.".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn site_of(value: &str) -> Result<Criterion, String> {
    let address = if value.contains("://") { value.to_owned() } else { format!("https://{value}") };
    match normal_url::parse(&address) {
        Ok(url) => Ok(Criterion::Site { path: url.path().trim_end_matches('/').to_owned(), site: url.site }),
        Err(_) => Err("Enter a website after “site:”, for example site:example.org.".to_owned()),
    }
}

/// As it was typed, and as addresses are written: a host in ASCII, other characters percent-encoded.
fn part_of_url(value: &str) -> Result<Criterion, String> {
    if value.is_empty() {
        return Err("Enter a part of an address after “url:”, for example url:docs/install.".to_owned());
    }
    let typed = value.to_lowercase();
    let encoded: String = value.chars().map(percent_encoded).collect();
    let host = idna::domain_to_ascii(&typed).ok().filter(|_| !typed.is_ascii());
    let mut parts = vec![typed, encoded.to_lowercase()];
    parts.extend(host);
    parts.dedup();
    Ok(Criterion::Url(parts))
}

fn percent_encoded(c: char) -> String {
    if c.is_ascii() {
        return c.to_string();
    }
    c.encode_utf8(&mut [0; 4]).bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}

fn title_of(value: &str) -> Result<Criterion, String> {
    let term = words_of(value, true);
    term.map(Criterion::Title)
        .ok_or_else(|| "Enter words of a title after “title:”, for example title:harbour.".to_owned())
}

fn username_of(value: &str) -> Result<Criterion, String> {
    if value.eq_ignore_ascii_case("me") {
        return Ok(Criterion::Mine);
    }
    let name = value.trim_start_matches('@').to_lowercase();
    let valid = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if valid {
        Ok(Criterion::By(name))
    } else {
        Err("Enter a username after “by:”, for example by:alice.".to_owned())
    }
}

fn kind_of(value: &str) -> Result<Criterion, String> {
    match value.to_ascii_lowercase().as_str() {
        "link" | "links" => Ok(Criterion::Kind(Kind::Link)),
        "note" | "notes" => Ok(Criterion::Kind(Kind::Note)),
        _ => Err("Use kind:link or kind:note.".to_owned()),
    }
}

fn is_of(value: &str) -> Result<Criterion, String> {
    match value.to_ascii_lowercase().as_str() {
        "pinned" => Ok(Criterion::Pinned),
        "unread" => Ok(Criterion::Unread),
        "untagged" => Ok(Criterion::Untagged),
        "broken" => Ok(Criterion::Broken),
        visibility => visibility_of(visibility).map_err(|_| {
            "Use is:pinned, is:unread, is:untagged, is:broken, is:private, is:members or is:public."
                .to_owned()
        }),
    }
}

fn has_of(value: &str) -> Result<Criterion, String> {
    match value.to_ascii_lowercase().as_str() {
        "note" | "notes" => Ok(Criterion::HasNotes),
        "tag" | "tags" => Err("Use -is:untagged for entries with tags.".to_owned()),
        _ => Err("Use has:notes.".to_owned()),
    }
}

fn visibility_of(value: &str) -> Result<Criterion, String> {
    Ok(Criterion::Visibility(match value.to_ascii_lowercase().as_str() {
        "private" => Visibility::Private,
        "members" => Visibility::Members,
        "public" => Visibility::Public,
        _ => return Err("Use visibility:private, visibility:members or visibility:public.".to_owned()),
    }))
}

/// A day, or the first one of a month or a year.
fn date_of(name: &str, value: &str) -> Result<Date, String> {
    let format =
        time::macros::format_description!("[year repr:full padding:zero sign:automatic]-[month]-[day]");
    let day = match value.len() {
        4 => format!("{value}-01-01"),
        7 => format!("{value}-01"),
        _ => value.to_owned(),
    };
    let shape = day.len() == 10 && day.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = Date::parse(&day, format).ok().filter(|date| shape && date.year() > 0);
    date.ok_or_else(|| {
        format!("Enter a date as year-month-day after “{name}:”, for example {name}:2026-01-31.")
    })
}
