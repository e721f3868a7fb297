//! Whether the `/` key goes to the search box: a choice of each browser (WCAG 2.2, 2.1.4).

use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::chrome::{Notice, redirect};
use super::cookies::{self, Life, Name};
use super::forms::Form;
use super::site::Site;
use super::viewer::Viewer;
use crate::error::Result;

const OFF: &str = "off";
/// As long as browsers keep a cookie (RFC 6265bis § 5.5).
const LIFE: Duration = Duration::from_hours(400 * 24);

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SearchKeyForm {
    /// A checkbox.
    search_key: String,
}

#[must_use]
pub fn is_on(site: &Site, headers: &HeaderMap) -> bool {
    let off = |value: &str| (value == OFF).then_some(());
    cookies::find(site, headers, Name::SearchKey, off).is_none()
}

pub async fn save(viewer: Viewer, Form(form): Form<SearchKeyForm>) -> Result<Response> {
    viewer.signed_in()?;
    let cookie = if form.search_key.is_empty() {
        cookies::new(Name::SearchKey, OFF, Life::For(LIFE))
    } else {
        cookies::removal(Name::SearchKey)
    };
    let mut response = redirect("/settings/profile", Some(Notice::Saved));
    cookies::add(response.headers_mut(), [cookie]);
    Ok(response)
}
