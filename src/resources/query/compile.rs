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

/// Text for `to_tsquery('simple', …)`; `None` where there is nothing to look for.
#[must_use]
pub fn to_postgres(groups: &[Group]) -> Option<String> {
    joined(groups.iter().map(|group| either(&group.terms, " | ", postgres_term)), " & ")
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

fn postgres_term(term: &Term) -> String {
    let words: Vec<String> = term.words.iter().map(|word| format!("'{word}'")).collect();
    let phrase = format!("{}{}", words.join(" <-> "), if term.prefix { ":*" } else { "" });
    let not = if term.negated { "!" } else { "" };
    if term.words.len() > 1 { format!("{not}({phrase})") } else { format!("{not}{phrase}") }
}

fn fts5_term(term: &Term) -> String {
    format!("\"{}\"{}", term.words.join(" "), if term.prefix { "*" } else { "" })
}
