//! A query's words in the languages of the two full-text engines. Folding has left letters, digits
//! and marks only, so nothing in a word can be syntax.

use super::{Group, Term};

/// FTS5 has no unary NOT, hence two texts:
/// `rowid IN (… MATCH matching) AND rowid NOT IN (… MATCH excluding)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fts {
    pub matching: Option<String>,
    pub excluding: Option<String>,
}

/// A part of a query in PostgreSQL's language. Its index keeps no more than 255 places of a word, and none beyond the
/// 16,383rd, so it is asked for the words of a phrase alone; where they stand is seen in the row's texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgGroup {
    /// For `to_tsquery('simple', …)`.
    pub words: Option<String>,
    /// For a cast to `tsquery`: marks are taken as they are. With words, either will do.
    pub marks: Option<String>,
    /// The texts must match one of these, or [`PgGroup::other`] hold; empty when the index says it all.
    pub phrases: Vec<String>,
    /// The terms that are no phrase.
    pub other: Option<Box<PgGroup>>,
    pub negated: bool,
}

#[must_use]
pub fn to_postgres(group: &Group) -> PgGroup {
    let is_phrase = |term: &&Term| term.words.len() > 1;
    let phrases: Vec<String> = group.terms.iter().filter(is_phrase).map(like).collect();
    let other: Vec<Term> = group.terms.iter().filter(|term| !is_phrase(term)).cloned().collect();
    let of = |write: fn(&Term) -> Option<String>| alternatives(group.terms.iter().filter_map(write));
    PgGroup {
        words: of(postgres_words),
        marks: of(postgres_marks),
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

fn postgres_marks(term: &Term) -> Option<String> {
    let marks: Vec<String> = term.marks.iter().map(|mark| format!("'{mark}'")).collect();
    (!marks.is_empty())
        .then(|| if marks.len() > 1 { format!("({})", marks.join(" & ")) } else { marks.concat() })
}

/// A pattern of LIKE for folded texts with spaces around them; no word holds `%`, `_` or `\`.
fn like(term: &Term) -> String {
    format!("% {}{}%", term.words.join(" "), if term.prefix { "" } else { " " })
}

/// Texts for FTS5's `MATCH`; `None` where there is nothing to look for.
#[must_use]
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
    let marks: Vec<String> = term.marks.iter().map(|mark| format!("\"{mark}\"")).collect();
    match marks.as_slice() {
        [] => format!("\"{}\"{}", term.words.join(" "), if term.prefix { "*" } else { "" }),
        [mark] => mark.clone(),
        marks => format!("({})", marks.join(" AND ")),
    }
}
