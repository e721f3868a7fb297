//! The library's nouns, as JSON has them.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Timestamp;
use crate::resources::listing::Hit;
use crate::resources::{Kind, Resource, Revision, TagCount, Via, Visibility, draft};
use crate::web::json::WithEtag;

/// A link or a note, whole.
#[derive(Serialize, ToSchema)]
pub(super) struct ResourceBody {
    id: Uuid,
    /// The username of whoever keeps it.
    owner: String,
    kind: Kind,
    title: String,
    url: Option<String>,
    /// Markdown.
    body: String,
    tags: Vec<String>,
    visibility: Visibility,
    pinned: bool,
    /// In quotes it begins the `ETag`.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    trashed_at: Option<Timestamp>,
}

impl From<&Resource> for ResourceBody {
    fn from(resource: &Resource) -> Self {
        Self {
            id: resource.id,
            owner: resource.owner_username.clone(),
            kind: resource.kind,
            title: resource.title.clone(),
            url: resource.url.clone(),
            body: resource.body.clone(),
            tags: resource.tags.0.clone(),
            visibility: resource.visibility,
            pinned: resource.pinned,
            version: resource.version,
            created_at: resource.created_at,
            updated_at: resource.updated_at,
            trashed_at: resource.trashed_at,
        }
    }
}

pub(super) fn with_etag(resource: &Resource) -> WithEtag<ResourceBody> {
    WithEtag(resource.into(), resource.etag())
}

/// A resource in a list: without its body.
#[derive(Serialize, ToSchema)]
pub(super) struct ResourceItem {
    id: Uuid,
    owner: String,
    kind: Kind,
    title: String,
    url: Option<String>,
    /// The beginning of the body as plain text.
    summary: String,
    tags: Vec<String>,
    visibility: Visibility,
    pinned: bool,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&Hit> for ResourceItem {
    fn from(Hit { resource, summary, .. }: &Hit) -> Self {
        Self {
            id: resource.id,
            owner: resource.owner_username.clone(),
            kind: resource.kind,
            title: resource.title.clone(),
            url: resource.url.clone(),
            summary: summary.clone(),
            tags: resource.tags.0.clone(),
            visibility: resource.visibility,
            pinned: resource.pinned,
            version: resource.version,
            created_at: resource.created_at,
            updated_at: resource.updated_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct ResourceList {
    pub(super) items: Vec<ResourceItem>,
    /// Send it as `cursor` for the next page; null on the last.
    pub(super) next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct RevisionItem {
    version: i64,
    title: String,
    url: Option<String>,
    tags: Vec<String>,
    visibility: Visibility,
    via: Via,
    /// The name of whoever saved it.
    saved_by: String,
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
    /// Markdown; only where one revision is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl RevisionItem {
    pub(super) fn of(revision: Revision, with_body: bool) -> Self {
        Self {
            version: revision.version,
            title: revision.title,
            url: revision.url,
            tags: draft::split_tags(&revision.tags),
            visibility: revision.visibility,
            via: revision.via,
            saved_by: revision.saved_by,
            saved_at: revision.saved_at,
            body: with_body.then_some(revision.body),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct RevisionList {
    pub(super) items: Vec<RevisionItem>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct TagList {
    pub(super) items: Vec<TagCount>,
}
