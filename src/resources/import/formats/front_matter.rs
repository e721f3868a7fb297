//! The properties at the beginning of a Markdown file: the part of YAML that programs write there.

use serde_json::Value;

/// A property: its name, and a text or a list of texts.
pub struct Field {
    pub name: String,
    pub value: Value,
}

/// The properties, and the text behind them and one blank line. Without properties, the whole text.
pub fn split(text: &str) -> (Vec<Field>, &str) {
    let Some(rest) = text.strip_prefix("---").and_then(after_line) else { return (Vec::new(), text) };
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            let body = &rest[end + line.len()..];
            return (
                fields(&rest[..end]),
                body.strip_prefix("\r\n").or(body.strip_prefix('\n')).unwrap_or(body),
            );
        }
        end += line.len();
    }
    (Vec::new(), text)
}

/// What follows a line that has nothing else.
fn after_line(rest: &str) -> Option<&str> {
    rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))
}

fn fields(text: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for line in text.lines() {
        let inner = line.trim_start();
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        match (inner.strip_prefix("- "), fields.last_mut()) {
            (Some(item), Some(list)) => add(&mut list.value, item),
            _ if inner.len() < line.len() => {}
            _ => {
                fields.extend(line.split_once(':').map(|(name, value)| Field {
                    name: name.trim().to_lowercase(),
                    value: parse(value.trim()),
                }));
            }
        }
    }
    fields
}

/// One more line of a list.
fn add(list: &mut Value, item: &str) {
    let item = Value::String(scalar(item.trim()));
    match list {
        Value::Array(items) => items.push(item),
        list => *list = Value::Array(vec![item]),
    }
}

fn parse(text: &str) -> Value {
    match text.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
        Some(inside) => Value::Array(items(inside).into_iter().map(Value::String).collect()),
        None if text.is_empty() => Value::Null,
        None => Value::String(scalar(text)),
    }
}

/// Cut at the commas that are not within quotes.
fn items(text: &str) -> Vec<String> {
    let (mut items, mut from, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') => escaped = !escaped,
            (Some(open), c) if c == open && !escaped => quote = None,
            (None, '"' | '\'') if text[from..at].trim().is_empty() => quote = Some(c),
            (None, ',') => {
                items.push(scalar(text[from..at].trim()));
                from = at + 1;
            }
            _ => escaped = false,
        }
    }
    items.push(scalar(text[from..].trim()));
    items.retain(|item| !item.is_empty());
    items
}

/// Double quotes hold escapes as in JSON; in single quotes two stand for one.
fn scalar(text: &str) -> String {
    if let Ok(quoted) = serde_json::from_str::<String>(text) {
        return quoted;
    }
    match text.strip_prefix('\'').and_then(|inside| inside.strip_suffix('\'')) {
        Some(inside) => inside.replace("''", "'"),
        None => text.trim_matches('"').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::split;

    #[test]
    fn properties_as_programs_write_them() {
        let text = "---\ntitle: \"Tide \\\"tables\\\"\"\r\ntags:\n  - sea\n  - 'north ''sea'''\naliases: [a, \"b, c\", 'd']\n\
            # a remark\nsource: https://tides.example/?a=1:2\nempty:\nnested:\n  inner: x\n---\n\n# Text\n---\n";
        let (fields, body) = split(text);
        let fields: Vec<_> = fields.into_iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(
            fields,
            [
                ("title".to_owned(), json!("Tide \"tables\"")),
                ("tags".to_owned(), json!(["sea", "north 'sea'"])),
                ("aliases".to_owned(), json!(["a", "b, c", "d"])),
                ("source".to_owned(), json!("https://tides.example/?a=1:2")),
                ("empty".to_owned(), json!(null)),
                ("nested".to_owned(), json!(null)),
            ]
        );
        assert_eq!(body, "# Text\n---\n");
    }

    #[test]
    fn a_text_without_properties_is_whole() {
        for text in
            ["", "---", "---\n", "--- \ntitle: x\n---\n", "# Text", "---\ntitle: x\nno end", "----\n---\n"]
        {
            let (fields, body) = split(text);
            assert!(fields.is_empty() && body == text, "{text:?}");
        }
        assert_eq!(split("---\n---\nx").1, "x");
    }
}
