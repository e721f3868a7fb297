//! Public profiles as JSON. `GET /resources?q=by:username visibility:public` lists a person's public resources.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Profile;
use crate::error::Result;
use crate::resources::{Resources, ResourcesState};
use crate::timestamp::Timestamp;
use crate::web::json::Problem;
use crate::web::path::Username;
use crate::web::scoped::{ResourcesRead, Scoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new().routes(routes!(profile))
}

/// The public profile of a person.
#[derive(Serialize, ToSchema)]
struct ProfileBody {
    username: String,
    display_name: String,
    /// How many public resources they have, at least 1; `GET /resources` with `q=by:username visibility:public` lists them.
    public_resources: i64,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<&Profile> for ProfileBody {
    fn from(profile: &Profile) -> Self {
        Self {
            username: profile.username.clone(),
            display_name: profile.display_name.clone(),
            public_resources: profile.public,
            since: profile.since,
        }
    }
}

/// A person with public resources.
#[utoipa::path(get, path = "/users/{username}", operation_id = "getProfile", tag = "people", security((), ("session" = []), ("bearer" = ["resources:read"])), params(("username" = String, Path, min_length = 1, max_length = 200)), responses(
    (status = 200, body = ProfileBody, description = "The profile"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`: there is no such account, or it has nothing public"),
))]
async fn profile(
    State(resources): State<Arc<Resources>>,
    _: Scoped<ResourcesRead>,
    Username(username): Username,
) -> Result<axum::Json<ProfileBody>> {
    let profile = resources.profile(&username).await?;
    Ok(axum::Json(ProfileBody::from(&*profile)))
}
