//! Tags in one text: as a list of JSON or Python, or separated by signs.

use netscape_bookmarks::is_comma;

/// At commas or bars, and where `is_spaced` at spaces, unless it is a list with brackets.
pub fn split(text: &str, is_spaced: bool) -> Vec<String> {
    let list = serde_json::from_str::<Vec<String>>(text).ok().or_else(|| python_list(text));
    list.unwrap_or_else(|| {
        let parts = text.split(|c| is_comma(c) || c == '|' || is_spaced && c == ' ');
        parts.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    })
}

/// A list of texts as Python writes it: `['rust', "it's"]`.
fn python_list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (item, after) = quoted(&rest[1..], quote)?;
        items.push(item);
        let after = after.trim_start();
        rest = if after.is_empty() { after } else { after.strip_prefix(',')?.trim_start() };
    }
    Some(items)
}

/// The text up to this quote, and what follows it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let (mut item, mut chars) = (String::new(), text.chars());
    loop {
        match chars.next()? {
            '\\' => item.push(chars.next()?),
            c if c == quote => return Some((item, chars.as_str())),
            c => item.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn lists_of_json_and_of_python_and_separated_tags() {
        for (text, tags) in [
            (r#"["rust","a b"]"#, "rust|a b"),
            ("['rust', 'a b']", "rust|a b"),
            ("['shortlisted']", "shortlisted"),
            (r#"['a, b', "it's", 'say \'no\'']"#, "a, b|it's|say 'no'"),
            ("[]", ""),
            ("[ ]", ""),
            ("sea, north sea", "sea|north sea"),
            ("sea|moon", "sea|moon"),
            ("['half", "['half"),
            ("[x]", "[x]"),
        ] {
            assert_eq!(split(text, false).join("|"), tags, "{text}");
        }
        assert_eq!(split("sea moon", true), ["sea", "moon"]);
    }
}
