//! What a person wants to save, and the rules it must keep before it is written.

use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::normal_url::{self, NormalUrl};
use super::tag::{self, TagName};
use super::{Kind, Visibility, fold, markdown};
use crate::error::{FieldErrors, Result};

pub const TITLE_LIMIT: usize = 500;
pub const BODY_LIMIT: usize = 100_000;
/// Characters of plain text that a list shows of a resource.
const SUMMARY: usize = 280;
/// Characters of the folded title by which lists are sorted.
const TITLE_KEY: usize = 80;

/// A resource as somebody wants it to be.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Draft {
    /// Left out: `link` when there is a URL, else `note`.
    pub kind: Option<Kind>,
    /// At most 500 characters. Left out: the URL, or the first line of the body.
    #[schema(max_length = 500)]
    pub title: String,
    /// http or https, at most 2,000 characters; for links only.
    #[schema(max_length = 2000)]
    pub url: Option<String>,
    /// Markdown, at most 100,000 characters.
    #[schema(max_length = 100_000)]
    pub body: String,
    /// At most 50, each at most 60 characters and without commas; `work/rust` is also found under `work`.
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    pub visibility: Visibility,
    pub pinned: bool,
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// At most 500 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 500)]
    pub title: Option<String>,
    /// http or https, at most 2,000 characters; for links only.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 2000)]
    pub url: Option<String>,
    /// Markdown, at most 100,000 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 100_000)]
    pub body: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>, required = false, max_items = 50)]
    pub tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Visibility, required = false)]
    pub visibility: Option<Visibility>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    pub pinned: Option<bool>,
}

/// `null` is a wrong type, not a way to leave a field out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Change {
    #[must_use]
    pub fn over(self, mut draft: Draft) -> Draft {
        if let Some(title) = self.title {
            draft.title = title;
        }
        if let Some(url) = self.url {
            draft.url = Some(url);
        }
        if let Some(body) = self.body {
            draft.body = body;
        }
        if let Some(tags) = self.tags {
            draft.tags = tags;
        }
        draft.visibility = self.visibility.unwrap_or(draft.visibility);
        draft.pinned = self.pinned.unwrap_or(draft.pinned);
        draft
    }
}

/// A [`Draft`] that keeps every rule, with what the database wants to know of it.
#[derive(Clone, Debug)]
pub struct Checked {
    pub kind: Kind,
    pub title: String,
    pub title_key: String,
    pub url: Option<NormalUrl>,
    pub body: String,
    pub summary: String,
    pub tags: Vec<TagName>,
    pub visibility: Visibility,
    pub pinned: bool,
    pub fold_title: String,
    pub fold_tags: String,
    pub fold_body: String,
    /// Signs in any of them, as [`fold::signs`] finds them.
    pub signs: Vec<String>,
}

impl Draft {
    /// # Errors
    /// [`crate::error::Error::Invalid`] with a sentence for each field that breaks a rule.
    pub fn check(&self) -> Result<Checked> {
        self.check_keeping(&[])
    }

    /// The same, but the tags in `kept` may be as long as an import makes them.
    ///
    /// # Errors
    /// Those of [`Draft::check`].
    pub fn check_keeping(&self, kept: &[String]) -> Result<Checked> {
        let mut errors = FieldErrors::default();
        let kind = self.kind.unwrap_or(if self.url.is_some() { Kind::Link } else { Kind::Note });
        let url = self.check_url(kind, &mut errors);
        let title = self.check_title(url.as_ref(), &mut errors);
        text(&mut errors, "body", &self.body, BODY_LIMIT);
        let tags = tag::parse_list(&self.tags.join(","), kept).unwrap_or_else(|error| {
            errors.add("tags", error.to_string());
            Vec::new()
        });
        if !errors.is_empty() {
            return Err(crate::error::Error::Invalid(errors));
        }
        Ok(self.describe(kind, title, url, tags))
    }

