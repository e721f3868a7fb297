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

use super::chosen::{self, Chip, SideTag};
use super::views::{Row, Waiting};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::listing::{ListParams, Listing, Sort};
use crate::resources::{Resources, cached, query};
use crate::web::forms::{Query, encode};
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

/// The part of the library that htmx replaces.
#[derive(Template)]
#[template(path = "resources/results.html")]
struct ResultsPart<'a> {
    context: PageContext,
    /// Whether it is sent alone: it brings the page's title then.
    alone: bool,
    q: String,
    /// The address of the list, from its first page on.
    here: String,
    /// Filters and order that a new search keeps, as hidden inputs.
    kept: Vec<Hidden>,
    filters: Vec<ListLink>,
    sorts: Vec<ListLink>,
    chips: Vec<Chip>,
    side_tags: Vec<SideTag>,
    /// Tags that the bar for several entries lists without JavaScript.
    offered_tags: Vec<String>,
    query_error: Option<String>,
    /// Whether the search has nothing to search for.
    wordless: bool,
    /// What looks like a filter, and was searched for as words.
    unknown_filter: Option<String>,
    rows: Vec<Row<'a>>,
    waiting: Waiting,
    next: Option<String>,
    first: Option<String>,
}

impl ResultsPart<'_> {
    /// The search whose results the bar for several entries may mean.
    fn search(&self) -> &str {
        self.here.split_once('?').map_or("", |(_, query)| query)
    }

    fn has_own_rows(&self) -> bool {
        self.rows.iter().any(|row| row.mine)
    }

    fn title(&self) -> String {
        let library = if self.context.viewer.is_some() { "Library" } else { "Public library" };
        let search = if self.q.is_empty() { String::new() } else { format!("{} · ", self.q) };
        format!("{search}{library} · coffer")
    }
}

struct Hidden {
    name: &'static str,
    value: String,
}

struct ListLink {
    label: &'static str,
    href: String,
    active: bool,
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
    let (listing, query_error) = match resources.list(&viewer, &params).await {
        Ok(listing) => (listing, None),
        Err(Error::BadQuery { message, .. }) => (Arc::<Listing>::default(), Some(message)),
        Err(error) => return Err(error),
    };
    let status = if query_error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let narrowed = ListParams { cursor: String::new(), limit: String::new(), ..params.clone() };
    let chips = chosen::chips(&narrowed);
    let mut rows = Row::all(&listing, &viewer);
    chosen::link_tags(&mut rows, &narrowed, &chips);
    for row in &mut rows {
        row.can_be_picked = row.mine;
    }
    let unfiltered = narrowed == ListParams::default();
    let side_tags = chosen::side_tags(&resources, &viewer, &listing, &params, &chips).await?;
    let query = query::parse(&params.q).unwrap_or_default();
    let results = ResultsPart {
        context: context.clone(),
        alone: only_results,
        here: href(&narrowed),
        kept: kept(&narrowed),
        filters: filters(&narrowed),
        sorts: sorts(&narrowed, listing.sort),
        side_tags,
        offered_tags: if only_results {
            Vec::new()
        } else {
            chosen::offered_tags(&resources, &viewer).await?
        },
        chips,
        query_error,
        wordless: query.says_nothing,
        unknown_filter: query.unknown_filter.map(|unknown| unknown.message),
        next: listing
            .next
            .as_ref()
            .map(|cursor| href(&ListParams { cursor: cursor.clone(), ..params.clone() })),
        // htmx appends its results to the pages before.
        first: (!params.cursor.is_empty() && !only_results).then(|| href(&narrowed)),
        q: params.q,
        waiting: Waiting::new(&rows),
        rows,
    };
    if only_results {
        return Ok((status, Html(results.render()?)).into_response());
    }
    let library_empty = unfiltered && results.rows.is_empty() && !resources.any(&viewer).await?;
    let toast = context.toast.is_some();
    let index = IndexPage { context: context.section("library"), results, library_empty };
    Ok((status, page(&index, toast)?).into_response())
}

fn kept(params: &ListParams) -> Vec<Hidden> {
    [("tag", &params.tag), ("kind", &params.kind), ("pinned", &params.pinned), ("sort", &params.sort)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Hidden { name, value: value.clone() })
        .collect()
}

fn filters(params: &ListParams) -> Vec<ListLink> {
    [("All", "", ""), ("Links", "link", ""), ("Notes", "note", ""), ("Pinned", "", "true")]
        .into_iter()
        .map(|(label, kind, pinned)| ListLink {
            label,
            href: href(&ListParams { kind: kind.to_owned(), pinned: pinned.to_owned(), ..params.clone() }),
            active: params.kind == kind && params.pinned == pinned,
        })
        .collect()
}

fn sorts(params: &ListParams, current: Sort) -> Vec<ListLink> {
    let searching = query::parse(&params.q).is_ok_and(|query| query.is_ranked());
    [
        (Sort::Relevance, "Best match"),
        (Sort::Newest, "Newest"),
        (Sort::Oldest, "Oldest"),
        (Sort::Changed, "Last changed"),
        (Sort::Title, "Title"),
    ]
    .into_iter()
    .filter(|(sort, _)| searching || *sort != Sort::Relevance)
    .map(|(sort, label)| ListLink {
        label,
        href: href(&ListParams { sort: sort.as_str().to_owned(), ..params.clone() }),
        active: sort == current,
    })
    .collect()
}

/// The address of a list.
pub(super) fn href(params: &ListParams) -> String {
    let parts = [
        ("q", &params.q),
        ("tag", &params.tag),
        ("kind", &params.kind),
        ("pinned", &params.pinned),
        ("sort", &params.sort),
        ("limit", &params.limit),
        ("cursor", &params.cursor),
    ];
    let query: Vec<String> = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if query.is_empty() { "/resources".to_owned() } else { format!("/resources?{}", query.join("&")) }
}
