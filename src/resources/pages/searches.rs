//! Saved searches: beside the list, and the page on which they are put in order.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::flash;
use super::library::href;
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::resources::listing::ListParams;
use crate::resources::public::atom;
use crate::resources::searches::{SavedSearch, SearchChange, SearchDraft};
use crate::resources::{Resources, query};
use crate::web::deps::WebDeps;
use crate::web::forms::Form;
use crate::web::page_context::{PageContext, page, redirect};
use crate::web::path::Id;

const SEARCHES: &str = "/searches";

/// What a list shows of the viewer's saved searches.
#[derive(Default)]
pub struct SavedSearches {
    pub links: Vec<SearchLink>,
    /// The list's own search, if it can be saved.
    pub unsaved: Option<String>,
}

pub struct SearchLink {
    pub name: String,
    pub href: String,
    pub active: bool,
    pub feed: String,
}

impl SavedSearches {
    pub async fn beside(resources: &Resources, viewer: &Viewer, params: &ListParams) -> Result<Self> {
        if viewer.member().is_none() {
            return Ok(Self::default());
        }
        let here = params.to_query_string();
        let saved = resources.saved_searches(viewer).await?;
        let links: Vec<SearchLink> = saved.into_iter().map(|saved| SearchLink::new(saved, &here)).collect();
        let can_be_read = params.refuse_unknown_filters().is_ok();
        let can_be_saved = !here.is_empty() && can_be_read && !links.iter().any(|link| link.active);
        Ok(Self { links, unsaved: can_be_saved.then_some(here) })
    }

    /// The one that the list shows.
    pub fn active(&self) -> Option<&SearchLink> {
        self.links.iter().find(|link| link.active)
    }
}

impl SearchLink {
    fn new(saved: SavedSearch, here: &str) -> Self {
        let active = saved.search == here;
        Self { href: href(&saved.params()), feed: feed_href(&saved), active, name: saved.name }
    }
}

fn feed_href(saved: &SavedSearch) -> String {
    format!("{SEARCHES}/{}/feed.atom", saved.id)
}

#[derive(Template)]
#[template(path = "resources/searches.html")]
struct SearchesPage {
    context: PageContext,
    rows: Vec<SearchRow>,
    /// One that could not be saved.
    unsaved: Option<UnsavedSearch>,
}

struct UnsavedSearch {
    form: SearchForm,
    href: String,
    words: String,
    errors: FieldErrors,
}

impl UnsavedSearch {
    fn new(form: SearchForm, errors: FieldErrors) -> Self {
        let params = ListParams::from_saved(&form.search).unwrap_or_default();
        Self { href: href(&params), words: in_words(&params), form, errors }
    }
}

struct SearchRow {
    id: String,
    name: String,
    href: String,
    feed: String,
    words: String,
    /// A new name for it that was refused.
    refused: Option<RefusedName>,
}

struct RefusedName {
    name: String,
    message: String,
}

impl From<SavedSearch> for SearchRow {
    fn from(saved: SavedSearch) -> Self {
        let params = saved.params();
        Self {
            id: saved.id.to_string(),
            href: href(&params),
            feed: feed_href(&saved),
            words: in_words(&params),
            name: saved.name,
            refused: None,
        }
    }
}

/// What a list searches for, in the words of the search box and of the filters.
pub fn in_words(params: &ListParams) -> String {
    let filter = |name: &str, value: &str| match value {
        "" => None,
        value => Some(query::with_filter("", name, value)),
    };
    let own = [(&params.pinned, "is:pinned"), (&params.mine, "yours")];
    let own = own.iter().filter(|(value, _)| *value == "true").map(|(_, word)| (*word).to_owned());
    let sort = Some(&params.sort).filter(|sort| !sort.is_empty()).map(|sort| format!("by {sort}"));
    let words = [Some(params.q.clone()), filter("tag", &params.tag), filter("kind", &params.kind)];
    let words = words.into_iter().flatten().filter(|word| !word.is_empty()).chain(own).chain(sort);
    words.collect::<Vec<_>>().join(", ")
}

