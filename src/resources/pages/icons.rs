//! Icons of sites. Their addresses follow from their contents and a key, so they are for those who were told them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::resources::{Resources, ResourcesState};

const FOREVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
/// A stranger's bytes: whatever they are, they are shown and do nothing.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

pub fn routes() -> Router<ResourcesState> {
    Router::new().route("/icons/{id}", get(icon))
}

async fn icon(State(resources): State<Arc<Resources>>, Path(id): Path<String>) -> Result<Response> {
    let bytes = HEXLOWER.decode(id.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let icon = resources.icon(bytes.map(Uuid::from_bytes).ok_or(Error::NotFound)?).await?;
    let media_type = HeaderValue::from_str(&icon.media_type).map_err(|e| Error::Internal(e.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, FOREVER),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, icon.content).into_response())
}
