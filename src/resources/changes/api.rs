//! The changes as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Changed, MOST};
use crate::error::{Code, Error, Result};
use crate::resources::resource::ResourceBody;
use crate::resources::{Resources, ResourcesState};
use crate::web::etag::{self, IfNoneMatch};
use crate::web::forms::StrictQuery;
use crate::web::json::Problem;
use crate::web::scoped::{OwnResourcesRead, Scoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new().routes(routes!(changes))
}

#[derive(Deserialize, IntoParams)]
#[serde(default)]
#[derive(Default)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// The `next_cursor` of the previous response; if omitted, all your entries.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    after: String,
    /// 1 to 200; default 200.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    limit: String,
}

/// An entry that is new, changed, or gone.
#[derive(Serialize, ToSchema)]
struct ChangeItem<'a> {
    id: Uuid,
    /// Whether it is permanently deleted; then `resource` is null.
    deleted: bool,
    /// The current entry; with `trashed_at` if it is in the trash.
    #[schema(required)]
    resource: Option<ResourceBody<'a>>,
}

#[derive(Serialize, ToSchema)]
struct ChangeList<'a> {
    items: Vec<ChangeItem<'a>>,
    /// Keep it and send it as `after` next time.
    next_cursor: &'a str,
    /// Whether there are more changes.
    has_more: bool,
}

impl<'a> From<&'a Changed> for ChangeItem<'a> {
    fn from(changed: &'a Changed) -> Self {
        let resource = changed.resource.as_ref().map(ResourceBody::from);
        Self { id: changed.id, deleted: resource.is_none(), resource }
    }
}

/// Your own entries that changed since your last request, in full and in the order of the changes.
///
/// All changes count, including imports and moves to and from the trash. Each entry appears once, in its current version.
#[utoipa::path(get, path = "/resources/changes", operation_id = "listChanges", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), params(ChangesQuery, IfNoneMatch), responses(
    (status = 200, body = ChangeList, description = "Changes, and the cursor for the next ones", headers(("ETag" = String))),
    (status = 304, description = "`If-None-Match` matches: nothing has changed", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_cursor`, `bad_parameter`"),
    (status = 410, body = Problem, content_type = "application/problem+json", description = "`cursor_expired`: start again without a cursor"),
))]
async fn changes(
    State(resources): State<Arc<Resources>>,
    viewer: Scoped<OwnResourcesRead>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<ChangesQuery>,
) -> Result<Response> {
    let after = Some(query.after.as_str()).filter(|after| !after.is_empty());
    let changes = resources.changes(&viewer, after, limit(&query.limit)?).await?;
    let list = ChangeList {
        items: changes.items.iter().map(ChangeItem::from).collect(),
        next_cursor: &changes.cursor,
        has_more: changes.has_more,
    };
    let tag = format!("W/\"{}-{}\"", changes.latest, list.items.len());
    Ok(etag::unless_known(&headers, tag, || axum::Json(list).into_response()))
}

fn limit(text: &str) -> Result<i64> {
    match text {
        "" => Ok(MOST),
        text => {
            text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| Error::Malformed {
                code: Code::BadParameter,
                message: "limit must be a number from 1 to 200.".into(),
            })
        }
    }
}
