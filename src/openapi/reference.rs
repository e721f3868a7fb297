//! The API's description as plain data for its page.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::markdown;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const SCHEMAS: &str = "#/components/schemas/";

pub struct Reference {
    pub about_html: String,
    pub groups: Vec<Group>,
    pub schemas: Vec<Schema>,
}

/// The operations of one tag.
pub struct Group {
    pub name: String,
    pub about_html: String,
    pub operations: Vec<Operation>,
}

pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub about_html: String,
    pub parameters: Vec<Field>,
    pub body: Option<Content>,
    pub answers: Vec<Answer>,
}

/// A parameter, or a property of an object.
pub struct Field {
    pub name: String,
    /// Where a parameter is sent.
    pub place: String,
    pub of: Type,
    pub is_required: bool,
    pub about_html: String,
}

/// A type, and the place on the page that describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    pub name: String,
    pub href: Option<String>,
}

pub struct Content {
    pub media_type: String,
    pub of: Type,
    /// As JSON; empty for none.
    pub example: String,
}

pub struct Answer {
    pub status: String,
    pub about_html: String,
    pub content: Option<Content>,
}

pub struct Schema {
    pub name: String,
    pub about_html: String,
    pub of: Type,
    /// Of an object; empty for any other type.
    pub fields: Vec<Field>,
    /// What it may be, where that is a list.
    pub values: Vec<String>,
}

impl Reference {
    pub fn new(document: &Value) -> Self {
        let mut by_tag: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
        for (path, item) in members(&document["paths"]) {
            for (method, operation) in METHODS.iter().filter_map(|method| Some((method, item.get(method)?))) {
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                by_tag.entry(tag).or_default().push(Operation::new(path, method, operation));
            }
        }
        let groups = items(&document["tags"]).map(|tag| Group {
            operations: by_tag.remove(tag["name"].as_str().unwrap_or_default()).unwrap_or_default(),
            name: text(&tag["name"]),
            about_html: html(&tag["description"]),
        });
        Self {
            about_html: html(&document["info"]["description"]),
            groups: groups.filter(|group| !group.operations.is_empty()).collect(),
            schemas: members(&document["components"]["schemas"])
                .map(|(name, of)| Schema::new(name, of))
                .collect(),
        }
    }
}

impl Operation {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let answers = members(&operation["responses"]).map(|(status, answer)| Answer {
            status: status.to_owned(),
            about_html: html(&answer["description"]),
            content: Content::new(answer).filter(|content| content.media_type != "application/problem+json"),
        });
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            about_html: html(&operation["description"]),
            parameters: items(&operation["parameters"]).map(Field::parameter).collect(),
            body: Content::new(&operation["requestBody"]),
            answers: answers.collect(),
        }
    }
}

impl Field {
    fn parameter(parameter: &Value) -> Self {
        Self {
            name: text(&parameter["name"]),
            place: text(&parameter["in"]),
            of: Type::new(&parameter["schema"]),
            is_required: parameter["required"] == true,
            about_html: html(&parameter["description"]),
        }
    }
}

impl Content {
    fn new(holder: &Value) -> Option<Self> {
        let (media_type, content) = members(&holder["content"]).next()?;
        let example = content.get("example").or_else(|| members(&content["examples"]).next()?.1.get("value"));
        Some(Self {
            media_type: media_type.to_owned(),
            of: Type::new(&content["schema"]),
            example: example
                .and_then(|example| serde_json::to_string_pretty(example).ok())
                .unwrap_or_default(),
        })
    }
}

impl Schema {
    fn new(name: &str, schema: &Value) -> Self {
        let required: Vec<&str> = items(&schema["required"]).filter_map(Value::as_str).collect();
        let fields = members(&schema["properties"]).map(|(name, of)| Field {
            name: name.to_owned(),
            place: String::new(),
            of: Type::new(of),
            is_required: required.contains(&name),
            about_html: html(&of["description"]),
        });
        Self {
            name: name.to_owned(),
            about_html: html(&schema["description"]),
            of: Type::new(schema),
            fields: fields.collect(),
            values: items(&schema["enum"]).map(text).collect(),
        }
    }
}

impl Type {
    fn new(schema: &Value) -> Self {
        if let Some(name) = schema["$ref"].as_str().and_then(|way| way.strip_prefix(SCHEMAS)) {
            return Self { name: name.to_owned(), href: Some(format!("#{name}")) };
        }
        if let Some(of) = schema.get("items") {
            let of = Self::new(of);
            return Self { name: format!("list of {}", of.name), href: of.href };
        }
        let choices = ["oneOf", "anyOf", "allOf"].iter().find_map(|way| schema[way].as_array());
        if let Some(choices) = choices {
            let choices: Vec<Self> = choices.iter().map(Self::new).collect();
            let names: Vec<&str> = choices.iter().map(|choice| choice.name.as_str()).collect();
            return Self { name: names.join(" or "), href: choices.iter().find_map(|one| one.href.clone()) };
        }
        let names = match &schema["type"] {
            Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
            name => text(name),
        };
        let format = schema["format"].as_str().map(|format| format!(" ({format})")).unwrap_or_default();
        Self { name: names + &format, href: None }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The lines of a description end where its source wraps; only a blank line ends a paragraph.
fn html(value: &Value) -> String {
    let paragraphs = value.as_str().unwrap_or_default().split("\n\n");
    let paragraphs: Vec<_> = paragraphs.map(|paragraph| paragraph.replace('\n', " ")).collect();
    markdown::render(&paragraphs.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_read_as_people_say_them() {
        for (schema, name, href) in [
            (json!({ "type": "string", "format": "uuid" }), "string (uuid)", None),
            (json!({ "type": ["string", "null"] }), "string or null", None),
            (
                json!({ "type": "array", "items": { "$ref": "#/components/schemas/Me" } }),
                "list of Me",
                Some("#Me"),
            ),
            (
                json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Me" }] }),
                "null or Me",
                Some("#Me"),
            ),
        ] {
            assert_eq!(Type::new(&schema), Type { name: name.to_owned(), href: href.map(str::to_owned) });
        }
    }
}
