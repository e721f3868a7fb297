//! Collections and lists that name the one that they lie in by its id.

use std::collections::HashMap;

use super::{MAX_DEPTH, Object, string};

/// By the JSON of their ids.
#[derive(Debug, Default)]
pub struct Nesting(HashMap<String, Node>);

#[derive(Debug)]
struct Node {
    name: String,
    parent: Option<String>,
}

impl Nesting {
    pub fn new<'a>(objects: impl Iterator<Item = Object<'a>>) -> Self {
        let id = |object: &Object<'_>, name: &str| object.get(name).map(|id| id.get().to_owned());
        let node = |object: Object<'_>| {
            let name = object.get("name").and_then(|name| string(name)).unwrap_or_default();
            Some((id(&object, "id")?, Node { name, parent: id(&object, "parentId") }))
        };
        Self(objects.filter_map(node).collect())
    }

    /// The names from the outermost inwards; empty for an id that is unknown.
    pub fn path(&self, id: &str) -> Vec<String> {
        let (mut names, mut seen, mut next) = (Vec::new(), Vec::new(), Some(id));
        while let Some((id, node)) = next.and_then(|id| self.0.get_key_value(id)) {
            // Two may lie in each other.
            if seen.contains(&id) || seen.len() == MAX_DEPTH {
                break;
            }
            seen.push(id);
            names.extend(Some(node.name.clone()).filter(|name| !name.is_empty()));
            next = node.parent.as_deref();
        }
        names.reverse();
        names
    }
}
