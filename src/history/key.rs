//! The name and labels of a series.

use std::borrow::Borrow;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A series as Prometheus writes it: `name{label="value"}`; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Tells interned keys apart.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

pub fn label<'a>(key: &'a str, name: &str) -> &'a str {
    // Values may hold braces and commas: only a name behind one of them is a label's.
    let mut found = key.match_indices(name).filter_map(|(at, _)| {
        let behind = key[..at].ends_with(['{', ',']);
        key[at + name.len()..].strip_prefix("=\"").filter(|_| behind)
    });
    found.next().and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_by_their_names() {
        assert_eq!(label("a_total{b=\"c\",d=\"e f\"}", "d"), "e f");
        assert_eq!(label("a_total", "d"), "");
        let route = "n{http_request_method=\"GET\",http_route=\"/u/{id},{x}\"}";
        assert_eq!(label(route, "http_route"), "/u/{id},{x}");
    }
}
