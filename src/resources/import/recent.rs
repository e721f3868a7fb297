//! The imports that can still be undone, so that you find them again.

use std::sync::Arc;

use axum::extract::State as FromState;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::batch::{KEPT_FOR, State};
use super::store::imports;
use crate::error::Result;
use crate::identity::Viewer;
use crate::resources::Resources;
use crate::timestamp::Timestamp;
use crate::web::scoped::{ResourcesWrite, Scoped};

/// An import as a list names it.
#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = ImportItem)]
pub struct RecentImport {
    pub id: Uuid,
    /// How far it is.
    #[sqlx(try_from = "String")]
    pub state: State,
    /// The name of the file.
    pub file_name: String,
    /// Entries of the file.
    pub total: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub struct ImportList {
    items: Vec<RecentImport>,
}

impl Resources {
    /// The viewer's imports of the last 30 days, the latest first; at most 50.
    pub async fn recent_imports(&self, viewer: &Viewer) -> Result<Vec<RecentImport>> {
        let (owner, since) = (viewer.signed_in()?.id, self.context.now().minus(KEPT_FOR));
        Ok(imports::recent(&self.db, owner, since).await?)
    }
}

/// Your imports of the last 30 days, latest first.
///
/// At most 50.
#[utoipa::path(get, path = "/imports", operation_id = "listImports", tag = "imports", security(("session" = []), ("bearer" = ["resources:write"])), responses(
    (status = 200, body = ImportList, description = "The imports"),
))]
pub async fn list(
    FromState(resources): FromState<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
) -> Result<axum::Json<ImportList>> {
    Ok(axum::Json(ImportList { items: resources.recent_imports(&viewer).await? }))
}