    fn describe(&self, kind: Kind, title: String, url: Option<NormalUrl>, tags: Vec<TagName>) -> Checked {
        let plain = markdown::to_text(&self.body);
        let fold_title = fold::fold(&title);
        let address = url.as_ref().map(|url| searched(&url.url)).unwrap_or_default();
        let names = tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" ");
        Checked {
            signs: fold::signs(&[title.as_str(), &names, &plain, &address].join("\n")),
            title_key: fold_title.chars().take(TITLE_KEY).collect(),
            fold_tags: fold::fold(&names),
            fold_body: fold::fold(&format!("{plain} {address}")),
            fold_title,
            summary: shorten(&plain),
            kind,
            title,
            url,
            body: self.body.clone(),
            tags,
            visibility: self.visibility,
            pinned: self.pinned,
        }
    }

    fn check_url(&self, kind: Kind, errors: &mut FieldErrors) -> Option<NormalUrl> {
        match (kind, self.url.as_deref().map(str::trim)) {
            (Kind::Note, None | Some("")) => None,
            (Kind::Note, Some(_)) => {
                errors.add("url", "A note has no address. Save it as a link, or leave the address out.");
                None
            }
            (Kind::Link, url) => normal_url::parse(url.unwrap_or_default())
                .map_err(|error| errors.add("url", error.to_string()))
                .ok(),
        }
    }

    fn check_title(&self, url: Option<&NormalUrl>, errors: &mut FieldErrors) -> String {
        let typed = one_line(&self.title);
        if !typed.is_empty() {
            text(errors, "title", &typed, TITLE_LIMIT);
            return typed;
        }
        let address = url.map(|url| normal_url::shown(&url.url)).unwrap_or_default();
        let instead = match url {
            Some(_) => {
                address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/')
            }
            None => self
                .body
                .lines()
                .map(|line| line.trim_matches(|c: char| c == '#' || c.is_whitespace()))
                .find(|line| !line.is_empty())
                .unwrap_or_default(),
        };
        if instead.is_empty() && url.is_none() && self.kind != Some(Kind::Link) {
            errors.add("title", "Give the note a title, or write some text: its first line will serve.");
        }
        one_line(&instead.chars().take(TITLE_LIMIT).collect::<String>())
    }
}

/// SHA-256 of the normal form: the key of the unique index on addresses.
#[must_use]
pub fn url_key(url: &NormalUrl) -> Vec<u8> {
    Sha256::digest(url.key.as_bytes()).to_vec()
}

/// Tags joined by commas, taken apart.
#[must_use]
pub fn split_tags(joined: &str) -> Vec<String> {
    joined.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn text(errors: &mut FieldErrors, field: &'static str, text: &str, limit: usize) {
    let length = text.chars().count();
    if length > limit {
        errors.add(field, format!("This has {length} characters; at most {limit} fit. Shorten it."));
    } else if text.contains('\0') {
        errors.add(field, "This contains a NUL character, which can't be saved. Remove it.");
    }
}

/// An address as it is looked for: as it stands, and decoded where that says something else.
fn searched(url: &str) -> String {
    let readable = normal_url::readable(url);
    if readable == url { readable } else { format!("{url} {readable}") }
}

/// White space is one space, and other control characters are gone, as nobody can have meant them. NUL stays, for who
/// refuses it.
#[must_use]
pub fn one_line(text: &str) -> String {
    let said: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace() || *c == '\0').collect();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A title as it comes from the database, where one from before control characters were refused may stand.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct StoredTitle(String);

impl From<StoredTitle> for String {
    fn from(StoredTitle(title): StoredTitle) -> Self {
        if title.chars().any(char::is_control) { one_line(&title) } else { title }
    }
}

fn shorten(plain: &str) -> String {
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
        matches!(draft.check(), Err(Error::Invalid(errors)) if errors.of(field).is_some())
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