pub async fn list(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
) -> Result<Response> {
    let rows = rows(&resources, &viewer).await?;
    shown(context, rows, None)
}

async fn rows(resources: &Resources, viewer: &Viewer) -> Result<Vec<SearchRow>> {
    let saved = resources.saved_searches(viewer).await?;
    Ok(saved.into_iter().map(SearchRow::from).collect())
}

fn shown(context: PageContext, rows: Vec<SearchRow>, unsaved: Option<UnsavedSearch>) -> Result<Response> {
    let toast = context.toast.is_some();
    page(&SearchesPage { context: context.section("library"), rows, unsaved }, toast)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SearchForm {
    name: String,
    search: String,
}

/// Back to the list that was saved.
pub async fn create(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Form(form): Form<SearchForm>,
) -> Result<Response> {
    let draft = SearchDraft { name: form.name.clone(), search: form.search.clone() };
    match resources.save_search(&viewer, &draft).await {
        Ok(saved) => Ok(redirect(&href(&saved.params()), Some(flash::SEARCH_SAVED))),
        Err(Error::Invalid(errors)) if errors.get("name").is_some() => {
            let rows = rows(&resources, &viewer).await?;
            let answer = shown(context, rows, Some(UnsavedSearch::new(form, errors)))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
        }
        Err(error) => Err(error),
    }
}

pub async fn rename(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    context: PageContext,
    Id(id): Id,
    Form(form): Form<SearchForm>,
) -> Result<Response> {
    let change = SearchChange { name: Some(form.name.clone()), ..SearchChange::default() };
    match resources.change_search(&viewer, id, &change).await {
        Ok(_) => Ok(redirect(SEARCHES, Some(flash::SEARCH_RENAMED))),
        Err(Error::Invalid(errors)) => {
            let message = errors.get("name").unwrap_or_default().to_owned();
            let mut rows = rows(&resources, &viewer).await?;
            if let Some(row) = rows.iter_mut().find(|row| row.id == id.to_string()) {
                row.refused = Some(RefusedName { name: form.name, message });
            }
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown(context, rows, None)?).into_response())
        }
        Err(error) => Err(error),
    }
}

pub async fn move_up(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    moved(&resources, &viewer, id, |position| position - 1).await
}

pub async fn move_down(
    State(resources): State<Arc<Resources>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    moved(&resources, &viewer, id, |position| position + 1).await
}

async fn moved(
    resources: &Resources,
    viewer: &Viewer,
    id: uuid::Uuid,
    to: impl Fn(usize) -> usize,
) -> Result<Response> {
    let saved = resources.saved_searches(viewer).await?;
    let position = (1..).zip(&saved).find(|(_, search)| search.id == id).map(|(position, _)| position);
    let position = position.ok_or(Error::NotFound)?;
    let change =
        SearchChange { position: Some(to(position).clamp(1, saved.len())), ..SearchChange::default() };
    resources.change_search(viewer, id, &change).await?;
    Ok(redirect(SEARCHES, None))
}

pub async fn delete(State(resources): State<Arc<Resources>>, viewer: Viewer, Id(id): Id) -> Result<Response> {
    resources.delete_search(&viewer, id).await?;
    Ok(redirect(SEARCHES, Some(flash::SEARCH_DELETED)))
}

/// For its owner alone, who sees what the list shows.
pub async fn feed(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    viewer: Viewer,
    Id(id): Id,
) -> Result<Response> {
    let saved = resources.saved_search(&viewer, id).await?;
    let hits = resources.latest_listed(&viewer, saved.params()).await?;
    let about = atom::About {
        id: saved.id,
        title: saved.name.clone(),
        page: href(&saved.params()),
        feed: feed_href(&saved),
        author: None,
    };
    let body = atom::rendered(about, hits, deps.public_url.address()).await?;
    Ok(([(CONTENT_TYPE, atom::UTF_8)], body).into_response())
}
