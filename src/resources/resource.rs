//! The nouns: a resource and its versions, as the database holds them and as JSON shows them.

use std::sync::Arc;

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::draft::StoredTitle;
use super::fetched::icon;
use super::listing::Hit;
use super::memo::Memo;
use super::tag::split_tags;
use super::{Kind, Via, Visibility, visibility};
use crate::error::Error;
use crate::identity::Viewer;
use crate::markdown;
use crate::timestamp::Timestamp;

/// Bytes of the JSON of a resource without its texts.
const JSON_FIELDS: usize = 500;

/// A link or a note, whole.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, sqlx::FromRow)]
pub struct Resource {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub owner_username: String,
    pub owner_name: String,
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    #[sqlx(try_from = "StoredTitle")]
    pub title: String,
    pub url: Option<String>,
    /// Markdown.
    pub body: String,
    #[sqlx(try_from = "Option<String>")]
    pub tags: Tags,
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    pub pinned: bool,
    /// Whether it is kept to be read later.
    pub unread: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub trashed_at: Option<Timestamp>,
    pub icon_id: Option<Uuid>,
    /// Whether its page is about to be fetched.
    pub is_fetching: bool,
    /// Since when its address has led nowhere.
    pub broken_since: Option<Timestamp>,
    #[serde(skip)]
    #[sqlx(skip)]
    html: Memo<Arc<str>>,
    #[serde(skip)]
    #[sqlx(skip)]
    json: Memo<Bytes>,
    #[serde(skip)]
    #[sqlx(skip)]
    pub(super) etag: Memo<String>,
}

impl Resource {
    /// Raise this with every change of the fields: nodes of different versions share one cache.
    pub const SCHEMA: u16 = 5;

    /// Where coffer serves the icon of its site.
    pub fn icon(&self) -> Option<String> {
        self.icon_id.map(icon::href)
    }

    pub fn is_mine(&self, viewer: &Viewer) -> bool {
        viewer.id() == Some(self.owner_id)
    }

    /// Whether the viewer may show it to others by a link.
    pub fn may_be_shared_by(&self, viewer: &Viewer) -> bool {
        visibility::may_share(viewer, self)
    }

    pub fn html(&self) -> Arc<str> {
        self.html.get_or_compute(|| markdown::render(&self.body).into())
    }

    /// A [`ResourceBody`].
    pub fn json(&self) -> Bytes {
        self.json.get_or_compute(|| serde_json::to_vec(&ResourceBody::from(self)).unwrap_or_default().into())
    }

    /// Its approximate size in bytes, with its HTML and its JSON, which are cached beside it.
    pub fn weight(&self) -> usize {
        let texts = [
            &self.owner_username, &self.owner_name, &self.title, &self.title, &self.body, &self.body,
            &self.body,
        ];
        let text: usize = texts.into_iter().chain(&self.tags.0).map(|text| text.len() + 32).sum();
        size_of::<Self>() + JSON_FIELDS + text + self.url.as_ref().map_or(0, String::len)
    }
}

/// Names of tags, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Tags(pub Vec<String>);

impl From<Option<String>> for Tags {
    /// From a column in which commas join them; no tag contains one. NULL means none.
    fn from(joined: Option<String>) -> Self {
        Self(joined.map(|text| split_tags(&text)).unwrap_or_default())
    }
}

/// One saved version of a resource.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct Revision {
    pub version: i64,
    #[sqlx(try_from = "StoredTitle")]
    pub title: String,
    pub url: Option<String>,
    pub body: String,
    /// Joined by commas.
    pub tags: String,
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    #[sqlx(try_from = "String")]
    pub via: Via,
    #[serde(skip)]
    pub saved_by: String,
    pub saved_at: Timestamp,
    /// Since the version before; told in lists, which have no bodies.
    #[serde(skip)]
    #[sqlx(default)]
    pub text_changed: bool,
}

/// A resource with all its versions.
pub struct Revisions {
    pub resource: Resource,
    pub revisions: Vec<Revision>,
}

/// A resource with one of its versions.
pub struct PastRevision {
    pub resource: Resource,
    pub revision: Revision,
}

