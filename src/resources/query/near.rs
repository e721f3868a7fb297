//! A search that finds nothing, in the spelling of the viewer's tags.

use std::cmp::Reverse;

use super::super::{TagCount, tag};

/// Shorter words are near to too many, in characters.
const SHORTEST: usize = 4;
/// From this length on, two letters may differ.
const LONG: usize = 8;
/// Each is compared with every tag.
const MOST_WORDS: usize = 3;

/// What a word may mean, and how many entries have it.
struct Known<'a> {
    name: &'a str,
    count: i64,
}

/// The search with each word that is nearly a tag as that tag; `None` where no word is.
pub fn nearest_tags(text: &str, tags: &[TagCount]) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if text.contains('"') || words.len() > MOST_WORDS {
        return None;
    }
    let mended = words.iter().map(|word| mend(word, tags).unwrap_or_else(|| (*word).to_owned()));
    let mended = mended.collect::<Vec<_>>().join(" ");
    (mended != words.join(" ")).then_some(mended)
}

/// A whole tag behind `tag:`, else one level of a tag.
fn mend(word: &str, tags: &[TagCount]) -> Option<String> {
    if let Some(name) = word.strip_prefix("tag:") {
        let names = tags.iter().map(|tag| Known { name: &tag.name, count: tag.count });
        return nearest(name, names).map(|name| format!("tag:{name}"));
    }
    if word.starts_with('-') || word.contains(':') {
        return None;
    }
    let levels = tags.iter().flat_map(|tag| tag.name.split('/').map(|name| Known { name, count: tag.count }));
    nearest(word, levels).map(str::to_owned)
}

/// Of names that are as near, the most frequent; `None` where the word is a name itself.
fn nearest<'a>(word: &str, known: impl Iterator<Item = Known<'a>>) -> Option<&'a str> {
    let word = tag::fold(word);
    let length = word.chars().count();
    if length < SHORTEST {
        return None;
    }
    let most = if length < LONG { 1 } else { 2 };
    let is_as_long = |name: &str| name.chars().count().abs_diff(length) <= most;
    let near = known
        .filter(|known| is_as_long(known.name) && !known.name.contains(char::is_whitespace))
        .map(|known| (strsim::osa_distance(&tag::fold(known.name), &word), Reverse(known.count), known.name))
        .filter(|(distance, ..)| *distance <= most);
    near.min().filter(|(distance, ..)| *distance > 0).map(|(.., name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_nearly_a_tag_becomes_that_tag() {
        let tags = [("Lighthouses", 3), ("work/rust", 2), ("work/trust", 9), ("sea", 5), ("tide tables", 7)];
        let tags = tags.map(|(name, count)| TagCount { name: name.to_owned(), count });
        for (text, mended) in [
            ("lihgthouse", Some("Lighthouses")),
            ("LIGHTHOUSES", None),
            ("old  lighthuses", Some("old Lighthouses")),
            ("tag:work/rsut", Some("tag:work/rust")),
            ("tag:work/rust", None),
            ("rustt", Some("rust")),
            ("crust", Some("trust")),
            ("work", None),
            ("sae", None),
            ("-lighthuses", None),
            ("\"lighthuses\"", None),
            ("site:lighthuses", None),
            ("tables", None),
            ("a b c lighthuses", None),
        ] {
            assert_eq!(nearest_tags(text, &tags).as_deref(), mended, "{text}");
        }
    }
}
