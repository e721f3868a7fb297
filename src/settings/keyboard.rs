//! `/settings/keyboard`: whether the `/` key goes to the search box.

use std::time::Duration;

use axum::response::Response;
use serde::Deserialize;

use crate::error::Result;
use crate::identity::Viewer;
use crate::web::cookies::{self, Life, Name};
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::page_context::redirect;
use crate::web::search_key::OFF;

const SAVED: Flash = Flash::ok("saved", "Saved.");

/// As long as browsers keep a cookie (RFC 6265bis § 5.5).
const LIFE: Duration = Duration::from_hours(400 * 24);

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SearchKeyForm {
    /// A checkbox.
    search_key: String,
}

pub async fn save(viewer: Viewer, Form(form): Form<SearchKeyForm>) -> Result<Response> {
    viewer.signed_in()?;
    let cookie = if form.search_key.is_empty() {
        cookies::new(Name::SearchKey, OFF, Life::For(LIFE))
    } else {
        cookies::removal(Name::SearchKey)
    };
    let mut response = redirect("/settings/profile", Some(SAVED));
    cookies::add(response.headers_mut(), [cookie]);
    Ok(response)
}
