//! Everything that is wrong with the shape of a body: a parser alone tells only the first.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::{Error, Segment, deserialize};

use crate::error::FieldErrors;
use crate::web::words;

const MOST: usize = 20;
/// Put in the place of a field that is required and wrong, so that the parser goes on to the next.
const STAND_INS: [fn() -> Value; 5] = [
    || json!("00000000-0000-0000-0000-000000000000"),
    || json!(0),
    || json!([]),
    || json!({}),
    || json!(false),
];

/// Reads the body again without what was wrong, until nothing is. `at`: where it stands in the request's body.
pub fn all<T: DeserializeOwned>(mut body: Value, first: &Error<serde_json::Error>, at: &str) -> FieldErrors {
    let mut errors = FieldErrors::default();
    let mut rounds: HashMap<Vec<String>, usize> = HashMap::new();
    let mut next = Some(Flaw::new(first, at));
    while let Some(flaw) = next.take().filter(|_| rounds.len() < MOST) {
        let round = rounds.entry(flaw.keys.clone()).or_default();
        if *round == 0 {
            errors.add(flaw.field, flaw.sentence);
        }
        let stand_in = round.checked_sub(1).map(|number| STAND_INS.get(number));
        *round += 1;
        if flaw.keys.is_empty() || stand_in == Some(None) {
            break;
        }
        put(&mut body, &flaw.keys, stand_in.flatten().map(|make| make()));
        next = deserialize::<_, T>(&body).err().map(|error| Flaw::new(&error, at));
    }
    errors
}

struct Flaw {
    /// Of the objects down to the wrong value, or to the list that holds it.
    keys: Vec<String>,
    field: String,
    sentence: String,
}

impl Flaw {
    fn new(error: &Error<serde_json::Error>, at: &str) -> Self {
        let (mut keys, mut field, mut is_in_list) = (Vec::new(), at.to_owned(), false);
        for segment in error.path() {
            match segment {
                Segment::Map { key } => {
                    append(&mut field, key);
                    keys.extend((!is_in_list).then(|| key.clone()));
                }
                Segment::Seq { index } => {
                    // Writing to a text never fails.
                    let _ = write!(field, "[{index}]");
                    is_in_list = true;
                }
                Segment::Enum { variant } => keys.extend((!is_in_list).then(|| variant.clone())),
                Segment::Unknown => {}
            }
        }
        let text = error.inner().to_string();
        if let Some(name) = words::missing(&text) {
            append(&mut field, name);
            keys.extend((!is_in_list).then(|| name.to_owned()));
        }
        let sentence = words::sentence(&field, &text);
        let field = if field.is_empty() { "body".to_owned() } else { field };
        Self { keys, field, sentence }
    }
}

fn append(field: &mut String, key: &str) {
    if !field.is_empty() {
        field.push('.');
    }
    field.push_str(key);
}

/// `None` takes away what is there.
fn put(body: &mut Value, keys: &[String], value: Option<Value>) {
    let (Some((key, deeper)), Some(fields)) = (keys.split_first(), body.as_object_mut()) else { return };
    if let Some(inner) = fields.get_mut(key).filter(|inner| inner.is_object() && !deeper.is_empty()) {
        put(inner, deeper, value);
    } else if let Some(value) = value {
        fields.insert(key.clone(), value);
    } else {
        fields.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what can't be read is looked at")]
    struct Sample {
        name: String,
        id: uuid::Uuid,
        days: u32,
        tags: Vec<String>,
        part: Option<Part>,
        state: Option<State>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what can't be read is looked at")]
    struct Part {
        pinned: bool,
        title: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Open,
        Shut,
    }

    fn wrong(body: Value) -> Vec<String> {
        let first = deserialize::<_, Sample>(&body).expect_err("it is wrong");
        all::<Sample>(body, &first, "").iter().map(|(field, _)| field.to_owned()).collect()
    }

    #[test]
    fn all_is_told_at_once() {
        assert_eq!(wrong(json!({})), ["days", "id", "name", "tags"]);
        let all = json!({ "name": 5, "id": "x", "days": -1, "tags": ["a", 2, 3], "state": "ajar",
            "part": { "pinned": "yes", "title": [] }, "colour": 1 });
        let fields = ["colour", "days", "id", "name", "part.pinned", "part.title", "state", "tags[1]"];
        assert_eq!(wrong(all), fields);
        assert_eq!(wrong(json!(5)), ["body"]);
        assert_eq!(wrong(json!({ "name": "", "id": uuid::Uuid::nil(), "days": 1, "tags": {} })), ["tags"]);
    }

    #[test]
    fn a_body_of_nonsense_is_told_in_part() {
        let body: serde_json::Map<String, Value> =
            (0..1_000).map(|number| (format!("x{number}"), Value::Null)).collect();
        assert_eq!(wrong(body.into()).len(), MOST);
    }
}
