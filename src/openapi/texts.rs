//! Words and examples that the types don't hold themselves.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::error::Code;

/// By schema: a body as a client sends or gets it.
static EXAMPLES: LazyLock<Value> = LazyLock::new(|| parse(include_str!("examples.json")));

/// By property, or by schema and property where that says more.
static PROPERTIES: LazyLock<Value> = LazyLock::new(|| parse(include_str!("properties.json")));

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

pub fn example(schema: &str) -> Option<Value> {
    EXAMPLES.get(schema).cloned()
}

/// Adds the required properties that an example leaves out: `null` where they may be, `false` where they are true or false.
pub fn fill(example: &mut Value, schema: &Value, schemas: &Value) {
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        return fill(example, &schemas[name], schemas);
    }
    let parts = ["allOf", "oneOf"].map(|parts| schema[parts].as_array()).into_iter().flatten();
    for part in parts.flatten() {
        fill(example, part, schemas);
    }
    let is_required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
    };
    match example {
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, &schema["items"], schemas)),
        Value::Object(fields) => {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(value) = fields.get_mut(name) {
                    fill(value, property, schemas);
                } else if is_required(name) {
                    fields.extend(absent(property).map(|value| (name.clone(), value)));
                }
            }
        }
        _ => {}
    }
}

/// What a property is that has nothing to say.
fn absent(property: &Value) -> Option<Value> {
    let mut parts = property["oneOf"].as_array().into_iter().flatten();
    let allows_null = |schema: &Value| {
        let kinds = schema["type"].as_array();
        schema["type"] == "null" || kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
    };
    if allows_null(property) || parts.any(allows_null) {
        return Some(Value::Null);
    }
    (property["type"] == "boolean").then_some(Value::Bool(false))
}

/// Describes the properties that their types leave without words.
pub fn describe_properties(schemas: &mut Value) {
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        describe_those_of(name, schema);
        for parts in ["allOf", "oneOf"] {
            for part in schema.get_mut(parts).and_then(Value::as_array_mut).into_iter().flatten() {
                describe_those_of(name, part);
            }
        }
    }
}

fn describe_those_of(schema: &str, part: &mut Value) {
    for (name, property) in part.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let text = PROPERTIES.get(format!("{schema}.{name}")).or_else(|| PROPERTIES.get(name));
        if let (Some(text), None) = (text, property.get("description")) {
            property["description"] = text.clone();
        }
        // Generators demand a field that has a default, though clients may leave it out.
        property.as_object_mut().map(|property| property.remove("default"));
    }
}

/// The same for a parameter.
pub fn describe_parameter(parameter: &mut Value) {
    let text = parameter["name"].as_str().and_then(|name| PROPERTIES.get(name));
    if let (Some(text), None) = (text, parameter.get("description")) {
        parameter["description"] = text.clone();
    }
}

/// Every code there is.
pub fn error_codes() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({ "type": "string", "enum": codes, "description": "The stable name of an error." })
}

/// An answer for each code that an operation names.
pub fn problems(operations: &str, path: &str) -> Value {
    let problem = |code: Code| {
        let about = code.about();
        let value = json!({
            "type": format!("{path}/api/docs/errors#{}", code.as_str()),
            "title": about.status.canonical_reason(),
            "status": about.status.as_u16(),
            "detail": about.meaning,
            "code": code.as_str(),
            "request_id": "1b4f0e9851971998",
        });
        (code.as_str().to_owned(), json!({ "summary": about.meaning, "value": value }))
    };
    let is_named = |code: &Code| operations.contains(&format!("examples/{}\"", code.as_str()));
    Code::ALL.into_iter().filter(is_named).map(problem).collect::<Map<_, _>>().into()
}
