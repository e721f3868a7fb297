//! Where a person came from, so that saving leads back there: the list with its search, or the entry.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::REFERER;
use axum::http::request::Parts;
use url::{Position, Url};
use uuid::Uuid;

use super::tools;
use crate::web::deps::WebDeps;

/// Path and query of a page of the library, such as `/resources?q=tide`; empty for any other page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back(String);

impl Back {
    pub fn from_field(field: &str) -> Self {
        let is_place =
            is_list(field) || is_entry(field) || matches!(field, "/tags" | "/trash" | tools::SAVED);
        Self(if is_place { field.to_owned() } else { String::new() })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This one, or else the other.
    pub fn or(self, other: Self) -> Self {
        if self.0.is_empty() { other } else { self }
    }

    /// The list with the entry in view; `None` where it was not a list.
    pub fn list_at(&self, entry: Uuid) -> Option<String> {
        is_list(&self.0).then(|| format!("{}#entry-{entry}", self.0))
    }

    /// The list without any entry in particular, or else another place.
    pub fn list_or<'a>(&'a self, other: &'a str) -> &'a str {
        if is_list(&self.0) { &self.0 } else { other }
    }

    /// The page itself, or else another place.
    pub fn place_or<'a>(&'a self, other: &'a str) -> &'a str {
        if self.0.is_empty() { other } else { &self.0 }
    }

    /// The list with the entry in view, or else the entry's own page.
    pub fn at(&self, entry: Uuid) -> String {
        self.list_at(entry).unwrap_or_else(|| format!("/resources/{entry}"))
    }
}

/// The page that sent the request.
impl<S> FromRequestParts<S> for Back
where
    Arc<WebDeps>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let deps = Arc::<WebDeps>::from_ref(state);
        let page = parts.headers.get(REFERER).and_then(|page| page.to_str().ok()?.parse::<Url>().ok());
        let host = deps.public_url.host_of(&parts.headers, &parts.uri).unwrap_or_default();
        let own =
            page.filter(|page| deps.public_url.is_own_origin(&page.origin().ascii_serialization(), host));
        Ok(own
            .map(|page| Self::from_field(&page[Position::BeforePath..Position::AfterQuery]))
            .unwrap_or_default())
    }
}

fn is_list(place: &str) -> bool {
    let path = place.split('?').next().unwrap_or_default();
    let is_safe = !place.chars().any(|c| c.is_control() || c == '\\' || c == '#');
    is_safe && (matches!(path, "/" | "/resources") || path.starts_with("/u/"))
}

fn is_entry(place: &str) -> bool {
    place.strip_prefix("/resources/").is_some_and(|id| id.parse::<Uuid>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_library_are_led_back_to() {
        let id = Uuid::from_u128(7);
        for list in ["/", "/resources", "/resources?q=tide%20x&tag=sea", "/u/ada"] {
            assert_eq!(Back::from_field(list).at(id), format!("{list}#entry-{id}"));
        }
        let entry = format!("/resources/{id}");
        assert_eq!(Back::from_field(&entry).at(id), entry);
        assert_eq!(Back::from_field(&entry).list_at(id), None);
        for other in
            ["", "//evil.example/resources", "https://evil.example/", "/login", "/resources\\x", "/x"]
        {
            assert_eq!(Back::from_field(other), Back::default(), "{other}");
        }
    }
}
