//! Lists as JSON.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Result;
use crate::resources::Resources;
use crate::resources::listing::ListParams;
use crate::resources::resource::ResourceItem;
use crate::web::etag::IfNoneMatch;
use crate::web::forms::StrictQuery;
use crate::web::json::{Problem, tagged};
use crate::web::scoped::{ResourcesRead, Scoped};

#[derive(Serialize, ToSchema)]
struct ResourceList<'a> {
    items: Vec<ResourceItem<'a>>,
    /// Send it as `cursor` to get the next page; null on the last page.
    next_cursor: Option<&'a str>,
    /// How many there are on all pages; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

/// List the entries that you may see, searched, filtered and sorted.
#[utoipa::path(get, path = "/resources", operation_id = "listResources", tag = "resources", security((), ("session" = []), ("bearer" = ["resources:read"])), params(ListParams, IfNoneMatch), responses(
    (status = 200, body = ResourceList, description = "One page of resources", headers(("ETag" = String), ("Link" = String))),
    (status = 304, description = "`If-None-Match` matches the current page", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_query`, `bad_cursor`, `bad_parameter`"),
))]
pub async fn list(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesRead>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    StrictQuery(params): StrictQuery<ListParams>,
) -> Result<Response> {
    params.refuse_unknown_filters()?;
    let listing = resources.list(&viewer, &params).await?;
    let with_body = !params.include.is_empty();
    let items = listing.hits.iter().map(|hit| ResourceItem::new(hit, with_body)).collect();
    let total = if params.counts()? { Some(resources.count(&viewer, &params).await?) } else { None };
    let mut answer = tagged(&headers, &ResourceList { items, next_cursor: listing.next.as_deref(), total });
    if let Some(link) = listing.next.as_deref().and_then(|cursor| next_page(&uri, cursor)) {
        answer.headers_mut().insert(header::LINK, link);
    }
    Ok(answer)
}

/// The same list from there on (RFC 8288).
fn next_page(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let asked = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(asked.filter(|(name, _)| name != "cursor")).append_pair("cursor", cursor);
    HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())).ok()
}
