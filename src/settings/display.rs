//! `/settings/display`: theme, lists and shortcuts of this browser.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::error::Result;
use crate::identity::Viewer;
use crate::web::cookies;
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, local_path, page, redirect};
use crate::web::preferences::{Preferences, Theme};

const DISPLAY: &str = "/settings/display";
const SAVED: Flash = Flash::ok("saved", "Saved.");

#[derive(Template)]
#[template(path = "settings/display.html")]
struct DisplayPage {
    context: PageContext,
}

pub async fn show(viewer: Viewer, context: PageContext) -> Result<Response> {
    viewer.signed_in()?;
    let toast = context.toast.is_some();
    page(&DisplayPage { context: context.section("display") }, toast)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DisplayForm {
    theme: String,
    density: String,
    title_opens: String,
    shortcuts: String,
}

pub async fn save(viewer: Viewer, Form(form): Form<DisplayForm>) -> Result<Response> {
    viewer.signed_in()?;
    let chosen = Preferences {
        theme: Theme::parse(&form.theme).unwrap_or_default(),
        is_compact: form.density == "compact",
        title_opens_entry: form.title_opens == "entry",
        no_shortcuts: form.shortcuts.is_empty(),
    };
    Ok(kept(DISPLAY, Some(SAVED), chosen))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DensityForm {
    density: String,
    back: String,
}

/// The switch above a list.
pub async fn density(
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(form): Form<DensityForm>,
) -> Result<Response> {
    viewer.signed_in()?;
    let before = Preferences::from_headers(&deps.public_url, &headers);
    let chosen = Preferences { is_compact: form.density == "compact", ..before };
    Ok(kept(local_path(&form.back), None, chosen))
}

fn kept(path: &str, flash: Option<Flash>, chosen: Preferences) -> Response {
    let mut response = redirect(path, flash);
    cookies::add(response.headers_mut(), [chosen.cookie()]);
    response
}
