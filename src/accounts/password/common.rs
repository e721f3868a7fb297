//! Passwords that are tried first. Where the list comes from stands in `common-passwords.NOTICE`.

use std::cmp::Ordering;

/// One a line, folded and in the order of their bytes.
const LIST: &[u8] = include_bytes!("common-passwords.txt");

/// Whether this password, folded, is among them: a binary search over the text as it is.
pub fn contains(folded: &str) -> bool {
    let (mut low, mut high) = (0, LIST.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = LIST[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
        let end = LIST[start..].iter().position(|byte| *byte == b'\n').map_or(LIST.len(), |at| start + at);
        match LIST[start..end].cmp(folded.as_bytes()) {
            Ordering::Equal => return true,
            Ordering::Less => low = end + 1,
            Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let list = std::str::from_utf8(LIST).unwrap();
        let lines: Vec<_> = list.lines().collect();
        assert!(lines.len() >= 3000 && lines.is_sorted());
        for line in &lines {
            assert!(contains(line) && line.chars().count() >= 12, "{line}");
            assert!(!contains(&format!("{line}\u{1}")), "{line}");
        }
        assert!(!contains("") && !contains("\u{10ffff}"));
    }
}
