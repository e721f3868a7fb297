//! Compiles a query for the two full-text engines. Folded words have only letters, digits and combining marks, so no
//! word can contain syntax.

use super::{Group, Term};

/// FTS5 has no unary NOT, hence two texts:
/// `rowid IN (… MATCH matching) AND rowid NOT IN (… MATCH excluding)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fts {
    pub matching: Option<String>,
    pub excluding: Option<String>,
}

/// A group for PostgreSQL. Its index keeps at most 255 positions of a word, and none beyond the 16,383rd. So it finds only
/// the words of a phrase; the texts of the row tell whether they are in sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgGroup {
    /// For `to_tsquery('simple', …)`.
    pub words: Option<String>,
    /// For a cast to `tsquery`, which takes them as they are. Either these or the words must match.
    pub index_terms: Option<String>,
    /// The texts must match one of these, or [`PgGroup::other`] must match; empty when the index is enough.
    pub phrases: Vec<String>,
    /// Each two words in a row of the only phrase; empty if something else may match instead.
    pub pairs: Vec<String>,
    /// The terms that are not phrases.
    pub other: Option<Box<PgGroup>>,
    pub negated: bool,
}

pub fn to_postgres(group: &Group) -> PgGroup {
    let is_phrase = |term: &&Term| term.words.len() > 1;
    let phrases: Vec<String> = group.terms.iter().filter(is_phrase).map(like).collect();
    let other: Vec<Term> = group.terms.iter().filter(|term| !is_phrase(term)).cloned().collect();
    let all = |write: fn(&Term) -> Option<String>| alternatives(group.terms.iter().filter_map(write));
    PgGroup {
        pairs: if let [only] = group.terms.as_slice() { pairs(only) } else { Vec::new() },
        words: all(postgres_words),
        index_terms: all(postgres_index_terms),
        other: (!phrases.is_empty() && !other.is_empty())
            .then(|| Box::new(to_postgres(&Group { terms: other, literal: Vec::new() }))),
        phrases,
        negated: group.terms.iter().any(|term| term.negated),
    }
}

fn alternatives(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    match parts.len() {
        0 => None,
        1 => parts.into_iter().next(),
        _ => Some(format!("({})", parts.join(" | "))),
    }
}

fn postgres_words(term: &Term) -> Option<String> {
    let words: Vec<String> = term.words.iter().map(|word| format!("'{word}'")).collect();
    let text = format!("{}{}", words.join(" & "), if term.prefix { ":*" } else { "" });
    (!words.is_empty()).then(|| if words.len() > 1 { format!("({text})") } else { text })
}

fn postgres_index_terms(term: &Term) -> Option<String> {
    let index_terms: Vec<String> = term.index_terms.iter().map(|term| format!("'{term}'")).collect();
    (!index_terms.is_empty()).then(|| {
        if index_terms.len() > 1 { format!("({})", index_terms.join(" & ")) } else { index_terms.concat() }
    })
}

/// A word that is still being typed makes no pair.
fn pairs(term: &Term) -> Vec<String> {
    let complete = term.words.len() - usize::from(term.prefix && !term.words.is_empty());
    term.words[..complete].windows(2).map(|pair| pair.join(" ")).collect()
}

/// A pattern of LIKE for folded texts with spaces around them; no word holds `%`, `_` or `\`.
pub fn like(term: &Term) -> String {
    format!("% {}{}%", term.words.join(" "), if term.prefix { "" } else { " " })
}

/// Texts for FTS5's `MATCH`; `None` where there is nothing to look for.
pub fn to_fts5(groups: &[Group]) -> Option<Fts> {
    let (negative, positive): (Vec<_>, Vec<_>) =
        groups.iter().partition(|group| group.terms.iter().any(|term| term.negated));
    let fts = Fts {
        matching: joined(positive.iter().map(|group| either(&group.terms, " OR ", fts5_term)), " AND "),
        excluding: joined(negative.iter().flat_map(|group| &group.terms).map(fts5_term), " OR "),
    };
    (fts != Fts::default()).then_some(fts)
}

fn joined(parts: impl Iterator<Item = String>, operator: &str) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(operator))
}

fn either(terms: &[Term], operator: &str, write: fn(&Term) -> String) -> String {
    match terms {
        [term] => write(term),
        terms => format!("({})", terms.iter().map(write).collect::<Vec<_>>().join(operator)),
    }
}

fn fts5_term(term: &Term) -> String {
    let index_terms: Vec<String> = term.index_terms.iter().map(|term| format!("\"{term}\"")).collect();
    match index_terms.as_slice() {
        [] => format!("\"{}\"{}", term.words.join(" "), if term.prefix { "*" } else { "" }),
        [term] => term.clone(),
        index_terms => format!("({})", index_terms.join(" AND ")),
    }
}
