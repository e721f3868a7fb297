//! Addresses in a text that was pasted: one in a sentence, or one on each line.

use std::collections::HashSet;

use super::normal_url;

/// Addresses that one paste may hold.
pub const MOST: usize = 200;

/// The addresses in the text, each once, in their order.
#[must_use]
pub fn find(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let lines = text.lines().flat_map(of_line);
    lines
        .filter(|url| normal_url::parse(url).is_ok_and(|normal| seen.insert(normal.key)))
        .take(MOST)
        .collect()
}

/// A line that is a single word is an address as people type it; among other words it needs its beginning.
fn of_line(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    let is_alone = words.len() == 1;
    let is_address = |word: &&str| {
        let lower = word.to_ascii_lowercase();
        ["https://", "http://", "www."].iter().any(|begin| lower.starts_with(begin))
            || (is_alone && word.contains('.'))
    };
    words.into_iter().filter(is_address).map(str::to_owned).collect()
}

/// A word without the signs around it. A closing bracket stays when the address has opened it.
fn bare(word: &str) -> &str {
    let mut word = word.trim_start_matches(['<', '(', '[', '{', '"', '\'', '“', '‘', '«', '*', '-', '•']);
    loop {
        let end = word.chars().next_back();
        let is_open = |open| word.matches(open).count() >= word.matches(end.unwrap_or(' ')).count();
        let goes = match end {
            Some('.' | ',' | ';' | ':' | '!' | '?' | '"' | '\'' | '>' | '”' | '’' | '»' | '*') => true,
            Some(')') => !is_open('('),
            Some(']') => !is_open('['),
            Some('}') => !is_open('{'),
            _ => false,
        };
        match end {
            Some(end) if goes => word = &word[..word.len() - end.len_utf8()],
            _ => return word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_sentences_and_lines() {
        for (text, expected) in [
            ("Look at https://tides.example/a, it is good.", &["https://tides.example/a"][..]),
            ("(see <https://tides.example/x_(y)>)", &["https://tides.example/x_(y)"]),
            (
                "tides.example\n\n  moon.example/a \n- https://tides.example",
                &["tides.example", "moon.example/a"],
            ),
            ("“www.tides.example”", &["www.tides.example"]),
            ("A title\nhttps://tides.example/?a=b,c;d", &["https://tides.example/?a=b,c;d"]),
            ("no address here. At all", &[]),
            ("e.g. this", &[]),
            ("", &[]),
        ] {
            assert_eq!(find(text), expected, "{text}");
        }
        let many: Vec<String> = (0..300).map(|n| format!("https://t{n}.example/")).collect();
        assert_eq!(find(&many.join("\n")).len(), MOST);
    }
}
