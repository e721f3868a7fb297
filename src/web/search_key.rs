//! Whether the `/` key goes to the search box: a choice of each browser (WCAG 2.2, 2.1.4).

use axum::http::HeaderMap;

use super::cookies::{self, Name};
use crate::public_url::PublicUrl;

pub const OFF: &str = "off";

#[must_use]
pub fn is_on(site: &PublicUrl, headers: &HeaderMap) -> bool {
    let off = |value: &str| (value == OFF).then_some(());
    cookies::find(site, headers, Name::SearchKey, off).is_none()
}
