//! The page, and the button that lifts the limits of an account.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Need, Overview, OverviewState};
use crate::accounts::people::By;
use crate::admin::limits::Held;
use crate::admin::limits::pages::LIMIT_RELEASED;
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::web::admin::AdminSudo;
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};

pub fn routes() -> Router<OverviewState> {
    Router::new().route("/admin", get(index)).route("/admin/unlock", post(unlock))
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage {
    context: PageContext,
    needs: Vec<Need>,
    held: Vec<Held>,
}

async fn index(
    State(overview): State<Arc<Overview>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let (needs, held) = (overview.needs(&viewer).await?, overview.held(&viewer).await?);
    let toast = context.toast.is_some();
    page(&OverviewPage { context: context.section("overview"), needs, held }, toast)
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
    origin: RequestMeta,
    Form(form): Form<UnlockForm>,
) -> Result<Response> {
    let person = form.person.parse().map_err(|_| Error::NotFound)?;
    overview.limits.unlock(By::Admin(&viewer), person, &origin).await?;
    Ok(redirect("/admin", Some(LIMIT_RELEASED)))
}
