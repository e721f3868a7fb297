//! The sample entries of a first run: forty links and notes, to try coffer on. They come in as an import, so that its undo
//! removes them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::import::File;
use super::import::choices::Choices;
use super::{Resources, ResourcesState, Visibility, store};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::web::flash::Flash;
use crate::web::page_context::{HOME, redirect};

const ENTRIES: &str = include_str!("samples.json");
/// What the import is called in its report.
pub const NAME: &str = "the sample entries";
/// All of them have it, so that a list knows that it shows some.
pub const TAG: &str = "sample";
const CHANGED: Flash = Flash::ok(
    "samples-changed",
    "The sample entries that are left were changed, so they stay. Move them to the trash like any entry.",
);
const ADDED: Flash = Flash::ok("samples-added", "Forty sample entries were added.");

#[derive(Deserialize)]
struct Sample {
    days_ago: u32,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

pub fn routes() -> Router<ResourcesState> {
    Router::new().route("/samples", post(add)).route("/samples/remove", post(remove))
}

async fn add(State(resources): State<Arc<Resources>>, viewer: Viewer) -> Result<Response> {
    resources.add_samples(&viewer).await?;
    Ok(redirect(HOME, Some(ADDED)))
}

/// The report says what was changed since, and stays.
async fn remove(State(resources): State<Arc<Resources>>, viewer: Viewer) -> Result<Response> {
    match resources.remove_samples(&viewer).await {
        Ok(import) => Ok(redirect(&format!("/import/{import}"), None)),
        Err(Error::NotFound) => Ok(redirect(HOME, Some(CHANGED))),
        Err(error) => Err(error),
    }
}

impl Resources {
    pub async fn add_samples(&self, viewer: &Viewer) -> Result<Uuid> {
        let bytes = self.sample_file()?.to_string().into();
        let choices = Choices { visibility: Visibility::Public, ..Choices::default() };
        let file = File { name: NAME, bytes, choices };
        Ok(self.import(viewer, file, |_, _| ()).await?.0)
    }

    /// Removes those that were not changed since.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there are none, and those of [`Resources::begin_undo_of_import`].
    pub async fn remove_samples(&self, viewer: &Viewer) -> Result<Uuid> {
        let owner = viewer.signed_in()?.id;
        let import = store::samples::latest(&self.db, owner, NAME).await?.ok_or(Error::NotFound)?;
        self.begin_undo_of_import(viewer, import).await?;
        self.run_undo(import).await?;
        Ok(import)
    }

    /// As coffer's own export, with times before now.
    fn sample_file(&self) -> Result<Value> {
        let samples: Vec<Sample> = serde_json::from_str(ENTRIES)
            .map_err(|error| Error::Internal(format!("the samples: {error}")))?;
        let now = self.context.now();
        let entries = samples.into_iter().map(|Sample { days_ago, mut fields }| {
            let at = now.minus(Duration::from_hours(24) * days_ago).rfc3339();
            fields.insert("created_at".to_owned(), json!(at));
            fields.insert("updated_at".to_owned(), json!(at));
            Value::Object(fields)
        });
        Ok(json!({ "exported_at": now.rfc3339(), "resources": entries.collect::<Vec<_>>() }))
    }
}
