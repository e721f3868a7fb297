//! A search that finds nothing, in the spelling of the viewer's tags and titles.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::iter;

use super::super::fold::{self, fold};
use super::super::{TagCount, tag};

/// Shorter words are near to too many, in characters.
const SHORTEST: usize = 4;
/// From this length on, two letters may differ.
const LONG: usize = 8;
/// Each is compared with every tag and every word of the titles.
const MOST_WORDS: usize = 5;

/// What a word may mean.
struct Known<'a> {
    name: &'a str,
    folded: String,
    /// How many entries have it.
    count: i64,
}

/// The search with all words that are nearly known ones as those, then with one of them at a time.
pub fn near_misses(text: &str, tags: &[TagCount], titles: &[String]) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if text.contains('"') || words.len() > MOST_WORDS {
        return Vec::new();
    }
    let vocabulary = Vocabulary::new(tags, titles);
    let near = |(at, word): (usize, &&str)| Some((at, vocabulary.nearest(word)?));
    let near: Vec<(usize, String)> = words.iter().enumerate().filter_map(near).collect();
    let one_at_a_time = near.chunks(1).filter(|_| near.len() > 1);
    let choices = iter::once(near.as_slice()).filter(|all| !all.is_empty()).chain(one_at_a_time);
    let mended = |choice: &[(usize, String)]| {
        let mut words = words.clone();
        for (at, name) in choice {
            words[*at] = name;
        }
        words.join(" ")
    };
    choices.map(mended).collect()
}

struct Vocabulary<'a> {
    tags: Vec<Known<'a>>,
    /// The levels of the tags, and the words of the titles.
    words: Vec<Known<'a>>,
}

impl<'a> Vocabulary<'a> {
    fn new(tags: &'a [TagCount], titles: &'a [String]) -> Self {
        let names = tags.iter().filter(|tag| !tag.name.contains(char::is_whitespace));
        let whole =
            |tag: &'a TagCount| Known { name: &tag.name, folded: tag::fold(&tag.name), count: tag.count };
        let levels = tags.iter().flat_map(|tag| tag.name.split('/').map(|name| (name, tag.count)));
        let levels = levels.filter(|(name, _)| !name.contains(char::is_whitespace));
        let levels = levels.map(|(name, count)| Known { name, folded: fold(name), count });
        let mut counted: HashMap<String, (&str, i64)> = HashMap::new();
        for (name, folded) in titles.iter().flat_map(|title| fold::words(title)) {
            counted.entry(folded).or_insert((name, 0)).1 += 1;
        }
        let title_words = counted.into_iter().map(|(folded, (name, count))| Known { name, folded, count });
        Self { tags: names.map(whole).collect(), words: levels.chain(title_words).collect() }
    }

    /// A whole tag behind `tag:`, else one level of a tag or a word of a title.
    fn nearest(&self, word: &str) -> Option<String> {
        if let Some(name) = word.strip_prefix("tag:") {
            return nearest(&tag::fold(name), &self.tags).map(|name| format!("tag:{name}"));
        }
        if word.starts_with('-') || word.contains(':') {
            return None;
        }
        nearest(&fold(word), &self.words).map(str::to_owned)
    }
}

/// Of names that are as near, the most frequent; `None` where the word is a name itself.
fn nearest<'a>(word: &str, known: &[Known<'a>]) -> Option<&'a str> {
    let length = word.chars().count();
    if length < SHORTEST {
        return None;
    }
    let most = if length < LONG { 1 } else { 2 };
    let near = known
        .iter()
        .filter(|known| known.folded.chars().count().abs_diff(length) <= most)
        .map(|known| (strsim::osa_distance(&known.folded, word), Reverse(known.count), known.name))
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
            ("a b c d e lighthuses", None),
        ] {
            assert_eq!(near_misses(text, &tags, &[]).first().map(String::as_str), mended, "{text}");
        }
    }

    #[test]
    fn a_word_that_is_nearly_in_a_title_becomes_that_word() {
        let titles = ["Übersicht der Gezeiten", "Moon phases, moon-rise", "Mood of the Sea", "小説の話"];
        let titles = titles.map(str::to_owned);
        for (text, mended) in [
            ("gezieten", &["Gezeiten"][..]),
            ("phase moons", &["phases Moon", "phases moons", "phase Moon"]),
            ("ubersciht", &["Übersicht"]),
            ("Übersciht", &["Übersicht"]),
            ("moom", &["Moon"]),
            ("moom -phsaes title:phsaes", &["Moon -phsaes title:phsaes"]),
            ("ubersicht", &[]),
            ("teh sae", &[]),
            ("小説語", &[]),
        ] {
            assert_eq!(near_misses(text, &[], &titles), mended, "{text}");
        }
    }
}
