//! Ranks matches by Okapi BM25, the same for both engines. A word in the title weighs as much as eight in the text, a
//! word in the tags as much as four.

use super::query::{Group, Term};

/// BM25's `k1` and `b`, with their usual values: how soon repetitions stop to count, and how much long texts lose.
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.75;

/// A match to rank. Its texts are folded, with single spaces between words.
pub struct Candidate<'a> {
    /// Its row in the index.
    pub rid: i64,
    pub title: &'a str,
    pub tags: &'a str,
    pub body: &'a str,
}

/// The candidates' `rid`s, best first. Equal candidates keep their order.
pub fn best_first(candidates: &[Candidate], groups: &[Group]) -> Vec<i64> {
    let terms: Vec<&Term> =
        groups.iter().flat_map(|group| &group.terms).filter(|term| !term.negated).collect();
    let counted: Vec<Counted> = candidates.iter().map(|candidate| Counted::new(candidate, &terms)).collect();
    let weights: Vec<f64> = (0..terms.len()).map(|term| inverse_frequency(&counted, term)).collect();
    let average = counted.iter().map(|one| one.length).sum::<f64>() / number(counted.len().max(1));
    let mut ranked: Vec<(f64, i64)> = counted
        .iter()
        .zip(candidates)
        .map(|(counted, candidate)| (counted.score(&weights, average), candidate.rid))
        .collect();
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    ranked.into_iter().map(|(_, rid)| rid).collect()
}

/// The weighted count of each term in a candidate, and the number of its words.
struct Counted {
    terms: Vec<f64>,
    length: f64,
}

impl Counted {
    fn new(candidate: &Candidate, terms: &[&Term]) -> Self {
        let mut counted = Self { terms: vec![0.0; terms.len()], length: 0.0 };
        for (text, weight) in [(candidate.title, 8.0), (candidate.tags, 4.0), (candidate.body, 1.0)] {
            let words: Vec<&str> = text.split(' ').collect();
            counted.length += number(words.len());
            for (sum, term) in counted.terms.iter_mut().zip(terms) {
                *sum += weight * number(occurrences(term, &words));
            }
        }
        counted
    }

    fn score(&self, weights: &[f64], average: f64) -> f64 {
        let long = SATURATION * (1.0 - LENGTH + LENGTH * self.length / average.max(1.0));
        let each = self.terms.iter().zip(weights);
        each.map(|(count, weight)| weight * count * (SATURATION + 1.0) / (count + long)).sum()
    }
}

fn occurrences(term: &Term, words: &[&str]) -> usize {
    let Some((last, before)) = term.words.split_last() else { return 0 };
    let ends = |word: &str| if term.prefix { word.starts_with(last.as_str()) } else { word == last };
    words
        .windows(term.words.len())
        .filter(|window| {
            window.split_last().is_some_and(|(word, others)| ends(word) && others.iter().eq(before))
        })
        .count()
}

/// The inverse document frequency: a rare term says more than a common one.
fn inverse_frequency(counted: &[Counted], term: usize) -> f64 {
    let holding = number(counted.iter().filter(|one| one.terms[term] > 0.0).count());
    (1.0 + (number(counted.len()) - holding + 0.5) / (holding + 0.5)).ln()
}

#[expect(clippy::cast_precision_loss, reason = "these are small")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::query;
    use super::*;

    /// The order of candidates, given as title, tags and text, as their numbers.
    fn order(query: &str, candidates: &[(&str, &str, &str)]) -> Vec<i64> {
        let candidates: Vec<Candidate> = candidates
            .iter()
            .zip(0..)
            .map(|((title, tags, body), rid)| Candidate { rid, title, tags, body })
            .collect();
        best_first(&candidates, &query::parse(query).expect("a query").text)
    }

    #[test]
    fn titles_weigh_more_than_tags_and_tags_more_than_text() {
        let places = [("x", "y", "tide"), ("x", "tide", "y"), ("tide", "x", "y")];
        assert_eq!(order("tide ", &places), [2, 1, 0]);
    }

    #[test]
    fn more_and_denser_is_better_and_the_first_of_equals_stays_first() {
        let texts =
            [("x", "", "tide y z"), ("x", "", "tide tide z"), ("x", "", "tide y z"), ("x", "", "tide")];
        assert_eq!(order("tide ", &texts), [1, 3, 0, 2]);
    }

    #[test]
    fn the_rarer_of_two_words_weighs_more() {
        let texts = [("x", "", "sea a"), ("x", "", "sea b"), ("x", "", "tide c"), ("x", "", "sea d")];
        assert_eq!(order("sea or tide ", &texts), [2, 0, 1, 3]);
    }

    #[test]
    fn phrases_prefixes_and_words_to_leave_out_count_as_they_are_meant() {
        let texts = [("x", "", "water low"), ("x", "", "low water"), ("x", "", "low watershed")];
        assert_eq!(order("\"low water\" ", &texts), [1, 0, 2]);
        assert_eq!(order("low-water", &texts), [1, 2, 0]);
        assert_eq!(order("low -water", &texts), [0, 1, 2]);
        assert_eq!(order("low", &[]), [0; 0]);
    }
}
