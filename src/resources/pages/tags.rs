//! The tags of what the viewer may see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::views::tag_href;
use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::retag::near_twins;
use crate::resources::tag::{self, TagName};
use crate::resources::{Resources, TagCount};
use crate::web::forms::{Query, encode};
use crate::web::page_context::{PageContext, page};

#[derive(Template)]
#[template(path = "resources/tags.html")]
struct TagsPage {
    context: PageContext,
    q: String,
    by_count: bool,
    by_name_href: String,
    by_count_href: String,
    tags: Vec<TagRow>,
    twins: Vec<Twins>,
    any: bool,
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
    /// Where it is renamed; for the viewer's own.
    change_href: Option<String>,
}

/// Tags that differ in little, and the one that most entries have.
struct Twins {
    tags: Vec<TagCount>,
    into: String,
    href: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TagsParams {
    q: String,
    /// `name` (the default) or `count`.
    sort: String,
}

pub async fn tags(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Query(params): Query<TagsParams>,
) -> Result<Response> {
    let own = if viewer.member().is_some() { resources.own_tags(&viewer).await? } else { Vec::new() };
    let seen = resources.tags(&viewer).await?;
    let by_count = params.sort == "count";
    let folded_own: BTreeSet<&str> = own.iter().map(|tag| tag.folded.as_str()).collect();
    let searched = tag::fold(&params.q);
    let mut tags: Vec<TagRow> = seen
        .iter()
        .filter(|tag| tag::fold(&tag.name).contains(&searched))
        .map(|tag| TagRow::new(tag, folded_own.contains(tag::fold(&tag.name).as_str())))
        .collect();
    if by_count {
        tags.sort_by_key(|tag| std::cmp::Reverse(tag.count));
    } else {
        grow_tree(&mut tags);
    }
    let toast = context.toast.is_some();
    let tags_page = TagsPage {
        context: context.section("tags"),
        by_name_href: tags_href(&params.q, ""),
        by_count_href: tags_href(&params.q, "count"),
        twins: if params.q.is_empty() { twins(&own, &seen) } else { Vec::new() },
        any: !seen.is_empty(),
        q: params.q,
        by_count,
        tags,
    };
    page(&tags_page, toast)
}

fn tags_href(q: &str, sort: &str) -> String {
    let parts = [("q", q), ("sort", sort)].into_iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> = parts.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if query.is_empty() { "/tags".to_owned() } else { format!("/tags?{}", query.join("&")) }
}

impl TagRow {
    fn new(tag: &TagCount, own: bool) -> Self {
        Self {
            leaf: tag.name.clone(),
            depth: 0,
            href: tag_href(&tag.name),
            change_href: own.then(|| format!("/tags/edit?tag={}", encode(&tag.name))),
            count: tag.count,
            name: tag.name.clone(),
        }
    }
}

/// Puts each tag below the nearest one above it that is shown; what stands above it is not repeated.
fn grow_tree(tags: &mut [TagRow]) {
    let levels = |name: &str| tag::fold(name).split('/').map(str::to_owned).collect::<Vec<_>>();
    tags.sort_by_cached_key(|tag| levels(&tag.name));
    let shown: BTreeSet<Vec<String>> = tags.iter().map(|tag| levels(&tag.name)).collect();
    for tag in tags {
        let own = levels(&tag.name);
        let above: Vec<usize> = (1..own.len()).filter(|length| shown.contains(&own[..*length])).collect();
        tag.depth = above.len().min(3);
        tag.leaf = tag.name.split('/').skip(above.last().copied().unwrap_or(0)).collect::<Vec<_>>().join("/");
    }
}

fn twins(own: &[TagName], seen: &[TagCount]) -> Vec<Twins> {
    let counts: BTreeMap<String, i64> = seen.iter().map(|tag| (tag::fold(&tag.name), tag.count)).collect();
    let counted = |tag: &&TagName| TagCount {
        name: tag.name.clone(),
        count: counts.get(&tag.folded).copied().unwrap_or(0),
    };
    let group = |group: Vec<&TagName>| {
        let tags: Vec<TagCount> = group.iter().map(counted).filter(|tag| tag.count > 0).collect();
        let into = tags.iter().max_by_key(|tag| tag.count).filter(|_| tags.len() > 1)?.name.clone();
        let from: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).filter(|name| *name != into).collect();
        let href = format!("/tags/change?tag={}&to={}", encode(&from.join(",")), encode(&into));
        Some(Twins { tags, into, href })
    };
    near_twins(own).into_iter().filter_map(group).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NamesParams {
    q: String,
}

/// What a completion offers.
pub async fn names(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    Query(params): Query<NamesParams>,
) -> Result<Json<Vec<String>>> {
    Ok(Json(resources.complete_tag(&viewer, &params.q).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_below_the_nearest_one_that_is_shown() {
        let names = ["kitchen/bread", "harbour", "work", "work-shop", "work/rust/async", "Work/Rust"];
        let count = |name: &str| TagCount { name: name.to_owned(), count: 1 };
        let mut tags: Vec<TagRow> = names.iter().map(|name| TagRow::new(&count(name), true)).collect();
        grow_tree(&mut tags);
        let tree: Vec<(usize, &str)> = tags.iter().map(|tag| (tag.depth, tag.leaf.as_str())).collect();
        assert_eq!(
            tree,
            [(0, "harbour"), (0, "kitchen/bread"), (0, "work"), (1, "Rust"), (2, "async"), (0, "work-shop")]
        );
    }
}
