//! Batches as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Operation, check_length};
use crate::error::Result;
use crate::resources::resource::ResourceBody;
use crate::resources::{Change, Draft, Precondition, Resource, Resources, ResourcesState};
use crate::web::etag;
use crate::web::json::{Json, Problem};
use crate::web::request::RequestId;
use crate::web::scoped::{ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new().routes(routes!(batch))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// 1 to 500, carried out in this order.
    #[schema(min_items = 1, max_items = 500)]
    operations: Vec<BatchOperation>,
}

/// One change; `do` says which.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum BatchOperation {
    /// Save a link or a note.
    Create {
        /// A UUIDv7 of your own; if sent twice, only one resource is created.
        #[serde(default)]
        id: Option<Uuid>,
        resource: Draft,
    },
    /// Change some fields.
    Change {
        id: Uuid,
        /// The `ETag` that you have read, or `*`.
        if_match: String,
        change: Change,
    },
    /// Add and remove tags; other tags of the entry stay.
    Tag {
        id: Uuid,
        #[serde(default)]
        add: Vec<String>,
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Move to trash.
    Trash {
        id: Uuid,
        /// The `ETag` that you have read; if omitted, any version matches.
        #[serde(default)]
        if_match: Option<String>,
    },
    /// Restore from the trash.
    Restore {
        id: Uuid,
        /// The `ETag` that you have read; if omitted, any version matches.
        #[serde(default)]
        if_match: Option<String>,
    },
    /// Permanently delete an entry that is in the trash.
    Delete { id: Uuid },
}

impl BatchOperation {
    /// # Errors
    /// 400 `bad_if_match`.
    fn read(self) -> Result<Operation> {
        Ok(match self {
            Self::Create { id, resource } => Operation::Create { id, draft: resource },
            Self::Change { id, if_match, change } => {
                Operation::Change { id, expected: precondition(Some(&if_match))?, change }
            }
            Self::Tag { id, add, remove } => Operation::Tag { id, add, remove },
            Self::Trash { id, if_match } => {
                Operation::Trash { id, expected: precondition(if_match.as_deref())? }
            }
            Self::Restore { id, if_match } => {
                Operation::Restore { id, expected: precondition(if_match.as_deref())? }
            }
            Self::Delete { id } => Operation::Delete { id },
        })
    }
}

fn precondition(text: Option<&str>) -> Result<Precondition> {
    Ok(etag::if_match_in(text)?.map_or(Precondition::None, Precondition::Tags))
}

#[derive(Serialize, ToSchema)]
struct BatchResult {
    /// In the order of the operations.
    results: Vec<OperationResult>,
}

/// The result of one operation.
#[derive(Serialize, ToSchema)]
struct OperationResult {
    status: u16,
    /// The entry after the operation; null if it was deleted or the operation failed.
    #[schema(value_type = Option<ResourceBody>)]
    resource: Option<serde_json::Value>,
    /// What is wrong.
    problem: Option<Problem>,
}

impl OperationResult {
    fn new(is_new: bool, done: Result<Option<Resource>>, request_id: &str) -> Self {
        match done {
            Ok(resource) => Self {
                status: if is_new { StatusCode::CREATED } else { StatusCode::OK }.as_u16(),
                resource: resource
                    .and_then(|resource| serde_json::to_value(ResourceBody::from(&resource)).ok()),
                problem: None,
            },
            Err(error) => Self {
                status: error.status().as_u16(),
                resource: None,
                problem: Some(Problem::new(&error, request_id)),
            },
        }
    }
}

/// Several changes in one request, each with its own result.
///
/// They are carried out in order, and each is saved on its own. If one fails, the others are still carried out.
#[utoipa::path(post, path = "/resources/batch", operation_id = "batchResources", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), request_body = Batch, responses(
    (status = 200, body = BatchResult, description = "A status with the entry or a problem, for each operation"),
))]
async fn batch(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    axum::Extension(request_id): axum::Extension<RequestId>,
    Json(batch): Json<Batch>,
) -> Result<axum::Json<BatchResult>> {
    check_length(batch.operations.len())?;
    let mut results = Vec::with_capacity(batch.operations.len());
    for operation in batch.operations {
        let is_new = matches!(operation, BatchOperation::Create { .. });
        let done = match operation.read() {
            Ok(operation) => resources.carry_out(&viewer, operation).await,
            Err(error) => Err(error),
        };
        results.push(OperationResult::new(is_new, done, &request_id.0));
    }
    Ok(axum::Json(BatchResult { results }))
}
