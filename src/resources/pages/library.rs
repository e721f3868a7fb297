//! The library: its list, searched, filtered and sorted.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::VARY;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, Html, IntoResponse as _, Redirect, Response};
use axum_htmx::{HxBoosted, HxHistoryRestoreRequest, HxRequest};

use super::views::Row;
use crate::app::App;
use crate::error::{Error, Result};
use crate::resources::listing::{Asked, Listing, Sort};
use crate::resources::{cached, query};
use crate::web::chrome::{Chrome, page};
use crate::web::forms::{Query, encode};
use crate::web::rendered;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "resources/index.html")]
struct IndexPage<'a> {
    chrome: Chrome,
    results: ResultsPart<'a>,
    /// The viewer can see nothing at all, whatever the search.
    library_empty: bool,
}

/// The part of the library that htmx replaces.
#[derive(Template)]
#[template(path = "resources/results.html")]
struct ResultsPart<'a> {
    chrome: Chrome,
    q: String,
    /// Filters and order that a new search keeps, as hidden inputs.
    kept: Vec<Hidden>,
    filters: Vec<ListLink>,
    sorts: Vec<ListLink>,
    active_tag: Option<ActiveTag>,
    query_error: Option<String>,
    /// The search holds nothing that an entry is known by.
    wordless: bool,
    rows: Vec<Row<'a>>,
    next: Option<String>,
    first: Option<String>,
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

struct ActiveTag {
    name: String,
    remove_href: String,
}

/// The library of whoever is signed in, the public library, or the way in.
pub async fn home(
    State(app): State<App>,
    viewer: Viewer,
    chrome: Chrome,
    headers: HeaderMap,
) -> Result<Response> {
    if viewer.member().is_none() && !app.resources.any(&viewer).await? {
        return Ok(Redirect::to("/login").into_response());
    }
    let draw = || library(app.clone(), viewer.clone(), chrome.clone(), Asked::default(), false);
    rendered::page(&app, (&viewer, &chrome), &headers, cached::shelves(&viewer), draw).await
}

pub async fn list(
    State(app): State<App>,
    viewer: Viewer,
    HxRequest(by_htmx): HxRequest,
    HxBoosted(boosted): HxBoosted,
    HxHistoryRestoreRequest(restored): HxHistoryRestoreRequest,
    (chrome, headers): (Chrome, HeaderMap),
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let only_results = by_htmx && !boosted && !restored;
    let draw = || library(app.clone(), viewer.clone(), chrome.clone(), asked.clone(), only_results);
    let answer = if only_results {
        draw().await
    } else {
        rendered::page(&app, (&viewer, &chrome), &headers, cached::shelves(&viewer), draw).await
    };
    Ok((AppendHeaders([(VARY, "hx-request, hx-boosted, hx-history-restore-request")]), answer?)
        .into_response())
}

async fn library(
    app: App,
    viewer: Viewer,
    chrome: Chrome,
    asked: Asked,
    only_results: bool,
) -> Result<Response> {
    let (listing, query_error) = match app.resources.list(&viewer, &asked).await {
        Ok(listing) => (listing, None),
        Err(Error::BadQuery(error)) => (Arc::<Listing>::default(), Some(error.message)),
        Err(error) => return Err(error),
    };
    let status = if query_error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let narrowed = Asked { cursor: String::new(), limit: String::new(), ..asked.clone() };
    let rows = Row::all(&listing, &viewer);
    let unfiltered = narrowed == Asked::default();
    let results = ResultsPart {
        chrome: chrome.clone(),
        kept: kept(&narrowed),
        filters: filters(&narrowed),
        sorts: sorts(&narrowed, listing.sort),
        active_tag: active_tag(&narrowed),
        query_error,
        wordless: query::parse(&asked.q).is_ok_and(|query| query.says_nothing),
        next: listing.next.as_ref().map(|cursor| href(&Asked { cursor: cursor.clone(), ..asked.clone() })),
        // What htmx asks for is put below the pages before it.
        first: (!asked.cursor.is_empty() && !only_results).then(|| href(&narrowed)),
        q: asked.q,
        rows,
    };
    if only_results {
        return Ok((status, Html(results.render()?)).into_response());
    }
    let library_empty = unfiltered && results.rows.is_empty() && !app.resources.any(&viewer).await?;
    let toast = chrome.toast.is_some();
    let index = IndexPage { chrome: chrome.section("library"), results, library_empty };
    Ok((status, page(&index, toast)?).into_response())
}

fn kept(asked: &Asked) -> Vec<Hidden> {
    [("tag", &asked.tag), ("kind", &asked.kind), ("pinned", &asked.pinned), ("sort", &asked.sort)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Hidden { name, value: value.clone() })
        .collect()
}

fn filters(asked: &Asked) -> Vec<ListLink> {
    [("All", "", ""), ("Links", "link", ""), ("Notes", "note", ""), ("Pinned", "", "true")]
        .into_iter()
        .map(|(label, kind, pinned)| ListLink {
            label,
            href: href(&Asked { kind: kind.to_owned(), pinned: pinned.to_owned(), ..asked.clone() }),
            active: asked.kind == kind && asked.pinned == pinned,
        })
        .collect()
}

fn sorts(asked: &Asked, current: Sort) -> Vec<ListLink> {
    let searching = query::parse(&asked.q).is_ok_and(|query| query.is_ranked());
    Sort::ALL
        .into_iter()
        .filter(|sort| searching || *sort != Sort::Relevance)
        .map(|sort| ListLink {
            label: match sort {
                Sort::Relevance => "Best match",
                Sort::Newest => "Newest",
                Sort::Oldest => "Oldest",
                Sort::Changed => "Last changed",
                Sort::Title => "Title",
            },
            href: href(&Asked { sort: sort.as_str().to_owned(), ..asked.clone() }),
            active: sort == current,
        })
        .collect()
}

fn active_tag(asked: &Asked) -> Option<ActiveTag> {
    (!asked.tag.is_empty()).then(|| ActiveTag {
        name: asked.tag.clone(),
        remove_href: href(&Asked { tag: String::new(), ..asked.clone() }),
    })
}

/// The address of a list.
fn href(asked: &Asked) -> String {
    let parts = [
        ("q", &asked.q),
        ("tag", &asked.tag),
        ("kind", &asked.kind),
        ("pinned", &asked.pinned),
        ("sort", &asked.sort),
        ("limit", &asked.limit),
        ("cursor", &asked.cursor),
    ];
    let query: Vec<String> = parts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if query.is_empty() { "/resources".to_owned() } else { format!("/resources?{}", query.join("&")) }
}
