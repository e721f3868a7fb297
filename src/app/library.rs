//! The library as one part of the application: how it is built, its routes, its background work. With the lists in
//! `slices`, all of `app` that a fork changes for a noun of its own.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;

use super::App;
use super::router::with_state;
use crate::config::Config;
use crate::error::Result;
use crate::fetch::{Fetcher, Switch};
use crate::identity::Viewer;
use crate::keys::Keys;
use crate::resources::export::Extra;
use crate::resources::fetched::Fetching;
use crate::resources::{self, Resources, ResourcesState};
use crate::settings::{ArchiveFile, OwnLibrary};

pub(super) fn with_fetching(resources: Resources, config: &Config, keys: &Keys) -> Resources {
    match config.fetching.fetch {
        Switch::On => {
            let fetcher = Fetcher::new(&config.fetching.fetch_allow);
            resources.with_fetching(Fetching::new(fetcher, keys.derive("icon")))
        }
        Switch::Off => resources,
    }
}

fn state(app: &App) -> ResourcesState {
    ResourcesState { resources: app.resources.clone(), deps: app.deps.clone() }
}

pub(super) fn pages(app: &App) -> Router {
    resources::pages::routes()
        .merge(resources::public::pages::routes())
        .merge(resources::export::pages::routes())
        .merge(resources::import::pages::routes(app.deps.upload_limit))
        .with_state(state(app))
}

/// What is the same for every viewer.
pub(super) fn assets(app: &App) -> Router {
    resources::pages::icons::routes().with_state(state(app))
}

pub(super) fn api(app: Option<&App>) -> OpenApiRouter {
    with_state(resources::api::routes().merge(resources::public::api::routes()), app, state)
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
}

impl App {
    /// Work that goes on until the program ends.
    pub fn maintain_library(&self) -> [JoinHandle<()>; 2] {
        let settings = &self.config.fetching;
        let fetcher = (settings.check_links == Switch::On).then(|| Fetcher::new(&settings.fetch_allow));
        let (fetching, checking) = (self.resources.clone(), self.resources.clone());
        [
            tokio::spawn(async move { fetching.maintain_fetching().await }),
            tokio::spawn(async move { checking.maintain_links(fetcher.as_ref()).await }),
        ]
    }

    /// Once an hour.
    pub async fn clean_library(&self) {
        match self.resources.empty_old_trash().await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(event = "trash_emptied", count, "deleted what the trash had kept for 30 days");
            }
            Err(error) => tracing::warn!(?error, "the trash could not be emptied"),
        }
        if let Err(error) = self.resources.forget_old_changes().await {
            tracing::warn!(?error, "changes that were told for 90 days could not be removed");
        }
        if let Err(error) = self.resources.requests.forget_old().await {
            tracing::warn!(?error, "answers that were kept for a day could not be removed");
        }
        if let Err(error) = self.resources.delete_unused_icons().await {
            tracing::warn!(?error, "icons that no entry has could not be removed");
        }
        if self.config.fetching.check_links == Switch::On
            && let Err(error) = self.resources.enrol_links().await
        {
            tracing::warn!(?error, "new links could not be taken into the check");
        }
        if let Err(error) = self.resources.resume_bulk().await {
            tracing::warn!(?error, "changes of many entries could not go on");
        }
    }
}
