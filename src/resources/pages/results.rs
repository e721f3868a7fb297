//! The part of the library's page that a search replaces.

use askama::Template;

use super::chosen::{Chip, SideTag};
use super::library::href;
use super::searches::{SavedSearches, in_words};
use super::sieve::{ListLink, SieveGroup};
use super::views::{Row, Waiting};
use crate::resources::listing::{ListParams, SOME};
use crate::resources::query::{self, ChosenFilter, QueryError, UnknownFilter};
use crate::resources::samples;
use crate::web::page_context::PageContext;

#[derive(Template)]
#[template(path = "resources/results.html")]
pub struct ResultsPart<'a> {
    pub context: PageContext,
    /// Whether it is sent alone: it brings the page's title then.
    pub alone: bool,
    pub q: String,
    /// The address of the list, from its first page on.
    pub here: String,
    /// Filters and order that a new search keeps, as hidden inputs.
    pub kept: Vec<Hidden>,
    pub saved: SavedSearches,
    pub groups: Vec<SieveGroup>,
    pub chips: Vec<Chip>,
    pub side_tags: Vec<SideTag>,
    /// Tags that the bar for several entries lists without JavaScript.
    pub offered_tags: Vec<String>,
    pub query_error: Option<String>,
    /// Of a search that finds nothing: one that does.
    pub near_miss: Option<NearMiss>,
    /// Whether the search has nothing to search for.
    pub wordless: bool,
    /// What looks like a filter, and was searched for as words.
    pub unknown_filter: Option<UnknownFilterNotice>,
    pub rows: Vec<Row<'a>>,
    /// How many there are on all pages, up to [`SOME`].
    pub total: usize,
    pub waiting: Waiting,
    pub next: Option<String>,
    pub first: Option<String>,
    pub older_follow: bool,
}

impl ResultsPart<'_> {
    /// The search whose results the bar for several entries may mean.
    fn search(&self) -> &str {
        self.here.split_once('?').map_or("", |(_, query)| query)
    }

    /// Whether the number of all is known.
    fn is_counted(&self) -> bool {
        self.total <= SOME
    }

    /// Such as `312 results` or `1 entry`.
    fn found(&self) -> String {
        format!("{} {}", self.total, self.noun())
    }

    /// A date that was chosen as so many days ago, which a saved search keeps as a date.
    fn past(&self) -> Option<&ListLink> {
        let mut dates = self.groups.iter().filter(|group| group.id == "dates").flat_map(|group| &group.links);
        dates.find(|link| link.active)
    }

    fn chosen_date(&self) -> Option<ChosenFilter> {
        query::chosen_filters(&self.q).into_iter().find(|filter| filter.is("after"))
    }

    fn noun(&self) -> &'static str {
        if self.total == 1 { self.one() } else { self.many() }
    }

    fn one(&self) -> &'static str {
        if self.is_searched() { "result" } else { "entry" }
    }

    fn many(&self) -> &'static str {
        if self.is_searched() { "results" } else { "entries" }
    }

    fn is_searched(&self) -> bool {
        !self.q.is_empty() || !self.kept.is_empty()
    }

    /// The search with its filters and its order, for the page on paper.
    fn in_words(&self) -> String {
        in_words(&ListParams::from_saved(self.search()).unwrap_or_default())
    }

    /// Whether some of the viewer's own are sample entries, which one click removes.
    fn has_samples(&self) -> bool {
        let is_sample = |row: &Row<'_>| row.mine && row.resource.tags.0.iter().any(|tag| tag == samples::TAG);
        self.rows.iter().any(is_sample)
    }

    fn has_own_rows(&self) -> bool {
        self.rows.iter().any(|row| row.mine)
    }

    pub fn title(&self) -> String {
        let library = if self.context.viewer.is_some() { "Library" } else { "Public library" };
        let search = if self.q.is_empty() { String::new() } else { format!("{} · ", self.q) };
        format!("{search}{library} · coffer")
    }
}

pub struct NearMiss {
    pub q: String,
    pub href: String,
}

pub struct UnknownFilterNotice {
    pub sentence: String,
    /// The search that may be meant.
    pub meant: Option<NearMiss>,
}

impl UnknownFilterNotice {
    pub fn new(unknown: UnknownFilter, params: &ListParams) -> Self {
        match unknown.corrected(&params.q) {
            Some(q) => Self {
                sentence: format!("“{}:” is not a filter.", unknown.name),
                meant: Some(NearMiss { href: href(&ListParams { q: q.clone(), ..params.clone() }), q }),
            },
            None => Self { sentence: QueryError::from(unknown).message, meant: None },
        }
    }
}

pub struct Hidden {
    pub name: &'static str,
    pub value: String,
}

pub fn kept(params: &ListParams) -> Vec<Hidden> {
    let kept = [
        ("tag", &params.tag),
        ("kind", &params.kind),
        ("pinned", &params.pinned),
        ("mine", &params.mine),
        ("sort", &params.sort),
    ];
    kept.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Hidden { name, value: value.clone() })
        .collect()
}
