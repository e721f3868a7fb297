//! The library within the application: how it is built, what it declares, its routes, its background work. Another noun
//! changes no other file of `app`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;

use super::App;
use super::router::with_state;
use crate::admin::limits;
use crate::audit::{self, Action, AuditLog};
use crate::cache::Cache;
use crate::config::Config;
use crate::db::Db;
use crate::error::Result;
use crate::fetch::{Fetcher, Switch};
use crate::identity::Viewer;
use crate::keys::Keys;
use crate::resources::export::Extra;
use crate::resources::fetched::Fetching;
use crate::resources::{self, Resources, ResourcesState, cached};
use crate::sessions::snapshot::SNAPSHOT;
use crate::settings::{ArchiveFile, OwnLibrary};
use crate::shares::reading::SHARE;
use crate::shares::{self, Shares, SharesState};
use crate::system::System;
use crate::web::cursor::CursorKey;
use crate::web::page_cache::PAGE;
use crate::webhooks::{self, Webhooks, WebhooksState};
use crate::{accounts, refresh, sessions, tokens};

pub struct Library {
    pub resources: Arc<Resources>,
    pub webhooks: Webhooks,
    pub shares: Arc<Shares>,
}

pub(super) fn cache_kinds() -> Vec<&'static str> {
    [cached::KINDS.as_slice(), &[PAGE.name, SNAPSHOT.name, SHARE.name]].concat()
}

pub(super) fn audit_actions() -> Vec<Action> {
    [
        accounts::actions::ALL,
        sessions::actions::ALL,
        refresh::ACTIONS,
        tokens::actions::ALL,
        webhooks::actions::ALL,
        shares::actions::ALL,
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
        let Deps { config, system, keys, db, cache, cursors, audit } = *deps;
        let settings = &config.fetching;
        let fetcher = (settings.fetch == Switch::On).then(|| Fetcher::new(&settings.fetch_allow));
        let resources = Resources::new(cache.clone(), db.clone(), system.clone(), cursors.clone());
        let resources = match &fetcher {
            Some(fetcher) => resources.with_fetching(Fetching::new(fetcher.clone(), keys.derive("icon"))),
            None => resources,
        };
        let needed = webhooks::Deps { db: db.clone(), system: system.clone(), audit: audit.clone(), fetcher };
        let resources = Arc::new(resources);
        let shares = Arc::new(Shares {
            db: db.clone(),
            cache: cache.clone(),
            system: system.clone(),
            audit: audit.clone(),
            resources: resources.clone(),
        });
        Self { resources, webhooks: Webhooks::new(needed, keys), shares }
    }

    pub(super) fn own(&self) -> Arc<dyn OwnLibrary> {
        self.resources.clone()
    }
}

fn state(app: &App) -> ResourcesState {
    ResourcesState { resources: app.library.resources.clone(), deps: app.deps.clone() }
}

fn webhooks_state(app: &App) -> WebhooksState {
    WebhooksState { webhooks: app.library.webhooks.clone(), deps: app.deps.clone() }
}

fn shares_state(app: &App) -> SharesState {
    SharesState { shares: app.library.shares.clone(), deps: app.deps.clone() }
}

pub(super) fn pages(app: &App) -> Router {
    resources::pages::routes()
        .merge(resources::public::pages::routes())
        .merge(resources::samples::routes())
        .merge(resources::export::pages::routes())
        .merge(resources::import::pages::routes(app.deps.upload_limit))
        .with_state(state(app))
        .merge(webhooks::pages::routes().with_state(webhooks_state(app)))
        .merge(shares::pages::routes().with_state(shares_state(app)))
}

/// The same for every viewer.
pub(super) fn assets(app: &App) -> Router {
    resources::pages::icons::routes().with_state(state(app))
}

pub(super) fn api(app: Option<&App>) -> OpenApiRouter {
    with_state(resources::api::routes().merge(resources::public::api::routes()), app, state)
        .merge(with_state(webhooks::api::routes(), app, webhooks_state))
        .merge(with_state(shares::api::routes(), app, shares_state))
}

#[async_trait]
impl OwnLibrary for Resources {
    async fn has_profile(&self, viewer: &Viewer) -> Result<bool> {
        self.has_own_profile(viewer).await
    }

    fn archive(&self, viewer: &Viewer, files: Vec<ArchiveFile>) -> Result<Body> {
        let extras = files.into_iter().map(|file| Extra { name: file.name, bytes: file.bytes });
        self.export_everything(viewer, extras.collect())
    }

    fn exports_under_way(&self, viewer: &Viewer) -> Result<Vec<u64>> {
        self.percents_of_exports(viewer)
    }
}

impl App {
    /// Runs until the program ends.
    pub fn maintain_library(&self) -> [JoinHandle<()>; 4] {
        let settings = &self.config.fetching;
        let fetcher = (settings.check_links == Switch::On).then(|| Fetcher::new(&settings.fetch_allow));
        let [fetching, checking, jobs] = [(); 3].map(|()| self.library.resources.clone());
        [
            tokio::spawn(async move { fetching.maintain_fetching().await }),
            tokio::spawn(async move { checking.maintain_links(fetcher.as_ref()).await }),
            tokio::spawn(async move { jobs.maintain_jobs().await }),
            tokio::spawn(self.library.webhooks.clone().maintain()),
        ]
    }

    /// Once an hour.
    pub async fn clean_library(&self) {
        let resources = &self.library.resources;
        match resources.empty_old_trash().await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(event = "trash_emptied", count, "deleted what the trash had kept for 30 days");
            }
            Err(error) => tracing::warn!(?error, "the trash could not be emptied"),
        }
        resources.merge_index().await;
        if let Err(error) = resources.forget_old_changes().await {
            tracing::warn!(?error, "changes that were told for 90 days could not be removed");
        }
        if let Err(error) = resources.requests.forget_old().await {
            tracing::warn!(?error, "answers that were kept for a day could not be removed");
        }
        if let Err(error) = resources.forget_unused_words().await {
            tracing::warn!(?error, "words that no entry has any more could not be removed");
        }
        if let Err(error) = resources.delete_unused_icons().await {
            tracing::warn!(?error, "icons that no entry has could not be removed");
        }
        if self.config.fetching.check_links == Switch::On
            && let Err(error) = resources.enrol_links().await
        {
            tracing::warn!(?error, "new links could not be taken into the check");
        }
        if let Err(error) = resources.forget_previews().await {
            tracing::warn!(?error, "imports that were never committed could not be removed");
        }
        if let Err(error) = self.library.webhooks.forget_old().await {
            tracing::warn!(?error, "deliveries of webhooks that are 30 days old could not be removed");
        }
        if let Err(error) = self.library.shares.forget_old().await {
            tracing::warn!(?error, "share links that were over for 30 days could not be removed");
        }
        if let Err(error) = resources.forget_old_bulk().await {
            tracing::warn!(?error, "changes of many entries from 30 days ago could not be removed");
        }
    }
}
