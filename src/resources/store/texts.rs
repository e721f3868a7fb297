//! Words looked for in the texts of a row, without the index of words.

use super::criteria::{Statement, conditions};
use super::sizes::Size;
use crate::db::{Db, Value};
use crate::identity::Viewer;
use crate::resources::listing::Search;
use crate::resources::query::like;

const MOST_WORDS: usize = 10;

/// The whole search as a condition on `resources r`; `None` as for [`in_texts`].
pub fn matches_row(statement: &mut Statement, db: &Db, viewer: &Viewer, search: &Search) -> Option<String> {
    let in_texts = in_texts(statement, search)?;
    let each_row = search.filters.iter().map(|filter| (filter, Size::EachRow));
    let filters = conditions(statement, &db.read(), each_row);
    Some(format!("{}{filters}{in_texts}", search.partition.condition(viewer)))
}

/// A condition on `resources r` that begins with `AND`; empty without words. `None` where signs are looked for too, which only
/// the index knows, or too many words.
pub fn in_texts(statement: &mut Statement, search: &Search) -> Option<String> {
    const TEXTS: &str = "' ' || t.fold_title || ' \t ' || t.fold_tags || ' \t ' || t.fold_body || ' '";
    let text = &search.query.text;
    let terms = text.iter().flat_map(|group| &group.terms);
    if terms.clone().count() > MOST_WORDS || terms.clone().any(|term| term.words.is_empty()) {
        return None;
    }
    let groups = text.iter().map(|group| {
        let patterns = group.terms.iter().map(|term| {
            let not = if term.negated { "NOT " } else { "" };
            format!("{TEXTS} {not}LIKE {}", statement.bind(Value::Text(like(term))))
        });
        format!("({})", patterns.collect::<Vec<_>>().join(" OR "))
    });
    let all = groups.collect::<Vec<_>>().join(" AND ");
    let exists = format!(" AND EXISTS (SELECT 1 FROM resources t WHERE t.rid = r.rid AND {all})");
    Some(if text.is_empty() { String::new() } else { exists })
}
