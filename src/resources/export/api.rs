//! The library as a file, for programs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::unknown_format;
use super::{Archive, ExportDocument, Format};
use crate::error::Result;
use crate::resources::{Resources, ResourcesState};
use crate::web::etag::{self, IfNoneMatch};
use crate::web::forms::StrictQuery;
use crate::web::json::Problem;
use crate::web::scoped::{OwnResourcesRead, SudoScoped};

pub fn routes() -> OpenApiRouter<ResourcesState> {
    OpenApiRouter::new().routes(routes!(export))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `html` (bookmarks), `html-folders` (with folders made from tags such as `work/rust`), `json`, `json-versions` (with the older versions of each entry) or `markdown` (a ZIP).
    #[param(value_type = Format, inline)]
    format: String,
}

/// Your own library as a file, including the trash.
#[utoipa::path(get, path = "/export", operation_id = "exportResources", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), params(ExportQuery, IfNoneMatch), responses(
    (status = 304, description = "`If-None-Match` matches the current library", headers(("ETag" = String))),
    (status = 200, description = "The file", headers(("Content-Disposition" = String), ("ETag" = String)),
        content((String = "text/html"), (ExportDocument = "application/json"), (Archive = "application/zip"))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_parameter`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`; for a token `insufficient_scope`"),
))]
async fn export(
    State(resources): State<Arc<Resources>>,
    viewer: SudoScoped<OwnResourcesRead>,
    method: Method,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<ExportQuery>,
) -> Result<Response> {
    let format = Format::parse(&query.format).ok_or_else(unknown_format)?;
    let tag = format!("W/\"{}-{}\"", resources.latest_change(&viewer).await?, query.format);
    if etag::is_unchanged(&headers, &tag) {
        return Ok(etag::not_modified(tag));
    }
    let file = resources.export_file(&viewer, format, &method)?;
    Ok(([(ETAG, tag)], file).into_response())
}
