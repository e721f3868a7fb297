//! Webhooks in the settings.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Delivery, Webhook, Webhooks, WebhooksState};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::{Member, RequestMeta, Viewer};
use crate::web::deps::WebDeps;
use crate::web::forms::Form;
use crate::web::one_time_secret::{self, OneTimeSecret};
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;
use crate::web::sudo::Sudo;

const HERE: &str = "/settings/webhooks";
/// What is shown once on the page after the redirect.
const FRESH: &str = "webhook";

pub fn routes() -> Router<WebhooksState> {
    Router::new()
        .route(HERE, get(index).post(create))
        .route("/settings/webhooks/{id}/delete", post(delete))
        .route("/settings/webhooks/{id}", get(log))
        .route("/settings/webhooks/deliveries/{id}/replay", post(replay))
}

#[derive(Template)]
#[template(path = "settings/webhooks.html")]
struct WebhooksPage {
    context: PageContext,
    webhooks: Vec<Webhook>,
    are_on: bool,
    url: String,
    errors: FieldErrors,
    summary: Option<&'static str>,
    /// The secret of the one just made.
    fresh: Option<String>,
}

#[derive(Template)]
#[template(path = "settings/deliveries.html")]
struct DeliveriesPage {
    context: PageContext,
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct WebhookForm {
    #[serde(default)]
    url: String,
}

async fn index(
    State(webhooks): State<Webhooks>,
    viewer: Viewer,
    context: PageContext,
    secret: OneTimeSecret,
) -> Result<Response> {
    let (toast, fresh) = (context.toast.is_some(), secret.take(FRESH));
    let was_fresh = fresh.is_some();
    let shown = WebhooksPage { fresh, ..webhooks_page(&webhooks, viewer.signed_in()?, context).await? };
    let mut response = page(&shown, toast)?;
    if was_fresh {
        one_time_secret::forget(&mut response);
    }
    Ok(response)
}

async fn create(
    State(webhooks): State<Webhooks>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    _: Sudo,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<WebhookForm>,
) -> Result<Response> {
    let owner = viewer.signed_in()?;
    match webhooks.create(owner, &form.url, &origin).await {
        Ok(made) => {
            let mut response = redirect(HERE, None);
            one_time_secret::keep(&deps, &viewer, &mut response, FRESH, &made.secret);
            Ok(response)
        }
        Err(Error::Invalid(errors)) => {
            let shown = webhooks_page(&webhooks, owner, context).await?;
            let summary = Some("No webhook was made yet: please look at this field.");
            let again = page(&WebhooksPage { url: form.url, errors, summary, ..shown }, false)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn delete(
    State(webhooks): State<Webhooks>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    webhooks.delete(viewer.signed_in()?, id, &origin).await?;
    Ok(redirect(HERE, None))
}

async fn log(
    State(webhooks): State<Webhooks>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
) -> Result<Response> {
    let deliveries = webhooks.deliveries(viewer.signed_in()?, id).await?;
    page(&DeliveriesPage { context: context.section("webhooks"), deliveries }, false)
}

async fn replay(State(webhooks): State<Webhooks>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    let webhook = webhooks.replay(viewer.signed_in()?, id).await?;
    Ok(redirect(&format!("{HERE}/{webhook}"), None))
}

async fn webhooks_page(webhooks: &Webhooks, owner: &Member, context: PageContext) -> Result<WebhooksPage> {
    Ok(WebhooksPage {
        context: context.section("webhooks"),
        webhooks: webhooks.list(owner).await?,
        are_on: webhooks.are_on(),
        url: String::new(),
        errors: FieldErrors::default(),
        summary: None,
        fresh: None,
    })
}