impl Resource {
    /// What a change meets that has read another version.
    pub fn conflict(&self) -> Error {
        Error::VersionConflict { version: self.version, current: Box::new(self.json_value()) }
    }

    /// What a new entry meets whose id it has.
    pub fn id_in_use(&self) -> Error {
        Error::IdInUse { version: self.version, current: Box::new(self.json_value()) }
    }

    fn json_value(&self) -> serde_json::Value {
        serde_json::to_value(ResourceBody::from(self)).unwrap_or_default()
    }
}

/// A link or a note, whole.
#[derive(Serialize, ToSchema)]
pub struct ResourceBody<'a> {
    id: Uuid,
    /// The username of its owner.
    owner: &'a str,
    kind: Kind,
    title: &'a str,
    url: Option<&'a str>,
    /// Markdown.
    body: &'a str,
    #[schema(value_type = Vec<String>)]
    tags: &'a [String],
    visibility: Visibility,
    pinned: bool,
    unread: bool,
    /// The `ETag` starts with it, in quotes.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    trashed_at: Option<Timestamp>,
    /// The path of the site's icon; null while there is none.
    #[schema(required)]
    icon: Option<String>,
    /// Since when the address has led nowhere; null for one that works or is not checked.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    broken_since: Option<Timestamp>,
}

impl<'a> From<&'a Resource> for ResourceBody<'a> {
    fn from(resource: &'a Resource) -> Self {
        Self {
            id: resource.id,
            owner: &resource.owner_username,
            kind: resource.kind,
            title: &resource.title,
            url: resource.url.as_deref(),
            body: &resource.body,
            tags: &resource.tags.0,
            visibility: resource.visibility,
            pinned: resource.pinned,
            unread: resource.unread,
            version: resource.version,
            created_at: resource.created_at,
            updated_at: resource.updated_at,
            trashed_at: resource.trashed_at,
            icon: resource.icon(),
            broken_since: resource.broken_since,
        }
    }
}

/// A resource in a list: without its body.
#[derive(Serialize, ToSchema)]
pub struct ResourceItem<'a> {
    id: Uuid,
    owner: &'a str,
    kind: Kind,
    title: &'a str,
    url: Option<&'a str>,
    /// The beginning of the body as plain text.
    summary: &'a str,
    /// Markdown; only with `include=body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[schema(value_type = Vec<String>)]
    tags: &'a [String],
    visibility: Visibility,
    pinned: bool,
    unread: bool,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it was moved to trash; only for entries in the trash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    trashed_at: Option<Timestamp>,
    /// The path of the site's icon; null while there is none.
    #[schema(required)]
    icon: Option<String>,
    /// Since when the address has led nowhere; null for one that works or is not checked.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    broken_since: Option<Timestamp>,
}

impl<'a> ResourceItem<'a> {
    pub fn new(Hit { resource, summary, .. }: &'a Hit, with_body: bool) -> Self {
        Self {
            id: resource.id,
            owner: &resource.owner_username,
            kind: resource.kind,
            title: &resource.title,
            url: resource.url.as_deref(),
            summary,
            body: with_body.then_some(resource.body.as_str()),
            trashed_at: resource.trashed_at,
            icon: resource.icon(),
            broken_since: resource.broken_since,
            tags: &resource.tags.0,
            visibility: resource.visibility,
            pinned: resource.pinned,
            unread: resource.unread,
            version: resource.version,
            created_at: resource.created_at,
            updated_at: resource.updated_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct RevisionItem {
    version: i64,
    title: String,
    url: Option<String>,
    tags: Vec<String>,
    visibility: Visibility,
    via: Via,
    /// The name of the person who saved it.
    saved_by: String,
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
    /// Markdown; not included in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl From<Revision> for RevisionItem {
    fn from(revision: Revision) -> Self {
        Self {
            version: revision.version,
            title: revision.title,
            url: revision.url,
            tags: split_tags(&revision.tags),
            visibility: revision.visibility,
            via: revision.via,
            saved_by: revision.saved_by,
            saved_at: revision.saved_at,
            body: Some(revision.body),
        }
    }
}

impl RevisionItem {
    pub fn without_body(self) -> Self {
        Self { body: None, ..self }
    }
}
