//! What anyone sees who has the address of a share link.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use uuid::Uuid;

use super::store::Share;
use super::{Shares, SharesState, Target};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::public_url::PublicUrl;
use crate::resources::pages::views::{At, Row, host};
use crate::resources::{Kind, Resource, normal_url};
use crate::web::forms::{Query, encode};
use crate::web::page_context::{PageContext, page};

/// Searching machines that come by a leaked address leave it alone.
const ROBOTS: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));

pub fn routes() -> Router<SharesState> {
    Router::new().route("/s/{token}", get(opened)).route("/s/{token}/entries/{id}", get(one_of_several))
}

pub fn address(site: &PublicUrl, token: &str) -> String {
    format!("{}/s/{token}", site.address())
}

#[derive(Template)]
#[template(path = "shares/entry.html")]
struct EntryPage {
    context: PageContext,
    resource: Arc<Resource>,
    /// The address as people read it.
    address: Option<String>,
    host: Option<String>,
    /// Rendered and sanitised Markdown; empty for none.
    body_html: Arc<str>,
    created: At,
    until: At,
    list: Option<String>,
}

#[derive(Template)]
#[template(path = "shares/list.html")]
struct ListPage<'a> {
    context: PageContext,
    title: String,
    by: String,
    until: At,
    here: String,
    rows: Vec<Row<'a>>,
    next: Option<String>,
    first: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    cursor: String,
}

async fn opened(
    State(shares): State<Arc<Shares>>,
    viewer: Viewer,
    context: PageContext,
    method: Method,
    Path(token): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let share = shares.open(&token).await?;
    let answer = match &share.target {
        Target::Entry(id) => entry(&shares, &share, context, *id, None).await?,
        Target::Tag(_) | Target::Search(_) => {
            list(&shares, &share, context, &format!("/s/{token}"), &query.cursor).await?
        }
    };
    if method == Method::GET && query.cursor.is_empty() {
        shares.count_view(&share, &viewer).await;
    }
    Ok(answer)
}

/// An entry of a shared tag or search.
async fn one_of_several(
    State(shares): State<Arc<Shares>>,
    context: PageContext,
    path: Result<Path<(String, Uuid)>, axum::extract::rejection::PathRejection>,
) -> Result<Response> {
    let Path((token, id)) = path.map_err(|_| Error::NotFound)?;
    let share = shares.open(&token).await?;
    entry(&shares, &share, context, id, Some(format!("/s/{token}"))).await
}

async fn entry(
    shares: &Shares,
    share: &Share,
    context: PageContext,
    id: Uuid,
    list: Option<String>,
) -> Result<Response> {
    let resource = shares.entry(share, id).await?;
    let toast = context.toast.is_some();
    let shown = EntryPage {
        context,
        address: resource.url.as_deref().map(normal_url::shown),
        host: resource.url.as_deref().map(host),
        body_html: resource.html(),
        created: resource.created_at.into(),
        until: share.expires_at.into(),
        list,
        resource,
    };
    Ok(unlisted(page(&shown, toast)?))
}

async fn list(
    shares: &Shares,
    share: &Share,
    context: PageContext,
    here: &str,
    cursor: &str,
) -> Result<Response> {
    let listing = shares.listing(share, cursor, "").await?;
    let toast = context.toast.is_some();
    let title = match &share.target {
        Target::Tag(name) => format!("Tagged “{name}”"),
        Target::Search(text) => format!("Results for “{text}”"),
        Target::Entry(_) => String::new(),
    };
    let shown = ListPage {
        context,
        title,
        by: share.owner.display_name.clone(),
        until: share.expires_at.into(),
        here: here.to_owned(),
        rows: Row::all(&listing, &Viewer::Visitor),
        next: listing.next.as_ref().map(|next| format!("{here}?cursor={}", encode(next))),
        first: (!cursor.is_empty()).then(|| here.to_owned()),
    };
    Ok(unlisted(page(&shown, toast)?))
}

pub fn unlisted(mut response: Response) -> Response {
    let (name, value) = ROBOTS;
    response.headers_mut().insert(name, value);
    response
}
