//! The list of devices, as HTML.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

use super::devices::Device;
use super::{Sessions, SessionsState};
use crate::error::Result;
use crate::identity::{Identity, RequestMeta, Viewer};
use crate::web::flash::Flash;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

const ENDED: Flash = Flash::ok("device-ended", "Device logged out.");
const OTHERS_ENDED: Flash = Flash::ok("devices-ended", "Your other devices are logged out.");

pub fn routes() -> Router<SessionsState> {
    Router::new()
        .route("/settings/sessions", get(index))
        .route("/settings/sessions/others/end", post(end_others))
        .route("/settings/sessions/{id}/end", post(end))
}

#[derive(Template)]
#[template(path = "settings/sessions.html")]
struct DevicesPage {
    context: PageContext,
    devices: Vec<Device>,
}

async fn index(
    State(sessions): State<Arc<Sessions>>,
    identity: Identity,
    origin: RequestMeta,
    context: PageContext,
) -> Result<Response> {
    let devices = sessions.devices(&identity, &origin).await?;
    let toast = context.toast.is_some();
    page(&DevicesPage { context: context.section("sessions"), devices }, toast)
}

async fn end(
    State(sessions): State<Arc<Sessions>>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    sessions.end_device(viewer.signed_in()?, id, &origin).await?;
    Ok(redirect("/settings/sessions", Some(ENDED)))
}

async fn end_others(
    State(sessions): State<Arc<Sessions>>,
    identity: Identity,
    origin: RequestMeta,
) -> Result<Response> {
    sessions.end_others(&identity, &origin).await?;
    Ok(redirect("/settings/sessions", Some(OTHERS_ENDED)))
}
