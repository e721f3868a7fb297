//! What narrows and orders a list by a click, beside it.

use std::time::Duration;

use super::library::href;
use crate::identity::Viewer;
use crate::resources::listing::{ListParams, Sort};
use crate::resources::query::{self, ChosenFilter};
use crate::timestamp::Timestamp;

/// A group of links under a heading.
pub struct SieveGroup {
    pub id: &'static str,
    pub heading: &'static str,
    pub links: Vec<ListLink>,
}

pub struct ListLink {
    pub label: &'static str,
    pub href: String,
    pub active: bool,
}

pub struct Sieve<'a> {
    pub viewer: &'a Viewer,
    pub params: &'a ListParams,
    pub sort: Sort,
    pub now: Timestamp,
}

impl Sieve<'_> {
    pub fn groups(&self) -> Vec<SieveGroup> {
        let mut groups = vec![SieveGroup { id: "filters", heading: "Show", links: self.shown() }];
        if self.viewer.member().is_some() {
            let links = self.by_filter("visibility", VISIBILITIES);
            groups.push(SieveGroup { id: "visibilities", heading: "Visibility", links });
        }
        let dates = PASTS.map(|(label, days)| (label, self.days_ago(days)));
        let dates = dates.iter().map(|(label, day)| self.toggle(label, "after", day));
        groups.push(SieveGroup { id: "dates", heading: "Saved", links: dates.collect() });
        groups.push(SieveGroup { id: "sorts", heading: "Order", links: self.sorts() });
        groups
    }

    fn shown(&self) -> Vec<ListLink> {
        let of_kind = |label, kind: &str, pinned: &str, mine: &str| {
            let params = self.params;
            let wanted = ListParams {
                kind: kind.to_owned(),
                pinned: pinned.to_owned(),
                mine: mine.to_owned(),
                ..params.clone()
            };
            ListLink { label, active: wanted == *params, href: href(&wanted) }
        };
        let mut links = vec![
            of_kind("All", "", "", ""),
            of_kind("Links", "link", "", ""),
            of_kind("Notes", "note", "", ""),
            of_kind("Pinned", "", "true", ""),
        ];
        if self.viewer.member().is_some() {
            links.push(of_kind("Mine", "", "", "true"));
        }
        links.extend(self.by_filter("is", STATES));
        links
    }

    fn by_filter(&self, name: &str, values: &[(&'static str, &str)]) -> Vec<ListLink> {
        values.iter().map(|(label, value)| self.toggle(label, name, value)).collect()
    }

    /// Adds a filter to the search in place of another of its name, or takes it away.
    fn toggle(&self, label: &'static str, name: &str, value: &str) -> ListLink {
        let found = query::chosen_filters(&self.params.q).into_iter().find(|filter| filter.is(name));
        let active = found.as_ref().is_some_and(|filter| filter.value.eq_ignore_ascii_case(value));
        let rest = found.map_or_else(|| self.params.q.clone(), |ChosenFilter { rest, .. }| rest);
        let q = if active { rest } else { query::with_filter(&rest, name, value) };
        ListLink { label, active, href: href(&ListParams { q, ..self.params.clone() }) }
    }

    fn days_ago(&self, days: u64) -> String {
        self.now.minus(Duration::from_hours(24 * days)).datetime().date().to_string()
    }

    fn sorts(&self) -> Vec<ListLink> {
        let searching = query::parse(&self.params.q).is_ok_and(|query| query.is_ranked());
        SORTS
            .into_iter()
            .filter(|(_, sort)| searching || *sort != Sort::Relevance)
            .map(|(label, sort)| ListLink {
                label,
                href: href(&ListParams { sort: sort.as_str().to_owned(), ..self.params.clone() }),
                active: sort == self.sort,
            })
            .collect()
    }
}

const STATES: &[(&str, &str)] = &[("Unread", "unread"), ("Untagged", "untagged"), ("Broken", "broken")];
const VISIBILITIES: &[(&str, &str)] = &[("Private", "private"), ("Members", "members"), ("Public", "public")];
/// In days.
const PASTS: [(&str, u64); 3] = [("Past week", 7), ("Past month", 30), ("Past year", 365)];
const SORTS: [(&str, Sort); 5] = [
    ("Best match", Sort::Relevance),
    ("Newest", Sort::Newest),
    ("Oldest", Sort::Oldest),
    ("Last changed", Sort::Changed),
    ("Title", Sort::Title),
];
