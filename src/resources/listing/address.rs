//! A list as the query string that leads to it.

use super::ListParams;
use crate::web::forms::{encode, pairs};

impl ListParams {
    /// From the query string of a saved search; `None` where it holds more than such a search keeps.
    pub fn from_saved(text: &str) -> Option<Self> {
        let mut params = Self::default();
        for (name, value) in pairs(text.as_bytes()).ok()? {
            let field = match name.as_str() {
                "q" => &mut params.q,
                "tag" => &mut params.tag,
                "kind" => &mut params.kind,
                "pinned" => &mut params.pinned,
                "mine" => &mut params.mine,
                "sort" => &mut params.sort,
                _ => return None,
            };
            if !field.is_empty() {
                return None;
            }
            *field = value;
        }
        Some(params)
    }

    /// Its query string; empty for the list of everything.
    pub fn to_query_string(&self) -> String {
        let parts = [
            ("q", &self.q),
            ("tag", &self.tag),
            ("kind", &self.kind),
            ("pinned", &self.pinned),
            ("mine", &self.mine),
            ("sort", &self.sort),
            ("limit", &self.limit),
            ("cursor", &self.cursor),
        ];
        let query: Vec<String> = parts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        query.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_search_is_read_as_it_was_written() {
        let search = "q=%22tide%20tables%22&tag=sea&kind=link&pinned=true&mine=true&sort=title";
        let params = ListParams::from_saved(search).expect("a list");
        assert_eq!((params.q.as_str(), params.sort.as_str()), ("\"tide tables\"", "title"));
        assert_eq!(params.to_query_string(), search);
        assert_eq!(ListParams::default().to_query_string(), "");
        for other in ["q=tide&cursor=x", "limit=5", "state=trash", "x", "q=%FF", "q=a&q=b"] {
            assert_eq!(ListParams::from_saved(other), None, "{other}");
        }
    }
}
