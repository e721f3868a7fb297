//! The tags of a list: those chosen, as chips, and those of its entries, to choose from.

use std::collections::BTreeMap;

use super::library::href;
use super::views::{Row, TagLink};
use crate::resources::listing::{ListParams, Listing};
use crate::resources::{query, tag};

/// Tags that the side of the list shows.
const SHOWN: usize = 15;

/// A chosen tag, and the list without it.
pub struct Chip {
    pub name: String,
    pub remove_href: String,
}

/// A tag of the entries in the list, and the list with it chosen too.
pub struct SideTag {
    pub name: String,
    pub count: usize,
    pub href: String,
}

pub fn chips(params: &ListParams) -> Vec<Chip> {
    let by_param = (!params.tag.is_empty()).then(|| Chip {
        name: params.tag.clone(),
        remove_href: href(&ListParams { tag: String::new(), ..params.clone() }),
    });
    let by_query = query::chosen_tags(&params.q).into_iter().map(|chosen| Chip {
        name: chosen.name,
        remove_href: href(&ListParams { q: chosen.rest, ..params.clone() }),
    });
    by_param.into_iter().chain(by_query).collect()
}

/// The tags of the entries shown, the most frequent first, without those chosen.
pub fn side_tags(listing: &Listing, params: &ListParams, chips: &[Chip]) -> Vec<SideTag> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in listing.hits.iter().flat_map(|hit| &hit.resource.tags.0) {
        *counts.entry(name).or_default() += 1;
    }
    let is_chosen = |name: &str| chips.iter().any(|chip| tag::fold(&chip.name) == tag::fold(name));
    let mut tags: Vec<SideTag> = counts
        .into_iter()
        .filter(|(name, _)| !is_chosen(name))
        .map(|(name, count)| SideTag { name: name.to_owned(), count, href: with_tag(params, name) })
        .collect();
    tags.sort_by_key(|tag| std::cmp::Reverse(tag.count));
    tags.truncate(SHOWN);
    tags
}

/// A click on a tag of an entry adds it to the search.
pub fn link_tags(rows: &mut [Row], params: &ListParams, chips: &[Chip]) {
    let is_chosen = |tag: &TagLink| chips.iter().any(|chip| tag::fold(&chip.name) == tag::fold(&tag.name));
    for tag in rows.iter_mut().flat_map(|row| &mut row.tags) {
        tag.href = if is_chosen(tag) { href(params) } else { with_tag(params, &tag.name) };
    }
}

fn with_tag(params: &ListParams, name: &str) -> String {
    if params.q.is_empty() && params.tag.is_empty() {
        href(&ListParams { tag: name.to_owned(), ..params.clone() })
    } else {
        href(&ListParams { q: query::with_tag(&params.q, name), ..params.clone() })
    }
}
