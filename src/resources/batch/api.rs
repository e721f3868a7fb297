//! Batches as JSON.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::shape::{self, BatchOperation};
use super::{Operation, check_length, units};
use crate::error::{Error, Result};
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::limiter::allowance::Allowance;
use crate::limiter::headers;
use crate::resources::resource::ResourceBody;
use crate::resources::{Resource, Resources, ResourcesState};
use crate::web::json::Problem;
use crate::web::request::RequestId;
use crate::web::scoped::{ResourcesWrite, Scoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new().routes(routes!(batch))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// 1 to 500, carried out in this order.
    #[schema(value_type = Vec<BatchOperation>, min_items = 1, max_items = 500)]
    operations: Vec<Value>,
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
    resource: Option<Value>,
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
/// They are carried out in order, and each is saved on its own. If one fails, the others are still carried out. A batch
/// counts as one request for every 10 operations; if that is more than your limit has left, nothing is done. If it is more
/// than your limit ever allows, the answer is 422, with the number that fits.
#[utoipa::path(post, path = "/resources/batch", operation_id = "batchResources", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(IdempotencyKey), request_body = Batch, responses(
    (status = 200, body = BatchResult, description = "A status with the entry or a problem, for each operation", headers(("Idempotency-Replayed" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_idempotency_key`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`idempotency_key_in_use`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: no operation, or more than 500 or than your limit allows; `idempotency_key_reused`"),
))]
async fn batch(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<ResourcesWrite>,
    Extension(request_id): Extension<RequestId>,
    allowance: Option<Extension<Allowance>>,
    Keyed { key, body: Batch { operations } }: Keyed<Batch>,
) -> Result<Response> {
    check_length(operations.len(), allowance.as_ref().and_then(|allowance| allowance.most()))?;
    let carry_out = async |id| {
        let left = match allowance {
            Some(Extension(allowance)) => allowance.take(units(operations.len())).await,
            None => Ok(Vec::new()),
        };
        let left = left.map_err(Error::TooManyRequests)?;
        let mut results = Vec::with_capacity(operations.len());
        for (number, sent) in operations.into_iter().enumerate() {
            let (is_new, done) = match shape::parse(number, sent) {
                Ok(operation) => {
                    let is_new = matches!(operation, Operation::Create { .. });
                    (is_new, resources.carry_out(&viewer, operation, nth(id, number)).await)
                }
                Err(error) => (false, Err(error)),
            };
            results.push(OperationResult::new(is_new, done, &request_id.0));
        }
        let mut response = axum::Json(BatchResult { results }).into_response();
        headers::append(left.into_iter(), response.headers_mut());
        Ok(response)
    };
    resources.requests.once(viewer.signed_in()?.id, key, carry_out).await
}

/// An id for the operation that comes from the batch's, so that a batch that was cut off makes no entry twice.
fn nth(id: Uuid, number: usize) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ number as u128)
}
