//! The tags of what the viewer may see.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::views::tag_href;
use crate::error::Result;
use crate::resources::{Resources, TagCount};
use crate::web::chrome::{Chrome, page};
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "resources/tags.html")]
struct TagsPage {
    chrome: Chrome,
    tags: Vec<TagRow>,
}

struct TagRow {
    /// `work/rust`
    name: String,
    /// `rust`
    leaf: String,
    /// The number of levels above it, at most 3.
    depth: usize,
    count: i64,
    href: String,
}

pub async fn tags(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    chrome: Chrome,
) -> Result<Response> {
    let tags = resources.tags(&viewer).await?;
    let toast = chrome.toast.is_some();
    page(
        &TagsPage { chrome: chrome.section("tags"), tags: tags.into_iter().map(TagRow::from).collect() },
        toast,
    )
}

impl From<TagCount> for TagRow {
    fn from(tag: TagCount) -> Self {
        Self {
            leaf: tag.name.rsplit('/').next().unwrap_or(&tag.name).to_owned(),
            depth: tag.name.matches('/').count().min(3),
            href: tag_href(&tag.name),
            count: tag.count,
            name: tag.name,
        }
    }
}
