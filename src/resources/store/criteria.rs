//! Filters as SQL.

use uuid::Uuid;

use super::sizes::{Size, Sizes};
use super::words::index_term_of;
use crate::db::{Engine, Value};
use crate::identity::Viewer;
use crate::resources::listing::Search;
use crate::resources::query::{self, Criterion, Filter};
use crate::resources::{Kind, tag};
use crate::timestamp::Timestamp;

pub const FTS5_ROWS: &str = "SELECT rowid FROM resources_fts WHERE resources_fts MATCH";

/// SQL built at run time. It contains nothing that people typed: that is in the values.
#[derive(Clone, Default)]
pub struct Statement {
    pub sql: String,
    pub values: Vec<Value>,
    /// Whether one plan is good for all values. Where a search begins depends on how common its words, tags and sites
    /// are, so PostgreSQL plans it for them each time.
    pub has_one_plan: bool,
}

impl Statement {
    /// With `$1`, the viewer's id, for the visibility rule.
    pub fn new(viewer: &Viewer) -> Self {
        Self { values: vec![Value::Id(viewer.id().unwrap_or(Uuid::nil()))], ..Self::default() }
    }

    /// Binds the value and returns its placeholder.
    pub fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Binds numbers of entries as one value, and returns a table `given` with columns `rid` and `place`. However many they are,
    /// the SQL stays the same.
    pub fn bind_rids(&mut self, engine: &Engine<'_>, rids: impl Iterator<Item = i64>) -> String {
        let rids: Vec<String> = rids.map(|rid| rid.to_string()).collect();
        let rids = self.bind(Value::Text(rids.join(",")));
        match engine {
            Engine::Postgres(_) => {
                // In a subquery the planner can't count them, and keeps one plan for any number.
                format!(
                    "unnest((SELECT CAST(string_to_array({rids}, ',') AS bigint[]))) WITH ORDINALITY given (rid, place)"
                )
            }
            Engine::Sqlite(_) => {
                format!("(SELECT value AS rid, key AS place FROM json_each('[' || {rids} || ']')) given")
            }
        }
    }
}

/// Whether a filter is by date, along which the list has an index. The index of words knows no dates.
pub fn has_date_filter(search: &Search) -> bool {
    let is_date = |filter: &Filter| {
        matches!(filter.criterion, Criterion::Before(_) | Criterion::After(_) | Criterion::CreatedAfter(_))
    };
    search.filters.iter().any(is_date)
}

/// Whether it asks for a flag that few entries have.
pub const fn is_flag(filter: &Filter) -> bool {
    !filter.negated && matches!(filter.criterion, Criterion::Pinned | Criterion::Unread)
}

/// Whether the index of words finds the filter, also in a search without words.
pub const fn is_found(filter: &Filter) -> bool {
    !filter.negated && matches!(filter.criterion, Criterion::Tag(_) | Criterion::Site { .. })
}

/// The filters that the index does not decide, with their sizes.
pub fn on_rows<'a>(search: &'a Search, sizes: &'a Sizes) -> impl Iterator<Item = (&'a Filter, Size)> {
    let filters = search.filters.iter().zip(sizes.filters.iter().copied());
    filters.filter(move |(filter, _)| index_term_of(search, filter).is_none() || has_path(filter))
}

pub fn filters(statement: &mut Statement, engine: &Engine<'_>, search: &Search, sizes: &Sizes) -> String {
    conditions(statement, engine, on_rows(search, sizes))
}

/// The filters with their sizes as conditions on `resources r`.
pub fn conditions<'a>(
    statement: &mut Statement,
    engine: &Engine<'_>,
    filters: impl Iterator<Item = (&'a Filter, Size)>,
) -> String {
    let mut sql = String::new();
    for (filter, size) in filters {
        let mut condition = condition(statement, engine, &filter.criterion, size);
        if let Criterion::Site { path, .. } = &filter.criterion
            && !path.is_empty()
        {
            condition = format!("{condition} AND {}", is_below(statement, engine, path));
        }
        // A note has no site, so NULL counts as false.
        let (before, after) =
            if filter.negated { (" AND NOT COALESCE((", "), FALSE)") } else { (" AND (", ")") };
        sql.extend([before, &condition, after]);
    }
    sql
}

