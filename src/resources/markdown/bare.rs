//! Addresses that stand in a text without any marks, as people paste them.

/// A piece of text, and whether it is an address.
pub(super) type Piece<'a> = (&'a str, bool);

/// Cuts a text around the http and https addresses in it. Where one ends follows GitHub Flavored Markdown
/// § 6.9: at white space or `<`, without the punctuation of the sentence around it.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut done, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = text[at..].find("http") {
        let begin = at + found;
        at = begin + "http".len();
        let within_word = text[..begin].chars().next_back().is_some_and(char::is_alphanumeric);
        let length = if within_word { 0 } else { length(&text[begin..]) };
        if length > 0 {
            pieces.extend((done < begin).then_some((&text[done..begin], false)));
            at = begin + length;
            pieces.push((&text[begin..at], true));
            done = at;
        }
    }
    pieces.extend((done < text.len()).then_some((&text[done..], false)));
    pieces
}

/// Bytes of the address that a text begins with; 0 for none.
fn length(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || c.is_control() || c == '<').unwrap_or(text.len());
    let mut address = &text[..end];
    let mut unopened = address.matches(')').count().saturating_sub(address.matches('(').count());
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if unopened > 0 => unopened -= 1,
            '?' | '!' | '.' | ',' | ':' | ';' | '*' | '_' | '~' | '\'' | '"' | '’' | '”' | '»' => {}
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    let host = address.strip_prefix("https://").or(address.strip_prefix("http://"));
    let named = host.is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '['));
    if named { address.len() } else { 0 }
}
