//! The library as JSON.

mod body;
mod revisions;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::body::{ResourceBody, ResourceItem, ResourceList, TagList, with_etag};
use super::export::Format;
use super::export::pages::unknown_format;
use super::listing::Asked;
use super::{Change, Draft, Precondition, Via};
use crate::app::App;
use crate::error::{Error, Result};
use crate::web::attachment::attachment;
use crate::web::bearer::{OwnResourcesRead, ResourcesRead, ResourcesWrite, Scoped, SudoScoped};
use crate::web::etag::{self, IfMatch, IfNoneMatch, OptionalIfMatch};
use crate::web::forms::StrictQuery;
use crate::web::json::{Json, Problem, WithEtag};
use crate::web::path::Id;
use crate::web::rendered::PUBLIC;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(lookup))
        .routes(routes!(find, update, trash))
        .routes(routes!(restore))
        .merge(revisions::routes())
        .routes(routes!(tags))
        .routes(routes!(export))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LookupQuery {
    /// The address to look for, by its normalised form.
    #[param(min_length = 1)]
    url: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `html` (bookmarks), `json` or `markdown` (a ZIP).
    #[param(value_type = Format, inline)]
    format: String,
}

/// What you may see, filtered, searched and sorted.
#[utoipa::path(get, path = "/resources", tag = "resources", security((), ("session" = []), ("bearer" = ["resources:read"])), params(Asked), responses(
    (status = 200, body = ResourceList, description = "One page of resources"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_query`, `bad_cursor`, `bad_parameter`"),
))]
async fn list(
    State(app): State<App>,
    viewer: Scoped<ResourcesRead>,
    StrictQuery(asked): StrictQuery<Asked>,
) -> Result<axum::Json<ResourceList>> {
    let listing = app.resources.list(&viewer, &asked).await?;
    Ok(axum::Json(ResourceList {
        items: listing.hits.iter().map(ResourceItem::from).collect(),
        next_cursor: listing.next.clone(),
    }))
}

/// Save a link or a note.
#[utoipa::path(post, path = "/resources", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), request_body = Draft, responses(
    (status = 201, body = ResourceBody, description = "The resource as it was saved", headers(("Location" = String), ("ETag" = String))),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url` with `existing_id`"),
))]
async fn create(
    State(app): State<App>,
    viewer: Scoped<ResourcesWrite>,
    Json(draft): Json<Draft>,
) -> Result<Response> {
    let created = app.resources.create(&viewer, &draft, Via::Api).await?;
    let location = [(header::LOCATION, format!("/api/v1/resources/{}", created.id))];
    Ok((StatusCode::CREATED, location, with_etag(&created)).into_response())
}

/// Your own resource that holds an address.
#[utoipa::path(get, path = "/resources/lookup", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), params(LookupQuery), responses(
    (status = 200, body = ResourceBody, description = "The resource that holds the address"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`"),
))]
async fn lookup(
    State(app): State<App>,
    viewer: Scoped<OwnResourcesRead>,
    StrictQuery(query): StrictQuery<LookupQuery>,
) -> Result<WithEtag<ResourceBody>> {
    let found = app.resources.lookup(&viewer, &query.url).await?;
    Ok(with_etag(&found))
}

/// One resource.
#[utoipa::path(get, path = "/resources/{id}", tag = "resources", security((), ("session" = []), ("bearer" = ["resources:read"])), params(("id" = Uuid, Path), IfNoneMatch), responses(
    (status = 200, body = ResourceBody, description = "The resource", headers(("ETag" = String))),
    (status = 304, description = "`If-None-Match` names what stands", headers(("ETag" = String))),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn find(
    State(app): State<App>,
    viewer: Scoped<ResourcesRead>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response> {
    let found = app.resources.find(&viewer, id).await?;
    let tag = found.etag();
    let mut answer = if etag::is_unchanged(&headers, &tag) {
        (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
    } else {
        with_etag(&found).into_response()
    };
    if viewer.member().is_none() {
        answer.headers_mut().insert(header::CACHE_CONTROL, PUBLIC);
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("cookie, authorization"));
    }
    Ok(answer)
}

/// Change some fields of the version you have read.
#[utoipa::path(patch, path = "/resources/{id}", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), IfMatch),
    request_body = Change, responses(
    (status = 200, body = ResourceBody, description = "The resource as it was saved", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`malformed_json`, `bad_body`, `bad_if_match`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
    (status = 428, body = Problem, content_type = "application/problem+json", description = "`precondition_required`"),
))]
async fn update(
    State(app): State<App>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
    Json(change): Json<Change>,
) -> Result<WithEtag<ResourceBody>> {
    let expected = required_precondition(&headers)?;
    let updated = app.resources.update(&viewer, id, &expected, change, Via::Api).await?;
    Ok(with_etag(&updated))
}

/// Move to the trash, where it stays for 30 days.
#[utoipa::path(delete, path = "/resources/{id}", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), OptionalIfMatch), responses(
    (status = 204, description = "It is in the trash"),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_if_match`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
))]
async fn trash(
    State(app): State<App>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<StatusCode> {
    app.resources.trash(&viewer, id, &precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take back from the trash.
#[utoipa::path(post, path = "/resources/{id}/restore", tag = "resources", security(("session" = []), ("bearer" = ["resources:write"])), params(("id" = Uuid, Path), OptionalIfMatch), responses(
    (status = 200, body = ResourceBody, description = "The resource as it was thrown away", headers(("ETag" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_if_match`"),
    (status = 412, body = Problem, content_type = "application/problem+json", description = "`version_conflict` with `current_version`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`not_found`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`duplicate_url`"),
))]
async fn restore(
    State(app): State<App>,
    viewer: Scoped<ResourcesWrite>,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<WithEtag<ResourceBody>> {
    let restored = app.resources.restore(&viewer, id, &precondition(&headers)?).await?;
    Ok(with_etag(&restored))
}

/// The tags of what you may see, with counts.
#[utoipa::path(get, path = "/tags", tag = "tags", security((), ("session" = []), ("bearer" = ["resources:read"])), responses((status = 200, body = TagList, description = "The tags in the order of their names")))]
async fn tags(State(app): State<App>, viewer: Scoped<ResourcesRead>) -> Result<axum::Json<TagList>> {
    Ok(axum::Json(TagList { items: app.resources.tags(&viewer).await? }))
}

/// Your own library as a file, the trash included.
#[utoipa::path(get, path = "/export", tag = "resources", security(("session" = []), ("bearer" = ["resources:read"])), params(ExportQuery), responses(
    (status = 200, description = "The file", headers(("Content-Disposition" = String)),
        content((String = "text/html"), (Object = "application/json"), (String = "application/zip"))),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`bad_parameter`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`sudo_required`; for a token `insufficient_scope`"),
))]
async fn export(
    State(app): State<App>,
    viewer: SudoScoped<OwnResourcesRead>,
    StrictQuery(query): StrictQuery<ExportQuery>,
) -> Result<Response> {
    let format = Format::read(&query.format).ok_or_else(unknown_format)?;
    Ok(attachment(app.resources.export(&viewer, format)?, format.media_type(), format.file_name()))
}

/// What `If-Match` expects to stand. What loses nothing can do without it.
fn precondition(headers: &HeaderMap) -> Result<Precondition> {
    Ok(etag::if_match(headers)?.map_or(Precondition::None, Precondition::Tags))
}

/// The same for what writes over something.
///
/// # Errors
/// 428 without that header.
fn required_precondition(headers: &HeaderMap) -> Result<Precondition> {
    etag::if_match(headers)?.map(Precondition::Tags).ok_or(Error::PreconditionRequired)
}
