//! The list of the library, searched, filtered and sorted.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, State};
use axum::http::header::VARY;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, Html, IntoResponse as _, Redirect, Response};
use axum_htmx::{HxBoosted, HxHistoryRestoreRequest, HxRequest};

use super::chosen;
use super::pinned::{own_pinned, pinned_first};
use super::results::{NearMiss, ResultsPart, UnknownFilterNotice, kept};
use super::searches::SavedSearches;
use super::sieve::Sieve;
use super::views::{Row, Waiting};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::listing::ListParams;
use crate::resources::{Resources, cached, query};
use crate::web::forms::Query;
use crate::web::html;
use crate::web::page_cache;
use crate::web::page_context::{PageContext, page};

#[derive(Template)]
#[template(path = "resources/index.html")]
struct IndexPage<'a> {
    context: PageContext,
    results: ResultsPart<'a>,
    /// Whether the viewer can see nothing at all, even without a search.
    library_empty: bool,
}

/// The viewer's library, the public library, or the login page if that is empty.
pub async fn home(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    headers: HeaderMap,
) -> Result<Response> {
    if viewer.member().is_none() && !resources.any(&viewer).await? {
        return Ok(Redirect::to("/login").into_response());
    }
    let render = || library(resources.clone(), viewer.clone(), context.clone(), ListParams::default(), false);
    page_cache::page(&resources.cache, &viewer, &context, &headers, cached::list_scopes(&viewer), render)
        .await
}

/// Whether htmx replaces only the results.
pub struct OnlyResults(bool);

impl<S: Send + Sync> FromRequestParts<S> for OnlyResults {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let HxRequest(by_htmx) = HxRequest::from_request_parts(parts, state).await?;
        let HxBoosted(boosted) = HxBoosted::from_request_parts(parts, state).await?;
        let HxHistoryRestoreRequest(restored) =
            HxHistoryRestoreRequest::from_request_parts(parts, state).await?;
        Ok(Self(by_htmx && !boosted && !restored))
    }
}

pub async fn list(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    OnlyResults(only_results): OnlyResults,
    context: PageContext,
    headers: HeaderMap,
    Query(params): Query<ListParams>,
) -> Result<Response> {
    let render = || library(resources.clone(), viewer.clone(), context.clone(), params.clone(), only_results);
    let answer = if only_results {
        render().await
    } else {
        page_cache::page(&resources.cache, &viewer, &context, &headers, cached::list_scopes(&viewer), render)
            .await
    };
    Ok((AppendHeaders([(VARY, "hx-request, hx-boosted, hx-history-restore-request")]), answer?)
        .into_response())
}

async fn library(
    resources: Arc<Resources>,
    viewer: Viewer,
    context: PageContext,
    params: ListParams,
    only_results: bool,
) -> Result<Response> {
    let narrowed = ListParams { cursor: String::new(), limit: String::new(), ..params.clone() };
    let unfiltered = narrowed == ListParams::default();
    let (listed, pinned, saved) = tokio::join!(
        resources.list_with_matches(&viewer, &params),
        own_pinned(&resources, &viewer, &params),
        SavedSearches::beside(&resources, &viewer, &narrowed),
    );
    let ((listing, found), query_error) = match listed {
        Ok(listed) => (listed, None),
        Err(Error::BadQuery { message, .. }) => (Default::default(), Some(message)),
        Err(error) => return Err(error),
    };
    let status = if query_error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let chips = chosen::chips(&narrowed);
    let total = found.count;
    let pinned = if query_error.is_some() { None } else { pinned? };
    let listing = match pinned {
        Some(pinned) => pinned_first(&resources, &params, &listing, &pinned)?,
        None => listing,
    };
    let mut rows = Row::all(&listing, &viewer);
    chosen::link_tags(&mut rows, &narrowed, &chips);
    for row in &mut rows {
        row.can_be_picked = row.mine;
    }
    let side_tags = chosen::side_tags(&resources, &viewer, &listing, &params, &chips, found.tags).await?;
    let query = query::parse(&params.q).unwrap_or_default();
    let near_miss = if listing.hits.is_empty() && query_error.is_none() {
        resources.near_miss(&viewer, &narrowed).await?
    } else {
        None
    };
    let results = ResultsPart {
        context: context.clone(),
        alone: only_results,
        here: href(&narrowed),
        kept: kept(&narrowed),
        saved: saved?,
        groups: Sieve {
            viewer: &viewer,
            params: &narrowed,
            sort: listing.sort,
            now: resources.context.now(),
        }
        .groups(),
        side_tags,
        offered_tags: if only_results {
            Vec::new()
        } else {
            chosen::offered_tags(&resources, &viewer).await?
        },
        chips,
        query_error,
        near_miss: near_miss.map(|near| NearMiss { href: href(&near), q: near.q }),
        wordless: query.says_nothing,
        unknown_filter: query.unknown_filter.map(|unknown| UnknownFilterNotice::new(unknown, &narrowed)),
        next: listing
            .next
            .as_ref()
            .map(|cursor| href(&ListParams { cursor: cursor.clone(), ..params.clone() })),
        // htmx appends its results to the pages before.
        first: (!params.cursor.is_empty() && !only_results).then(|| href(&narrowed)),
        q: params.q,
        older_follow: listing.older_follow,
        waiting: Waiting::new(&rows),
        total,
        rows,
    };
    if only_results {
        return Ok((status, Html(html::render(&results)?)).into_response());
    }
    let library_empty = unfiltered && results.rows.is_empty() && !resources.any(&viewer).await?;
    let toast = context.toast.is_some();
    let index = IndexPage { context: context.section("library"), results, library_empty };
    Ok((status, page(&index, toast)?).into_response())
}

pub fn href(params: &ListParams) -> String {
    let query = params.to_query_string();
    if query.is_empty() { "/resources".to_owned() } else { format!("/resources?{query}") }
}
