//! Signs that folding removes and that people search for all the same: `c++`, `C#`, `.net`, 🦀.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use super::tokens::is_unspaced;

/// Different signs taken from one text: a row of the index holds them all.
const MOST: usize = 200;
/// The longest word that is kept with its signs, in characters.
const LONGEST: usize = 40;

/// Pictures, arrows, mathematical and currency signs, each a word of its own. ASCII's are syntax in any text.
pub fn is_symbol(c: char) -> bool {
    use GeneralCategory::{CurrencySymbol, MathSymbol, OtherSymbol};
    !c.is_ascii()
        && !c.is_alphanumeric()
        && matches!(c.general_category(), CurrencySymbol | MathSymbol | OtherSymbol)
}

/// The signs of a text in lower case, each once: words that end in `+` or `#` or begin with one of `.` `#` `@` `$`, with
/// those signs, and every symbol.
pub fn signs(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.contains(may_be_sign) {
        let chars: Vec<char> = text.nfkc().collect();
        let mut at = 0;
        while at < chars.len() && found.len() < MOST {
            let step = sign_at(&chars, at);
            found.extend(step.sign.filter(|sign| !found.contains(sign)));
            at = step.next;
        }
    }
    found
}

fn may_be_sign(c: char) -> bool {
    !c.is_ascii() || matches!(c, '+' | '#' | '.' | '@' | '$')
}

struct Step {
    sign: Option<String>,
    /// Where the next sign may begin.
    next: usize,
}

/// The sign that begins here, if one does.
fn sign_at(chars: &[char], at: usize) -> Step {
    let is = |at: usize, test: fn(char) -> bool| chars.get(at).copied().is_some_and(test);
    if is_symbol(chars[at]) {
        // Two letters make a flag.
        let pair = is(at, is_regional) && is(at + 1, is_regional);
        let next = at + 1 + usize::from(pair);
        return Step { sign: Some(chars[at..next].iter().collect()), next };
    }
    let before = at.checked_sub(1).map(|before| chars[before]);
    let leads = matches!(chars[at], '.' | '#' | '@' | '$')
        && !before.is_some_and(|c| is_letter(c) || matches!(c, '.' | '#' | '@' | '$' | '/'))
        && is(at + 1, char::is_alphabetic);
    let word = at + usize::from(leads);
    let end = word + chars[word..].iter().take_while(|c| is_letter(**c)).count();
    if end == word {
        return Step { sign: None, next: at + 1 };
    }
    let tail = chars[end..].iter().take_while(|c| matches!(c, '+' | '#')).count();
    let trails = (1..=3).contains(&tail) && !is(end + tail, is_letter);
    let next = end + if trails { tail } else { 0 };
    let is_sign = (leads || trails) && end - word <= LONGEST;
    let sign = is_sign.then(|| chars[at..next].iter().flat_map(|c| c.to_lowercase()).collect());
    Step { sign, next }
}

/// A part of a word that is written between spaces.
fn is_letter(c: char) -> bool {
    (c.is_alphanumeric() || is_combining_mark(c) || c == '_') && !is_unspaced(c)
}

fn is_regional(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

#[cfg(test)]
mod tests {
    use super::signs;

    #[test]
    fn words_keep_the_signs_by_which_they_are_known() {
        for (text, found) in [
            ("C++, C# (and F#) on .NET", &["c++", "c#", "f#", ".net"][..]),
            ("使用C++编程 Ｃ＋＋", &["c++"]),
            ("g++: #hashtag @name $HOME .env", &["g++", "#hashtag", "@name", "$home", ".env"]),
            ("a+b c#1 asp.net node.js x...y ... a.b@c.d", &[]),
            ("https://example.org/a#b ../up ./run", &[]),
            ("C++++ #1 +1 # h", &[]),
            ("🦀 → €5 🇩🇪🇫🇷 🦀", &["🦀", "→", "€", "🇩🇪", "🇫🇷"]),
            ("👩\u{200D}💻 ❤\u{FE0F} 👍🏽", &["👩", "💻", "❤", "👍"]),
            ("plain words, only", &[]),
            ("", &[]),
        ] {
            assert_eq!(signs(text), found, "{text}");
        }
        assert!(signs(&(0..5_000).map(|n| format!("#x{n}")).collect::<Vec<_>>().join(" ")).len() == 200);
    }
}
