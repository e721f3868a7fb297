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
            let links =
                VISIBILITIES.iter().map(|(label, value)| self.toggle(label, "is", value, is_visibility));
            groups.push(SieveGroup { id: "visibilities", heading: "Visibility", links: links.collect() });
        }
        let is_date = |filter: &ChosenFilter| filter.is("after");
        let dates = PASTS.map(|(label, days)| (label, self.days_ago(days)));
        let dates = dates.iter().map(|(label, day)| self.toggle(label, "after", day, is_date));
        groups.push(SieveGroup { id: "dates", heading: "Saved", links: dates.collect() });
        groups.push(SieveGroup { id: "sorts", heading: "Order", links: self.sorts() });
        groups
    }

    /// Pins and what is read later are their owner's affair, so these show only one's own.
    fn shown(&self) -> Vec<ListLink> {
        let mine = if self.chosen(is_state).is_some() { "true" } else { "" };
        let mut links = vec![
            self.whole("All", ""),
            self.of_kind("Links", "link", "", mine),
            self.of_kind("Notes", "note", "", mine),
        ];
        if self.viewer.member().is_some() {
            links.push(self.of_kind("Pinned", "", "true", "true"));
            links.push(self.whole("Mine", "true"));
            links.extend(STATES.iter().map(|(label, value)| self.state(label, value)));
        }
        links
    }

    /// Without a kind and a state.
    fn whole(&self, label: &'static str, mine: &str) -> ListLink {
        let q = self.chosen(is_state).map_or_else(|| self.params.q.clone(), |state| state.rest);
        let (kind, pinned, mine) = (String::new(), String::new(), mine.to_owned());
        self.link(label, &ListParams { q, kind, pinned, mine, ..self.params.clone() })
    }

    fn of_kind(&self, label: &'static str, kind: &str, pinned: &str, mine: &str) -> ListLink {
        let [kind, pinned, mine] = [kind, pinned, mine].map(str::to_owned);
        self.link(label, &ListParams { kind, pinned, mine, ..self.params.clone() })
    }

    fn link(&self, label: &'static str, wanted: &ListParams) -> ListLink {
        ListLink { label, active: wanted == self.params, href: href(wanted) }
    }

    fn state(&self, label: &'static str, value: &str) -> ListLink {
        let toggled = self.toggled("is", value, is_state);
        let mine = if toggled.active { "" } else { "true" }.to_owned();
        let wanted = ListParams { q: toggled.q, mine, ..self.params.clone() };
        ListLink { label, active: toggled.active, href: href(&wanted) }
    }

    fn toggle(
        &self,
        label: &'static str,
        name: &str,
        value: &str,
        same: fn(&ChosenFilter) -> bool,
    ) -> ListLink {
        let Toggled { active, q } = self.toggled(name, value, same);
        ListLink { label, active, href: href(&ListParams { q, ..self.params.clone() }) }
    }

    /// The search with this filter in place of the `same` one that it has, or without it.
    fn toggled(&self, name: &str, value: &str, same: fn(&ChosenFilter) -> bool) -> Toggled {
        let found = self.chosen(same);
        let active = found.as_ref().is_some_and(|filter| filter.value.eq_ignore_ascii_case(value));
        let rest = found.map_or_else(|| self.params.q.clone(), |ChosenFilter { rest, .. }| rest);
        Toggled { active, q: if active { rest } else { query::with_filter(&rest, name, value) } }
    }

    fn chosen(&self, same: fn(&ChosenFilter) -> bool) -> Option<ChosenFilter> {
        query::chosen_filters(&self.params.q).into_iter().find(same)
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

/// A filter as its link shows it, and the search after a click on it.
struct Toggled {
    active: bool,
    q: String,
}

fn is_state(filter: &ChosenFilter) -> bool {
    filter.is("is") && is_one_of(STATES, filter)
}

/// `is:private`, or `visibility:private`.
fn is_visibility(filter: &ChosenFilter) -> bool {
    (filter.is("is") || filter.is("visibility")) && is_one_of(VISIBILITIES, filter)
}

fn is_one_of(values: &[(&str, &str)], filter: &ChosenFilter) -> bool {
    values.iter().any(|(_, value)| filter.value.eq_ignore_ascii_case(value))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::identity::{Member, Role};

    fn ada() -> Viewer {
        Viewer::Member(Arc::new(Member {
            id: Uuid::from_u128(1),
            email: String::new(),
            username: "ada".to_owned(),
            display_name: String::new(),
            role: Role::Member,
            auth_epoch: 0,
            factor_epoch: 0,
            verified: true,
            second_factor: false,
        }))
    }

    fn links(viewer: &Viewer, search: &str, group: &str) -> Vec<ListLink> {
        let params = ListParams::from_saved(search).expect("a search");
        let now = Timestamp::parse("2026-11-30T12:00:00Z").expect("a time");
        let sieve = Sieve { viewer, params: &params, sort: Sort::Newest, now };
        sieve.groups().into_iter().find(|found| found.id == group).expect("a group").links
    }

    fn active(search: &str, group: &str) -> Vec<&'static str> {
        let links = links(&ada(), search, group);
        links.into_iter().filter(|link| link.active).map(|link| link.label).collect()
    }

    fn href_of(search: &str, group: &str, label: &str) -> String {
        let links = links(&ada(), search, group);
        links.into_iter().find(|link| link.label == label).expect("a link").href
    }

    #[test]
    fn one_state_is_chosen_beside_the_kind() {
        for (search, expected) in [
            ("", &["All"][..]),
            ("mine=true", &["Mine"]),
            ("q=is:unread&mine=true", &["Unread"]),
            ("q=is:unread", &["Unread"]),
            ("q=is:unread&mine=true&kind=link", &["Links", "Unread"]),
            ("pinned=true&mine=true", &["Pinned"]),
            ("q=is:private", &["All"]),
        ] {
            assert_eq!(active(search, "filters"), expected, "{search}");
        }
        let unread = "q=is:unread&mine=true";
        assert_eq!(
            href_of("q=is:private", "filters", "Unread"),
            "/resources?q=is%3Aunread%20is%3Aprivate&mine=true"
        );
        assert_eq!(href_of(unread, "filters", "Broken"), "/resources?q=is%3Abroken&mine=true");
        assert_eq!(href_of(unread, "filters", "Links"), "/resources?q=is%3Aunread&kind=link&mine=true");
        for label in ["All", "Unread"] {
            assert_eq!(href_of(unread, "filters", label), "/resources");
        }
    }

    #[test]
    fn a_visibility_is_written_as_the_help_writes_it() {
        assert_eq!(
            href_of("q=is:unread", "visibilities", "Private"),
            "/resources?q=is%3Aprivate%20is%3Aunread"
        );
        assert_eq!(href_of("q=visibility:public", "visibilities", "Private"), "/resources?q=is%3Aprivate");
        for search in ["q=is:private", "q=visibility:private"] {
            assert_eq!(active(search, "visibilities"), ["Private"]);
            assert_eq!(href_of(search, "visibilities", "Private"), "/resources");
        }
    }

    #[test]
    fn visitors_are_offered_what_others_see_of_an_entry() {
        let labels = links(&Viewer::Visitor, "", "filters").into_iter().map(|link| link.label);
        assert_eq!(labels.collect::<Vec<_>>(), ["All", "Links", "Notes"]);
    }
}