fn condition(
    statement: &mut Statement,
    engine: &Engine<'_>,
    criterion: &Criterion,
    matching: Size,
) -> String {
    // Written like this, neither engine starts from a condition that many rows meet.
    let late = if matching == Size::Many { " IS TRUE" } else { "" };
    match criterion {
        _ if matching == Size::Found => "TRUE".to_owned(),
        Criterion::Tag(folded) if matching == Size::EachRow => {
            format!("EXISTS ({} AND rt.resource_id = r.id)", tagged(statement, folded))
        }
        Criterion::Tag(folded) => format!("(r.id IN ({})){late}", tagged(statement, folded)),
        Criterion::Site { site, .. } if matching == Size::Few => {
            format!("r.rid IN ({})", on_site(statement, site))
        }
        Criterion::Site { site, .. } => format!("({}){late}", is_site(statement, site)),
        Criterion::By(username) => {
            let name = statement.bind(Value::Text(username.clone()));
            format!("r.owner_id = (SELECT id FROM users WHERE username_key = {name})")
        }
        Criterion::Mine => "r.owner_id = $1".to_owned(),
        Criterion::Owner(id) => format!("r.owner_id = {}", statement.bind(Value::Id(*id))),
        Criterion::Url(parts) => in_url(statement, engine, parts),
        Criterion::Title(term) => {
            let pattern = statement.bind(Value::Text(query::like(term)));
            format!("(' ' || r.fold_title || ' ') LIKE {pattern}")
        }
        Criterion::HasNotes => "r.body <> ''".to_owned(),
        Criterion::Kind(Kind::Link) => "r.kind = 'link'".to_owned(),
        Criterion::Kind(Kind::Note) => "r.kind = 'note'".to_owned(),
        Criterion::Pinned => "r.pinned".to_owned(),
        Criterion::Unread => "r.unread".to_owned(),
        // An index has the rows without a text of tags. That of a tag of signs is empty too.
        Criterion::Untagged => {
            "r.fold_tags = '' AND NOT EXISTS (SELECT 1 FROM resource_tags rt WHERE rt.resource_id = r.id)"
                .to_owned()
        }
        Criterion::Broken => {
            "r.id IN (SELECT lc.resource_id FROM link_checks lc WHERE lc.broken_since IS NOT NULL)".to_owned()
        }
        Criterion::Visibility(visibility) => format!("r.visibility = '{}'", visibility.as_str()),
        Criterion::Entry(id) => format!("r.id = {}", statement.bind(Value::Id(*id))),
        Criterion::CreatedAfter(at) => format!("r.created_at > {}", statement.bind(Value::At(*at))),
        Criterion::ChangedAfter(at) => format!("r.updated_at > {}", statement.bind(Value::At(*at))),
        Criterion::Before(date) => {
            format!("r.created_at < {}", statement.bind(Value::At(Timestamp::midnight(*date))))
        }
        Criterion::After(date) => {
            format!("r.created_at >= {}", statement.bind(Value::At(Timestamp::midnight(*date))))
        }
    }
}

pub(super) fn tagged(statement: &mut Statement, folded: &str) -> String {
    let below = tag::range_of(folded);
    let [this, low, high] =
        [folded.to_owned(), below.start, below.end].map(|text| statement.bind(Value::Text(text)));
    format!(
        "SELECT rt.resource_id FROM tags t JOIN resource_tags rt ON rt.tag_id = t.id
            WHERE (t.folded = {this} OR (t.folded >= {low} AND t.folded < {high}))"
    )
}

pub(super) fn on_site(statement: &mut Statement, site: &str) -> String {
    let is_site = is_site(statement, site);
    format!("SELECT r.rid FROM resources r WHERE r.trashed_at IS NULL AND r.site IS NOT NULL AND ({is_site})")
}

/// '/' follows '.', so the range contains every subdomain. It also contains `org.example-x`, which the last condition
/// excludes.
fn is_site(statement: &mut Statement, site: &str) -> String {
    let [this, low, high] = [site.to_owned(), format!("{site}."), format!("{site}/")]
        .map(|text| statement.bind(Value::Text(text)));
    format!("r.site >= {this} AND r.site < {high} AND (r.site = {this} OR r.site >= {low})")
}

pub(super) fn has_path(filter: &Filter) -> bool {
    matches!(&filter.criterion, Criterion::Site { path, .. } if !path.is_empty())
}

/// The function that finds a text within another.
fn find(engine: &Engine<'_>) -> &'static str {
    match engine {
        Engine::Postgres(_) => "strpos",
        Engine::Sqlite(_) => "instr",
    }
}

fn in_url(statement: &mut Statement, engine: &Engine<'_>, parts: &[String]) -> String {
    let find = find(engine);
    let parts = parts.iter().map(|part| statement.bind(Value::Text(part.clone())));
    parts.map(|part| format!("{find}(lower(r.url), {part}) > 0")).collect::<Vec<_>>().join(" OR ")
}

/// Whether the path of an address is this one or below it. It begins at the first slash from the 9th character on,
/// which is after `https://`, or after `http://` and one letter.
fn is_below(statement: &mut Statement, engine: &Engine<'_>, path: &str) -> String {
    let find = find(engine);
    let this = statement.bind(Value::Text(path.to_owned()));
    let rest = format!("substr(r.url, {find}(substr(r.url, 9), '/') + 8)");
    format!(
        "substr({rest}, 1, length({this})) = {this} AND substr({rest}, length({this}) + 1, 1) IN ('', '/', '?', '#')"
    )
}
