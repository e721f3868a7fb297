//! The page, and the button that lets somebody try again.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Need, Overview, OverviewState};
use crate::accounts::people::By;
use crate::error::{Error, Result};
use crate::limits::Held;
use crate::web::admin::AdminSudo;
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::forms::Form;
use crate::web::origin::Origin;
use crate::web::viewer::Viewer;

pub fn routes() -> Router<OverviewState> {
    Router::new().route("/admin", get(index)).route("/admin/unlock", post(unlock))
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage {
    chrome: Chrome,
    needs: Vec<Need>,
    held: Vec<Held>,
}

async fn index(State(overview): State<Arc<Overview>>, viewer: Viewer, chrome: Chrome) -> Result<Response> {
    let (needs, held) = (overview.needs(&viewer).await?, overview.held(&viewer).await?);
    let toast = chrome.toast.is_some();
    page(&OverviewPage { chrome: chrome.section("overview"), needs, held }, toast)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UnlockForm {
    person: String,
}

async fn unlock(
    _: AdminSudo,
    State(overview): State<Arc<Overview>>,
    viewer: Viewer,
    origin: Origin,
    Form(form): Form<UnlockForm>,
) -> Result<Response> {
    let person = form.person.parse().map_err(|_| Error::NotFound)?;
    overview.limits.unlock(By::Admin(&viewer), person, &origin).await?;
    Ok(redirect("/admin", Some(Notice::LimitReleased)))
}
