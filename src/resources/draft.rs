//! What a person wants to save, and the checked form of it that is written.

mod derived;
mod rules;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

pub use self::derived::Derived;
pub use self::rules::{BODY_LIMIT, StoredTitle, TITLE_LIMIT, check_text, one_line, url_key};
use super::normal_url::NormalUrl;
use super::tag::{self, TagName, split_tags};
use super::{Kind, Resource, Revision, Visibility};
use crate::error::{Error, FieldErrors, Result};
use crate::timestamp::Timestamp;

/// A new resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Draft {
    /// Default: `link` if there is a URL, otherwise `note`.
    pub kind: Option<Kind>,
    /// At most 500 characters. Default: the URL, or the first line of the body.
    #[schema(max_length = 500)]
    pub title: String,
    /// http or https, at most 2,000 characters; for links only.
    #[schema(max_length = 2000)]
    pub url: Option<String>,
    /// Markdown, at most 100,000 characters.
    #[schema(max_length = 100_000)]
    pub body: String,
    /// At most 50, each at most 60 characters and without commas; `work/rust` is also found under `work`.
    #[serde(deserialize_with = "at_most_50")]
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    /// Default `private`.
    pub visibility: Visibility,
    pub pinned: bool,
    /// `true` to read it later.
    pub unread: bool,
    /// When you first saved it elsewhere; not in the future. Default: now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
}

impl From<&Resource> for Draft {
    fn from(resource: &Resource) -> Self {
        Self {
            kind: Some(resource.kind),
            title: resource.title.clone(),
            url: resource.url.clone(),
            body: resource.body.clone(),
            tags: resource.tags.0.clone(),
            visibility: resource.visibility,
            pinned: resource.pinned,
            unread: resource.unread,
            created_at: None,
        }
    }
}

impl Draft {
    /// The flags that are set, as a change of an entry that was there before: its own stay.
    pub fn flags(&self) -> Change {
        let marked = |is_marked: bool| is_marked.then_some(true);
        Change { pinned: marked(self.pinned), unread: marked(self.unread), ..Change::default() }
    }
}

/// The fields to change; omitted fields stay the same.
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
    #[serde(default, deserialize_with = "at_most_50_given")]
    #[schema(value_type = Vec<String>, required = false, max_items = 50)]
    pub tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Visibility, required = false)]
    pub visibility: Option<Visibility>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    pub pinned: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    pub unread: Option<bool>,
}

/// `null` is a wrong type, not a way to leave a field out.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Repeated tags count as often as they are sent, so that the length of the list says it.
fn at_most_50<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let tags = Vec::deserialize(deserializer)?;
    if tags.len() > tag::MAX_TAGS {
        return Err(D::Error::custom("an entry can have at most 50 tags; remove some"));
    }
    Ok(tags)
}

fn at_most_50_given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    at_most_50(deserializer).map(Some)
}

impl Change {
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
        draft.unread = self.unread.unwrap_or(draft.unread);
        draft
    }
}

impl From<Revision> for Change {
    /// Its text and tags. All else stays as it is, so that restoring an old version publishes nothing.
    fn from(revision: Revision) -> Self {
        Self {
            title: Some(revision.title),
            url: revision.url,
            body: Some(revision.body),
            tags: Some(split_tags(&revision.tags)),
            ..Self::default()
        }
    }
}

/// A [`Draft`] that passed every check.
#[derive(Clone, Debug)]
pub struct Checked {
    pub kind: Kind,
    pub title: String,
    pub url: Option<NormalUrl>,
    pub body: String,
    pub tags: Vec<TagName>,
    pub visibility: Visibility,
    pub pinned: bool,
    pub unread: bool,
    /// Whether the address or the first line stands for a title.
    pub is_untitled: bool,
    pub derived: Derived,
}

impl Draft {
    /// # Errors
    /// [`Error::Invalid`] with a sentence for each field that breaks a rule.
    pub fn check(&self) -> Result<Checked> {
        self.check_keeping(&[])
    }

    /// The same, but the tags in `kept` may be as long as imported ones.
    pub fn check_keeping(&self, kept: &[String]) -> Result<Checked> {
        let mut errors = FieldErrors::default();
        let kind = self.kind.unwrap_or(if self.url.is_some() { Kind::Link } else { Kind::Note });
        let url = rules::check_url(self.url.as_deref(), kind, &mut errors);
        let title = rules::check_title(self, url.as_ref(), &mut errors);
        check_text("body", &self.body, BODY_LIMIT, &mut errors);
        let tags = tag::parse_list(&self.tags.join(","), kept).unwrap_or_else(|error| {
            errors.add("tags", error.to_string());
            Vec::new()
        });
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        Ok(Checked {
            derived: Derived::new(&title, url.as_ref(), &self.body, &tags),
            is_untitled: one_line(&self.title).is_empty(),
            kind,
            title,
            url,
            body: self.body.clone(),
            tags,
            visibility: self.visibility,
            pinned: self.pinned,
            unread: self.unread,
        })
    }
}

impl Checked {
    /// Whether saving it would change nothing of the resource.
    pub fn changes_nothing_of(&self, resource: &Resource) -> bool {
        let mut tags: Vec<&str> = resource.tags.0.iter().map(String::as_str).collect();
        let mut wanted: Vec<&str> = self.tags.iter().map(|tag| tag.name.as_str()).collect();
        tags.sort_unstable();
        wanted.sort_unstable();
        resource.title == self.title
            && resource.url.as_ref() == self.url.as_ref().map(|url| &url.url)
            && resource.body == self.body
            && tags == wanted
            && resource.visibility == self.visibility
            && resource.pinned == self.pinned
            && resource.unread == self.unread
    }

    /// The tags that the resource has already, in another spelling.
    pub fn respelled<'a>(&'a self, resource: &Resource) -> impl Iterator<Item = &'a TagName> {
        let is_new = |tag: &&TagName| !resource.tags.0.contains(&tag.name);
        let is_there = |tag: &&TagName| resource.tags.0.iter().any(|name| tag::fold(name) == tag.folded);
        self.tags.iter().filter(is_new).filter(is_there)
    }
}
