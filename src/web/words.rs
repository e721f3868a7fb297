//! What a parser found wrong with a body, in words for the author of the client.

/// What serde calls a type, and what it is in JSON.
const TYPES: [(&str, &str); 10] = [
    ("a sequence", "a list"),
    ("a boolean", "true or false"),
    ("a map", "an object"),
    ("struct", "an object"),
    ("map with a single key", "an object"),
    ("u32", "a whole number"),
    ("i64", "a whole number"),
    ("a UUID string", "a UUID"),
    ("a formatted UUID string", "a UUID"),
    ("string or map", "one of the names in the reference"),
];

/// A sentence about the value that a field has, or about a field that is none; an empty name is the body.
#[must_use]
pub fn sentence(field: &str, text: &str) -> String {
    let end = text.rfind(" at line ").unwrap_or(text.len());
    let text = &text[..end];
    let name = if field.is_empty() { "The body" } else { field };
    if let Some((_, wanted)) = text.split_once(", expected ").filter(|_| text.starts_with("invalid ")) {
        let known = TYPES.iter().find(|(serde, _)| wanted.starts_with(serde));
        return format!("{name} must be {}.", known.map_or(wanted, |(_, json)| json));
    }
    if text.starts_with("UUID parsing failed") {
        return format!("{name} must be a UUID.");
    }
    if let Some(rest) = text.strip_prefix("unknown field ") {
        let (unknown, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let known = known.trim_start_matches("one of ");
        let listed = if known.is_empty() { String::new() } else { format!(" Known fields: {known}.") };
        return format!("Unknown field {unknown}.{listed}");
    }
    if let Some(rest) = text.strip_prefix("unknown variant ") {
        let known = rest.split_once(", expected ").map_or("", |(_, known)| known);
        return format!("{name} must be one of {}.", known.trim_start_matches("one of "));
    }
    if let Some(missing) = text.strip_prefix("missing field ") {
        return format!("The field {missing} is missing.");
    }
    if let Some(twice) = text.strip_prefix("duplicate field ") {
        return format!("The field {twice} is there twice.");
    }
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text + "."
}

/// The field that the parser misses, if that is what it says.
#[must_use]
pub fn missing(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.split('`').next()
}

/// The same about a query string or a form.
#[must_use]
pub fn parameter(name: &str, text: &str) -> String {
    sentence(name, text).replacen("The field ", "The parameter ", 1)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what can't be read is looked at")]
    struct Sample {
        tags: Vec<String>,
        pinned: Option<bool>,
        kind: Option<Kind>,
        days: Option<u32>,
        id: Option<uuid::Uuid>,
        at: Option<crate::timestamp::Timestamp>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Link,
        Note,
    }

    #[test]
    fn no_parser_is_heard() {
        for (body, field, said) in [
            (r#"{"tags":"sea"}"#, "tags", "tags must be a list."),
            (r#"{"tags":[1]}"#, "tags[0]", "tags[0] must be a string."),
            (r#"{"tags":[],"pinned":"yes"}"#, "pinned", "pinned must be true or false."),
            (r#"{"tags":[],"days":-1}"#, "days", "days must be a whole number."),
            (r#"{"tags":[],"kind":"photo"}"#, "kind", "kind must be one of `link` or `note`."),
            (r"{}", "tags", "The field `tags` is missing."),
            (r#"{"tags":[],"tags":[]}"#, "", "The field `tags` is there twice."),
            (r#"{"tags":[],"id":"abc"}"#, "id", "id must be a UUID."),
            (r#"{"tags":[],"id":5}"#, "id", "id must be a UUID."),
            (r#"{"tags":[],"at":"yesterday"}"#, "at", "at must be a time such as 2026-11-28T14:05:00Z."),
            (
                r#"{"tag":[]}"#,
                "tag",
                "Unknown field `tag`. Known fields: `tags`, `pinned`, `kind`, `days`, `id`, `at`.",
            ),
            ("3", "", "The body must be an object."),
        ] {
            let error = serde_json::from_str::<Sample>(body).expect_err(body);
            assert_eq!(sentence(field, &error.to_string()), said, "{body}");
        }
    }
}
