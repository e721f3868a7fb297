//! Marks: words of the search index that say who may see a resource and which filters it meets, so that one
//! match answers all of it. Each begins with a character that folding leaves nowhere: nobody can type a mark.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::draft::Checked;
use super::query::Criterion;
use super::tag::TagName;
use super::{Kind, Visibility, fold};

/// For private use: a letter to the engines' tokenizers, and to `fold` none.
const SIGN: char = '\u{E000}';

/// All marks of a resource, separated by spaces.
#[must_use]
pub fn of(owner: Uuid, checked: &Checked) -> String {
    let mut marks = vec![owned(owner), visibility(checked.visibility), kind(checked.kind)];
    marks.extend(checked.pinned.then(pinned));
    marks.extend(checked.tags.iter().flat_map(|tag| beginnings(&tag.folded, '/').map(self::tag)));
    marks.extend(checked.url.iter().flat_map(|url| beginnings(&url.site, '.').map(site)));
    marks.extend(checked.url.iter().map(|url| address(&url.key)));
    marks.extend(checked.signs.iter().map(|text| sign(text)));
    marks.sort();
    marks.dedup();
    marks.join(" ")
}

/// The marks of a resource that gets more tags.
#[must_use]
pub fn with_tags(marks: &str, added: &[TagName]) -> String {
    let mut marks: Vec<String> = marks.split(' ').map(str::to_owned).collect();
    marks.extend(added.iter().flat_map(|tag| beginnings(&tag.folded, '/').map(self::tag)));
    let names: Vec<&str> = added.iter().map(|tag| tag.name.as_str()).collect();
    marks.extend(fold::signs(&names.join(" ")).iter().map(|text| sign(text)));
    marks.sort();
    marks.dedup();
    marks.join(" ")
}

/// What those resources have that meet the criterion, and no others apart from a site's other paths; `None` where no mark
/// says so.
#[must_use]
pub fn for_criterion(criterion: &Criterion) -> Option<String> {
    match criterion {
        Criterion::Tag(folded) => Some(tag(folded)),
        Criterion::Site { site: name, .. } => Some(site(name)),
        Criterion::Kind(which) => Some(kind(*which)),
        Criterion::Pinned => Some(pinned()),
        Criterion::Visibility(which) => Some(visibility(*which)),
        Criterion::By(_) | Criterion::Before(_) | Criterion::After(_) => None,
    }
}

pub(super) fn owned(by: Uuid) -> String {
    format!("{SIGN}o{}", by.simple())
}

pub(super) fn visibility(visibility: Visibility) -> String {
    format!("{SIGN}v{}", visibility.as_str())
}

fn kind(kind: Kind) -> String {
    format!("{SIGN}k{}", kind.as_str())
}

fn pinned() -> String {
    format!("{SIGN}p")
}

fn tag(folded: &str) -> String {
    hashed('t', folded)
}

fn site(name: &str) -> String {
    hashed('s', name)
}

/// Of the link that has this normal form ([`super::normal_url::NormalUrl::key`]).
#[must_use]
pub fn address(key: &str) -> String {
    hashed('u', key)
}

/// Of what holds this sign ([`super::fold::signs`]).
#[must_use]
pub fn sign(text: &str) -> String {
    hashed('g', text)
}

/// A short word of letters and digits, whatever the text holds; 80 bits, so that no two texts share one.
fn hashed(what: char, text: &str) -> String {
    let mut mark = format!("{SIGN}{what}");
    for byte in &Sha256::digest(text.as_bytes())[..10] {
        let _ = write!(mark, "{byte:02x}");
    }
    mark
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
    fn everything_that_can_be_filtered_by_is_marked() {
        let draft = Draft {
            url: Some("https://www.example.org/x".into()),
            title: "x".into(),
            tags: vec!["Sea/Deep water".into()],
            visibility: Visibility::Members,
            pinned: true,
            ..Draft::default()
        };
        let marks = of(Uuid::nil(), &draft.check().expect("a draft"));
        let has = |text: &str| {
            let query = query::parse(text).expect("a query");
            let mark = for_criterion(&query.filters[0].criterion).expect("a mark");
            marks.split(' ').any(|known| known == mark)
        };
        for met in
            ["tag:sea", "tag:\"sea/deep water\"", "site:example.org", "site:org", "kind:link", "is:pinned"]
        {
            assert!(has(met), "{met}");
        }
        for unmet in ["tag:se", "tag:\"deep water\"", "site:ample.org", "kind:note", "visibility:public"] {
            assert!(!has(unmet), "{unmet}");
        }
    }

    #[test]
    fn more_tags_make_the_marks_that_all_at_once_would() {
        let draft = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            Draft { title: "x".into(), body: "x".into(), tags, ..Draft::default() }.check().expect("a draft")
        };
        let (some, all) = (draft(&["sea/tides"]), draft(&["sea/tides", "sea/deep", "C++"]));
        assert_eq!(with_tags(&of(Uuid::nil(), &some), &all.tags[1..]), of(Uuid::nil(), &all));
    }

    #[test]
    fn nobody_can_type_a_mark() {
        let public = visibility(Visibility::Public);
        assert_eq!(fold::fold(&public), "vpublic");
        for text in [public.clone(), format!("\"{public}\""), format!("a{public}"), format!("-{public}")] {
            let query = query::parse(&text).expect("a query");
            assert!(query.text.iter().all(|group| group.literal.is_empty()));
            let mut words = query.text.iter().flat_map(|group| &group.terms).flat_map(|term| &term.words);
            assert!(words.all(|word| !word.contains(SIGN)), "{text:?}");
        }
    }
}
