//! Index terms: words of the search index that say who may see a resource and which filters it meets, so that one
//! match answers all of it. Each begins with a character that folding removes, so no query can contain one.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::draft::Checked;
use super::query::Criterion;
use super::tag::TagName;
use super::{Kind, Visibility, fold};

/// A private-use character: a letter for the engines' tokenizers, but not for `fold`.
const PREFIX: char = '\u{E000}';

/// All index terms of a resource, separated by spaces.
pub fn of_resource(owner: Uuid, checked: &Checked) -> String {
    let mut index_terms = vec![owned(owner), visibility(checked.visibility), kind(checked.kind)];
    index_terms.extend(checked.pinned.then(pinned));
    index_terms.extend(checked.unread.then(unread));
    index_terms.extend(checked.tags.iter().flat_map(|tag| beginnings(&tag.folded, '/').map(self::tag)));
    index_terms.extend(checked.url.iter().flat_map(|url| beginnings(&url.site, '.').map(site)));
    index_terms.extend(checked.url.iter().map(|url| address(&url.key)));
    index_terms.extend(checked.derived.signs.iter().map(|text| sign(text)));
    index_terms.sort();
    index_terms.dedup();
    index_terms.join(" ")
}

/// The index terms of a resource that gets more tags.
pub fn with_tags(index_terms: &str, added: &[TagName]) -> String {
    let mut index_terms: Vec<String> = index_terms.split(' ').map(str::to_owned).collect();
    index_terms.extend(added.iter().flat_map(|tag| beginnings(&tag.folded, '/').map(self::tag)));
    let names: Vec<&str> = added.iter().map(|tag| tag.name.as_str()).collect();
    index_terms.extend(fold::signs(&names.join(" ")).iter().map(|text| sign(text)));
    index_terms.sort();
    index_terms.dedup();
    index_terms.join(" ")
}

/// The term that a resource has if and only if it meets the criterion; `None` where the index can't tell. The term of a
/// site leaves its path out.
pub fn for_criterion(criterion: &Criterion) -> Option<String> {
    match criterion {
        Criterion::Tag(folded) => Some(tag(folded)),
        Criterion::Site { site: name, .. } => Some(site(name)),
        Criterion::Kind(which) => Some(kind(*which)),
        Criterion::Pinned => Some(pinned()),
        Criterion::Unread => Some(unread()),
        Criterion::Visibility(which) => Some(visibility(*which)),
        Criterion::Owner(id) => Some(owned(*id)),
        Criterion::By(_)
        | Criterion::Mine
        | Criterion::Url(_)
        | Criterion::Title(_)
        | Criterion::HasNotes
        | Criterion::Untagged
        | Criterion::Broken
        | Criterion::Before(_)
        | Criterion::After(_)
        | Criterion::CreatedAfter(_)
        | Criterion::ChangedAfter(_)
        | Criterion::Entry(_) => None,
    }
}

pub(super) fn owned(by: Uuid) -> String {
    format!("{PREFIX}o{}", by.simple())
}

pub(super) fn visibility(visibility: Visibility) -> String {
    format!("{PREFIX}v{}", visibility.as_str())
}

fn kind(kind: Kind) -> String {
    format!("{PREFIX}k{}", kind.as_str())
}

fn pinned() -> String {
    format!("{PREFIX}p")
}

fn unread() -> String {
    format!("{PREFIX}r")
}

fn tag(folded: &str) -> String {
    hashed('t', folded)
}

fn site(name: &str) -> String {
    hashed('s', name)
}

/// The term of a link with this normal form ([`super::normal_url::NormalUrl::key`]).
pub fn address(key: &str) -> String {
    hashed('u', key)
}

/// The term of a text that contains this sign ([`super::fold::signs`]).
pub fn sign(text: &str) -> String {
    hashed('g', text)
}

/// A short word of letters and digits for any text; 80 bits, so that no two texts share one.
fn hashed(what: char, text: &str) -> String {
    let mut term = format!("{PREFIX}{what}");
    for byte in &Sha256::digest(text.as_bytes())[..10] {
        let _ = write!(term, "{byte:02x}");
    }
    term
}

/// `a`, `a/b` and `a/b/c` of `a/b/c`.
fn beginnings(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.match_indices(separator).map(|(at, _)| &text[..at]).chain([text])
}

#[cfg(test)]
mod tests {
    use super::super::{Draft, fold, query};
    use super::*;

    #[test]
    fn every_filter_has_its_index_term() {
        let draft = Draft {
            url: Some("https://www.example.org/x".into()),
            title: "x".into(),
            tags: vec!["Sea/Deep water".into()],
            visibility: Visibility::Members,
            pinned: true,
            unread: true,
            ..Draft::default()
        };
        let index_terms = of_resource(Uuid::nil(), &draft.check().expect("a draft"));
        let has = |text: &str| {
            let query = query::parse(text).expect("a query");
            let term = for_criterion(&query.filters[0].criterion).expect("a term");
            index_terms.split(' ').any(|known| known == term)
        };
        for met in [
            "tag:sea", "tag:\"sea/deep water\"", "site:example.org", "site:org", "kind:link", "is:pinned",
            "is:unread",
        ] {
            assert!(has(met), "{met}");
        }
        for unmet in ["tag:se", "tag:\"deep water\"", "site:ample.org", "kind:note", "visibility:public"] {
            assert!(!has(unmet), "{unmet}");
        }
    }

    #[test]
    fn tags_added_later_make_the_terms_that_all_at_once_would() {
        let draft = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            Draft { title: "x".into(), body: "x".into(), tags, ..Draft::default() }.check().expect("a draft")
        };
        let (some, all) = (draft(&["sea/tides"]), draft(&["sea/tides", "sea/deep", "C++"]));
        assert_eq!(
            with_tags(&of_resource(Uuid::nil(), &some), &all.tags[1..]),
            of_resource(Uuid::nil(), &all)
        );
    }

    #[test]
    fn no_query_contains_an_index_term() {
        let public = visibility(Visibility::Public);
        assert_eq!(fold::fold(&public), "vpublic");
        for text in [public.clone(), format!("\"{public}\""), format!("a{public}"), format!("-{public}")] {
            let query = query::parse(&text).expect("a query");
            assert!(query.text.iter().all(|group| group.literal.is_empty()));
            let mut words = query.text.iter().flat_map(|group| &group.terms).flat_map(|term| &term.words);
            assert!(words.all(|word| !word.contains(PREFIX)), "{text:?}");
        }
    }
}
