//! The library as one part of the application: how it is built, what it declares, its routes, its background work.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::get;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;

use super::App;
use super::router::with_state;
use crate::admin::limits;
use crate::audit::{self, Action, AuditLog};
use crate::books::{self, Books, BooksState, SHELF};
use crate::cache::Cache;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::keys::Keys;
use crate::sessions::snapshot::SNAPSHOT;
use crate::settings::{ArchiveFile, OwnLibrary};
use crate::system::System;
use crate::web::cursor::CursorKey;
use crate::web::page_context::HOME;
use crate::{accounts, refresh, sessions, tokens};

pub struct Library {
    pub books: Arc<Books>,
}

pub(super) fn cache_kinds() -> Vec<&'static str> {
    vec![SHELF.name, SNAPSHOT.name]
}

pub(super) fn audit_actions() -> Vec<Action> {
    [
        accounts::actions::ALL,
        sessions::actions::ALL,
        refresh::ACTIONS,
        tokens::actions::ALL,
        limits::actions::ALL,
        audit::action::ALL,
    ]
    .concat()
}

pub(super) struct Deps<'a> {
    pub config: &'a Config,
    pub system: &'a System,
    pub keys: &'a Keys,
    pub db: &'a Db,
    pub cache: &'a Cache,
    pub cursors: &'a CursorKey,
    pub audit: &'a AuditLog,
}

impl Library {
    pub(super) fn new(deps: &Deps<'_>) -> Self {
        let (cache, db, system) = (deps.cache.clone(), deps.db.clone(), deps.system.clone());
        Self { books: Arc::new(Books { cache, db, system }) }
    }

    pub(super) fn own(&self) -> Arc<dyn OwnLibrary> {
        self.books.clone()
    }
}

fn state(app: &App) -> BooksState {
    BooksState { books: app.library.books.clone(), deps: app.deps.clone() }
}

pub(super) fn pages(app: &App) -> Router {
    let home = get(async || Redirect::to(HOME));
    books::pages::routes().with_state(state(app)).route("/", home)
}

pub(super) fn assets(_: &App) -> Router {
    Router::new()
}

pub(super) fn api(app: Option<&App>) -> OpenApiRouter {
    with_state(books::api::routes(), app, state)
}

#[async_trait]
impl OwnLibrary for Books {
    async fn has_profile(&self, _: &Viewer) -> Result<bool> {
        Ok(false)
    }

    fn archive(&self, _: &Viewer, files: Vec<ArchiveFile>) -> Result<Body> {
        // An afternoon's version: the account alone. `coffer::settings` says what belongs here.
        files.into_iter().next().map(|file| file.bytes.into()).ok_or(Error::NotFound)
    }

    fn exports_under_way(&self, _: &Viewer) -> Result<Vec<u64>> {
        Ok(Vec::new())
    }
}

impl App {
    pub const fn maintain_library(&self) -> [JoinHandle<()>; 0] {
        []
    }

    pub async fn clean_library(&self) {}
}
