//! The searched words as SQL, with the index terms that narrow them.

use super::criteria::{Statement, has_path, is_flag, is_found};
use super::sizes::Size;
use crate::db::{Engine, Value};
use crate::resources::index_terms;
use crate::resources::listing::Search;
use crate::resources::query::{self, Filter, Fts, Group, PgGroup, Term};

/// The searched words in the syntax of each engine.
pub enum Words {
    None,
    /// A condition on `resources r`.
    Postgres(String),
    /// The placeholder of what to match.
    Fts5(String),
    /// The placeholder of what to exclude from all rows.
    NotFts5(String),
}

/// `partitions`: only rows with one of these index terms; if empty, all rows. `matching`: how many rows match.
pub fn words(
    statement: &mut Statement,
    engine: &Engine<'_>,
    search: &Search,
    text: &[Group],
    partitions: &[String],
    matching: Size,
) -> Words {
    let index_terms = index_terms_of(search, partitions);
    match engine {
        Engine::Postgres(_) => postgres_words(statement, text, &index_terms, matching),
        Engine::Sqlite(_) => fts5_words(statement, &[text, &index_terms].concat()),
    }
}

fn postgres_words(
    statement: &mut Statement,
    words: &[Group],
    index_terms: &[Group],
    matching: Size,
) -> Words {
    if words.is_empty() {
        return Words::None;
    }
    let (mut indexed, mut seen) = (Vec::new(), Vec::new());
    for group in words.iter().chain(index_terms).map(query::to_postgres) {
        match (group.phrases.is_empty(), group.negated) {
            (true, false) => indexed.push(tsquery(statement, &group)),
            (true, true) => indexed.push(format!("!!{}", tsquery(statement, &group))),
            (false, negated) => {
                if !negated {
                    // Pairs are cheaper to look up than words, and leave fewer rows.
                    match has_pairs(statement, &group.pairs) {
                        Some(pairs) => seen.push(pairs),
                        None => indexed.push(tsquery(statement, &group)),
                    }
                }
                seen.push(format!("{}({})", if negated { "NOT " } else { "" }, is_seen(statement, &group)));
            }
        }
    }
    // The planner can't see the words in a subquery, and assumes that they are rare.
    let hidden = if matches!(matching, Size::Few | Size::Some) { "SELECT " } else { "" };
    let index = (!indexed.is_empty()).then(|| format!("r.search @@ ({hidden}{})", indexed.join(" && ")));
    Words::Postgres(index.into_iter().chain(seen).collect::<Vec<_>>().join(" AND "))
}

/// PostgreSQL splits the words as it split the indexed texts, and takes index terms as they are.
fn tsquery(statement: &mut Statement, group: &PgGroup) -> String {
    let mut bind = |text: &String| statement.bind(Value::Text(text.clone()));
    let words = group.words.as_ref().map(|words| format!("to_tsquery('simple', {})", bind(words)));
    let index_terms = group
        .index_terms
        .as_ref()
        .map(|index_terms| format!("CAST(CAST({} AS text) AS tsquery)", bind(index_terms)));
    format!("({})", words.into_iter().chain(index_terms).collect::<Vec<_>>().join(" || "))
}

/// An index of every two words in a row finds the few rows with a phrase of common words. Long texts have no pairs.
fn has_pairs(statement: &mut Statement, pairs: &[String]) -> Option<String> {
    let hashes = pairs.iter().map(|pair| format!("hashtext({})", statement.bind(Value::Text(pair.clone()))));
    let hashes: Vec<String> = hashes.collect();
    (!hashes.is_empty()).then(|| format!("(r.pairs @> ARRAY[{}] OR r.pairs IS NULL)", hashes.join(", ")))
}

/// Whether the texts of the row contain one of the phrases, or the index finds one of the other terms.
fn is_seen(statement: &mut Statement, group: &PgGroup) -> String {
    const TEXTS: &str = "(' ' || r.fold_title || E' \\t ' || r.fold_tags || E' \\t ' || r.fold_body || ' ')";
    let other = group.other.as_ref().map(|other| format!("r.search @@ {}", tsquery(statement, other)));
    let phrases = group
        .phrases
        .iter()
        .map(|pattern| format!("{TEXTS} LIKE {}", statement.bind(Value::Text(pattern.clone()))))
        .collect::<Vec<_>>();
    other.into_iter().chain(phrases).collect::<Vec<_>>().join(" OR ")
}

fn fts5_words(statement: &mut Statement, groups: &[Group]) -> Words {
    let mut bind = |text| statement.bind(Value::Text(text));
    match query::to_fts5(groups).unwrap_or_default() {
        Fts { matching: Some(matching), excluding: Some(excluding) } => {
            Words::Fts5(bind(format!("({matching}) NOT ({excluding})")))
        }
        Fts { matching: Some(matching), excluding: None } => Words::Fts5(bind(matching)),
        Fts { matching: None, excluding: Some(excluding) } => Words::NotFts5(bind(excluding)),
        Fts { matching: None, excluding: None } => Words::None,
    }
}

/// The index terms of the filters and partitions, as groups of the query.
fn index_terms_of(search: &Search, partitions: &[String]) -> Vec<Group> {
    // The index knows no paths. A negated filter with one must not exclude the whole site.
    let narrows = |filter: &&Filter| !(filter.negated && has_path(filter));
    let filters = search
        .filters
        .iter()
        .filter(narrows)
        .filter_map(|filter| Some(any_of([index_term_of(search, filter)?], filter.negated)));
    let partitions = (!partitions.is_empty()).then(|| any_of(partitions.iter().cloned(), false));
    filters.chain(partitions).collect()
}

/// Tags and sites of a search without words, and the flags beside them. With words, they are among these already.
pub(super) fn terms_of_filters(search: &Search) -> Vec<Group> {
    if search.query.is_ranked() || !search.filters.iter().any(is_found) {
        return Vec::new();
    }
    let found = search.filters.iter().filter(|filter| is_found(filter) || is_flag(filter));
    found.filter_map(|filter| Some(any_of([index_terms::for_criterion(&filter.criterion)?], false))).collect()
}

/// A group of the query that one of the index terms meets.
fn any_of(index_terms: impl IntoIterator<Item = String>, negated: bool) -> Group {
    let term = |index_term| Term { index_terms: vec![index_term], negated, ..Term::default() };
    Group { terms: index_terms.into_iter().map(term).collect(), literal: Vec::new() }
}

/// The index term of a filter. Only a search with words has one: it reads the index anyway.
pub(super) fn index_term_of(search: &Search, filter: &Filter) -> Option<String> {
    search.query.is_ranked().then(|| index_terms::for_criterion(&filter.criterion)).flatten()
}
