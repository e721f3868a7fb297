//! The word that is still being typed, and the longer words of the library that contain it.

use super::{Group, Query, Term};

/// The shortest part of a word that is looked for, in characters: shorter ones are in most words.
const SHORTEST: usize = 3;

impl Query {
    /// The word that is still being typed, if it can be a part of others.
    pub fn open_word(&self) -> Option<&str> {
        let terms = self.text.iter().flat_map(|group| &group.terms);
        terms.filter(|term| term.is_open_word()).map(|term| term.words[0].as_str()).next()
    }

    /// Lets these words match where the open word does.
    pub fn widen(&mut self, words: Vec<String>) {
        let Some(group) = self.text.iter_mut().find(|group| group.terms.iter().any(Term::is_open_word))
        else {
            return;
        };
        let part = |word| Term { words: vec![word], is_part: true, ..Term::default() };
        group.terms.extend(words.into_iter().map(part));
    }

    /// Its text without the words that [`Query::widen`] added.
    pub fn as_typed(&self) -> Vec<Group> {
        let mut text = self.text.clone();
        for group in &mut text {
            group.terms.retain(|term| !term.is_part);
        }
        text
    }

    /// What only the added words find; `None` if there are none.
    pub fn in_parts(&self) -> Option<Vec<Group>> {
        let mut text = Vec::new();
        for group in &self.text {
            let (parts, typed): (Vec<Term>, Vec<Term>) =
                group.terms.iter().cloned().partition(|term| term.is_part);
            if parts.is_empty() {
                text.push(group.clone());
                continue;
            }
            text.push(Group { terms: parts, literal: Vec::new() });
            text.extend(typed.into_iter().map(|term| Group::new(Term { negated: true, ..term })));
        }
        self.is_wider().then_some(text)
    }

    /// Whether [`Query::widen`] added words.
    pub fn is_wider(&self) -> bool {
        self.text.iter().flat_map(|group| &group.terms).any(|term| term.is_part)
    }
}

impl Term {
    fn is_open_word(&self) -> bool {
        let is_long_enough = |word: &String| word.chars().nth(SHORTEST - 1).is_some();
        self.prefix && !self.negated && self.words.len() == 1 && self.words.iter().all(is_long_enough)
    }
}
