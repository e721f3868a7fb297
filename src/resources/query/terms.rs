//! The terms that a word, a phrase or a pasted address stands for.

use super::super::{fold, index_terms, normal_url};
use super::{Group, Term};

/// The group of a word or phrase; `None` if it has no letter, digit or symbol, as `++`.
pub(super) fn group_of(text: &str, open_ended: bool) -> Option<Group> {
    if let Some(address) = Address::parse(text) {
        return Some(address.group(open_ended));
    }
    let signs: Vec<String> = fold::signs(text).iter().map(|sign| index_terms::sign(sign)).collect();
    match words_of(text, open_ended) {
        Some(words) => Some(Group { terms: vec![words], literal: signs }),
        None if signs.is_empty() => None,
        None => Some(Group::new(Term { index_terms: signs, ..Term::default() })),
    }
}

/// The groups that exclude a word or phrase. A word with signs (`-c++`) excludes only what has the same signs.
pub(super) fn excluded(text: &str, open_ended: bool) -> Vec<Group> {
    let Some(Group { terms, literal }) = group_of(text, open_ended) else { return Vec::new() };
    let terms = if literal.is_empty() || Address::parse(text).is_some() {
        terms
    } else {
        vec![Term { index_terms: literal, ..Term::default() }]
    };
    terms.into_iter().map(|term| Group::new(Term { negated: true, prefix: false, ..term })).collect()
}

pub(super) fn words_of(text: &str, open_ended: bool) -> Option<Term> {
    let words: Vec<String> = fold::fold(text).split_whitespace().map(str::to_owned).collect();
    // A prefix of one letter would find nearly everything.
    let long_enough = words.last()?.chars().nth(1).is_some();
    Some(Term { words, prefix: open_ended && long_enough, ..Term::default() })
}

struct Address<'a> {
    /// Without its scheme and `www.`.
    words: &'a str,
    /// Its normal form.
    key: String,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let after = |text: &str, begin: &str| {
            text.get(..begin.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(begin))
                .then_some(begin.len())
        };
        let scheme = after(text, "https://").or(after(text, "http://")).unwrap_or(0);
        let www = after(&text[scheme..], "www.").unwrap_or(0);
        let words = &text[scheme + www..];
        let host_and_path = text.split_once('/').is_some_and(|(host, _)| host.contains('.'));
        let is_address =
            (scheme + www > 0 || host_and_path) && !words.is_empty() && !text.contains(char::is_whitespace);
        let key = is_address.then(|| normal_url::parse(text).ok())??.key;
        Some(Self { words, key })
    }

    /// The link itself, and every text with its address, as typed or in its normal form.
    fn group(&self, open_ended: bool) -> Group {
        let index_term = index_terms::address(&self.key);
        let mut terms: Vec<Term> = words_of(self.words, open_ended).into_iter().collect();
        let normal = self.key.strip_prefix("https://").unwrap_or(&self.key);
        terms.extend(words_of(normal, open_ended).filter(|normal| !terms.contains(normal)));
        terms.push(Term { index_terms: vec![index_term.clone()], ..Term::default() });
        Group { terms, literal: vec![index_term] }
    }
}
