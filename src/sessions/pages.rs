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
use crate::web::chrome::{Chrome, Notice, page, redirect};
use crate::web::origin::Origin;
use crate::web::path::Id;
use crate::web::viewer::{Identity, Viewer};

pub fn routes() -> Router<SessionsState> {
    Router::new()
        .route("/settings/sessions", get(index))
        .route("/settings/sessions/others/end", post(end_others))
        .route("/settings/sessions/{id}/end", post(end))
}

#[derive(Template)]
#[template(path = "settings/sessions.html")]
struct DevicesPage {
    chrome: Chrome,
    devices: Vec<Device>,
}

async fn index(
    State(sessions): State<Arc<Sessions>>,
    identity: Identity,
    origin: Origin,
    chrome: Chrome,
) -> Result<Response> {
    let devices = sessions.devices(&identity, &origin).await?;
    let toast = chrome.toast.is_some();
    page(&DevicesPage { chrome: chrome.section("sessions"), devices }, toast)
}

async fn end(
    State(sessions): State<Arc<Sessions>>,
    viewer: Viewer,
    origin: Origin,
    Id(id): Id,
) -> Result<Response> {
    sessions.end_device(viewer.signed_in()?, id, &origin).await?;
    Ok(redirect("/settings/sessions", Some(Notice::DeviceEnded)))
}

async fn end_others(
    State(sessions): State<Arc<Sessions>>,
    identity: Identity,
    origin: Origin,
) -> Result<Response> {
    sessions.end_others(&identity, &origin).await?;
    Ok(redirect("/settings/sessions", Some(Notice::DevicesEnded)))
}
