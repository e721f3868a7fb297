//! What a new password must be: long, and hard to guess for an attacker who knows the user and the site.
//! No rule asks for kinds of characters (NIST SP 800-63B § 3.1.1.2).

use unicode_normalization::UnicodeNormalization as _;

use super::common;

const SHORTEST: usize = 12;
const LONGEST: usize = 256;
/// zxcvbn's time grows with the square of the length, and so many characters already decide.
const JUDGED: usize = 64;
/// zxcvbn's "safely unguessable: moderate protection from offline slow-hash scenario".
const STRONG: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// 0 to 4, as zxcvbn counts; a password below 3 is refused.
    pub score: u8,
    pub problem: Option<&'static str>,
}

/// NFKC, so that a password typed on another keyboard is the same password; `None` when it is too long to be one.
pub fn normal(password: &str) -> Option<String> {
    // Composition shortens a text, at most to a quarter for what people write.
    if password.chars().nth(4 * LONGEST).is_some() {
        return None;
    }
    let normal: String = password.nfkc().collect();
    (normal.chars().count() <= LONGEST).then_some(normal)
}

/// Judges a new password; `words` are those that an attacker would try: names, addresses, the site.
pub fn judge(password: &str, words: &[&str]) -> Judged {
    let refused = |score: u8, problem| Judged { score: score.min(STRONG - 1), problem: Some(problem) };
    let Some(normal) = normal(password) else { return refused(2, "Use at most 256 characters.") };
    let score = score(&normal, words);
    let folded = normal.to_lowercase();
    if normal.contains('\0') {
        refused(score, "A password can’t contain a null character.")
    } else if normal.chars().count() < SHORTEST {
        refused(score, "Use at least 12 characters. Three or four unrelated words work well.")
    } else if is_made_of(&folded, words) {
        refused(
            0,
            "This password is too easy to guess. Don’t base it on your name, your email or the name of this site.",
        )
    } else if common::contains(&folded) {
        refused(0, "This password is too common. Choose a different one.")
    } else if score < STRONG {
        refused(score, "This password is too easy to guess. Add a word or two unrelated to the rest.")
    } else {
        Judged { score, problem: None }
    }
}

fn score(normal: &str, words: &[&str]) -> u8 {
    let judged: String = normal.chars().take(JUDGED).collect();
    u8::from(zxcvbn::zxcvbn(&judged, words).score())
}

/// Whether next to nothing is left without the words.
fn is_made_of(folded: &str, words: &[&str]) -> bool {
    let mut rest = folded.to_owned();
    for word in words.iter().filter(|word| word.chars().count() > 3) {
        rest = rest.replace(&word.to_lowercase(), "");
    }
    rest.chars().count() < 6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        judge(password, &["ada@example.org", "ada-lovelace", "coffer", "links.example.org"]).problem.is_some()
    }

    #[test]
    fn length_counts_after_normalisation_and_composition_is_free() {
        assert!(!refused("žluťoučký kůň pěl"));
        assert!(!refused("quiet harbour at nine"));
        assert!(refused("elevenchars"));
        assert!(refused(&"e\u{301}".repeat(11)), "eleven letters, however they were typed");
        assert!(refused(&"x".repeat(257)));
        let long: String = ('a'..='z').cycle().step_by(7).take(256).collect();
        assert!(normal(&long).is_some() && normal(&format!("{long}x")).is_none());
        assert!(normal(&"e\u{301}".repeat(256)).is_some());
        assert!(normal(&"\u{301}".repeat(2 << 20)).is_none());
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for bad in [
            "ada@example.org", "Ada-Lovelace1", "coffercoffercoffer", "links.example.org",
            "passwordpassword", "QWERTYUIOP123", "1q2w3e4r5t6y", "aaaaaaaaaaaaaaaa", "with\0nul with nul",
        ] {
            assert!(refused(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_score_that_is_too_low_never_looks_good() {
        assert!(judge("1q2w3e4r5t6y", &[]).score < STRONG);
        assert!(judge("quiet harbour at nine", &[]).score >= STRONG);
    }
}
