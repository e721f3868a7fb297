//! The filters of a list, as chips, and the tags of its entries, to choose from.

use std::collections::BTreeMap;

use super::library::href;
use super::views::{Row, TagLink};
use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::listing::{ListParams, Listing};
use crate::resources::{Resources, TagCount, query, tag};

/// Tags that the side of the list shows.
const SHOWN: usize = 15;
/// Tags that the bar for several entries lists.
const OFFERED: usize = 50;

/// A chosen filter, and the list without it.
pub struct Chip {
    /// The name of a tag, or a filter as it stands in the search.
    pub name: String,
    pub is_tag: bool,
    pub remove_href: String,
}

/// A tag of the entries in the list, and the list with it chosen too.
pub struct SideTag {
    pub name: String,
    /// `None` where too many entries match to be counted.
    pub count: Option<i64>,
    pub href: String,
}

pub fn chips(params: &ListParams) -> Vec<Chip> {
    let by_param = (!params.tag.is_empty()).then(|| Chip {
        name: params.tag.clone(),
        is_tag: true,
        remove_href: href(&ListParams { tag: String::new(), ..params.clone() }),
    });
    let by_query = query::chosen_filters(&params.q).into_iter().map(|chosen| Chip {
        is_tag: chosen.is("tag"),
        name: if chosen.is("tag") { chosen.value } else { chosen.to_string() },
        remove_href: href(&ListParams { q: chosen.rest, ..params.clone() }),
    });
    by_param.into_iter().chain(by_query).collect()
}

/// The most frequent tags of all results, not of this page alone, without those chosen. `of_matches`: those of a search with
/// several pages.
pub async fn side_tags(
    resources: &Resources,
    viewer: &Viewer,
    listing: &Listing,
    params: &ListParams,
    chips: &[Chip],
    of_matches: Vec<TagCount>,
) -> Result<Vec<SideTag>> {
    let narrowed = ListParams { cursor: String::new(), limit: String::new(), ..params.clone() };
    let counted = if listing.hits.is_empty() || listing.is_whole(params) {
        tags_of_page(listing)
    } else if narrowed == ListParams::default() {
        resources.tags(viewer).await?
    } else {
        of_matches
    };
    if counted.is_empty() {
        let uncounted = shown(tags_of_page(listing), &narrowed, chips);
        return Ok(uncounted.into_iter().map(|tag| SideTag { count: None, ..tag }).collect());
    }
    Ok(shown(counted, &narrowed, chips))
}

/// The viewer's most frequent tags.
pub async fn offered_tags(resources: &Resources, viewer: &Viewer) -> Result<Vec<String>> {
    if viewer.member().is_none() {
        return Ok(Vec::new());
    }
    let mut tags = resources.tags(viewer).await?;
    tags.sort_by_key(|tag| std::cmp::Reverse(tag.count));
    Ok(tags.into_iter().map(|tag| tag.name).take(OFFERED).collect())
}

fn tags_of_page(listing: &Listing) -> Vec<TagCount> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for name in listing.hits.iter().flat_map(|hit| &hit.resource.tags.0) {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().map(|(name, count)| TagCount { name: name.to_owned(), count }).collect()
}

fn shown(mut tags: Vec<TagCount>, params: &ListParams, chips: &[Chip]) -> Vec<SideTag> {
    let is_chosen = |name: &str| has_tag(chips, name);
    tags.retain(|tag| !is_chosen(&tag.name));
    tags.sort_by_key(|tag| std::cmp::Reverse(tag.count));
    tags.truncate(SHOWN);
    let side_tag =
        |tag: TagCount| SideTag { href: with_tag(params, &tag.name), count: Some(tag.count), name: tag.name };
    tags.into_iter().map(side_tag).collect()
}

/// A click on a tag of an entry adds it to the search.
pub fn link_tags(rows: &mut [Row], params: &ListParams, chips: &[Chip]) {
    let is_chosen = |tag: &TagLink| has_tag(chips, &tag.name);
    for tag in rows.iter_mut().flat_map(|row| &mut row.tags) {
        tag.href = if is_chosen(tag) { href(params) } else { with_tag(params, &tag.name) };
    }
}

fn has_tag(chips: &[Chip], name: &str) -> bool {
    chips.iter().any(|chip| chip.is_tag && tag::fold(&chip.name) == tag::fold(name))
}

fn with_tag(params: &ListParams, name: &str) -> String {
    if params.q.is_empty() && params.tag.is_empty() {
        href(&ListParams { tag: name.to_owned(), ..params.clone() })
    } else {
        href(&ListParams { q: query::with_filter(&params.q, "tag", name), ..params.clone() })
    }
}
