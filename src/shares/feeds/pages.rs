//! Private feeds in the settings, and for feed readers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::{PrivateFeedDraft, address};
use crate::error::{Error, Result};
use crate::identity::{RequestMeta, Viewer};
use crate::resources::public::atom;
use crate::shares::pages::{HERE, refused_feed, shown_once};
use crate::shares::public::unlisted;
use crate::shares::{Shares, SharesState};
use crate::web::deps::WebDeps;
use crate::web::flash::Flash;
use crate::web::forms::{Form, StrictQuery};
use crate::web::page_context::{PageContext, redirect};
use crate::web::path::Id;

const DELETED: Flash = Flash::ok("feed-deleted", "Feed deleted. Its address no longer works.");

pub fn routes() -> Router<SharesState> {
    Router::new()
        .route("/f/{token}/feed.atom", get(read))
        .route("/settings/feeds", post(create))
        .route("/settings/feeds/{id}/renew", post(renew))
        .route("/settings/feeds/{id}/delete", post(delete))
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct FeedForm {
    pub tag: String,
    pub search: String,
}

impl FeedForm {
    fn draft(&self) -> Result<PrivateFeedDraft> {
        let search = match self.search.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Error::NotFound)?),
        };
        Ok(PrivateFeedDraft { tag: self.tag.clone(), search })
    }
}

/// Any parameter is refused by its name, as it would change nothing.
#[derive(Deserialize)]
struct NoParams {}

async fn read(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    Path(token): Path<String>,
    StrictQuery(NoParams {}): StrictQuery<NoParams>,
) -> Result<Response> {
    let document = shares.read_feed(&token, &deps.public_url).await?;
    let headers = [(CONTENT_TYPE, atom::UTF_8), (REFERRER_POLICY, "no-referrer")];
    Ok(unlisted((headers, document).into_response()))
}

async fn create(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: RequestMeta,
    context: PageContext,
    Form(form): Form<FeedForm>,
) -> Result<Response> {
    match shares.create_feed(&viewer, &form.draft()?, &origin).await {
        Ok(made) => Ok(shown_once(&deps, &viewer, &address(&deps.public_url, &made.token))),
        Err(Error::Invalid(errors)) => refused_feed(&shares, &viewer, context, form, errors).await,
        Err(error) => Err(error),
    }
}

async fn renew(
    State(shares): State<Arc<Shares>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    let renewed = shares.renew_feed(viewer.signed_in()?, id, &origin).await?;
    Ok(shown_once(&deps, &viewer, &address(&deps.public_url, &renewed.token)))
}

async fn delete(
    State(shares): State<Arc<Shares>>,
    viewer: Viewer,
    origin: RequestMeta,
    Id(id): Id,
) -> Result<Response> {
    shares.delete_feed(viewer.signed_in()?, id, &origin).await?;
    Ok(redirect(HERE, Some(DELETED)))
}
