//! The part of the library's page that a search replaces.

use askama::Template;

use super::chosen::{Chip, SideTag};
use super::searches::SavedSearches;
use super::sieve::SieveGroup;
use super::views::{Row, Waiting};
use crate::resources::listing::{ListParams, SOME};
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
    pub unknown_filter: Option<String>,
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

    /// Such as `312 results` or `1 entry`.
    fn found(&self) -> String {
        let noun = self.noun();
        if self.total > SOME { format!("More than 1,000 {noun}") } else { format!("{} {noun}", self.total) }
    }

    /// Such as `All 312 results`.
    fn all(&self) -> String {
        let noun = self.noun();
        if self.total > SOME { format!("All {noun}") } else { format!("All {} {noun}", self.total) }
    }

    fn noun(&self) -> &'static str {
        let is_searched = !self.q.is_empty() || !self.kept.is_empty();
        match (is_searched, self.total) {
            (true, 1) => "result",
            (true, _) => "results",
            (false, 1) => "entry",
            (false, _) => "entries",
        }
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
