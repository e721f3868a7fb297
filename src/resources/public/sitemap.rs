//! The public pages as search engines are told of them (sitemaps.org).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use super::store::{self, Place};
use crate::error::{Error, Result};
use crate::identity::Viewer;
use crate::resources::{Resources, ResourcesState, cached};
use crate::web::deps::WebDeps;
use crate::web::page_cache;

/// A sitemap may name five times as many; this bounds the memory of one.
const MOST: i64 = 10_000;

pub fn routes() -> Router<ResourcesState> {
    Router::new().route("/sitemap.xml", get(sitemap))
}

async fn sitemap(
    State(resources): State<Arc<Resources>>,
    State(deps): State<Arc<WebDeps>>,
    headers: HeaderMap,
) -> Result<Response> {
    if !deps.is_indexed {
        return Err(Error::NotFound);
    }
    let scopes = cached::list_scopes(&Viewer::Visitor);
    let render = {
        let (db, site) = (resources.db.clone(), deps.public_url.address());
        async move {
            let places = store::places(&db, &Viewer::Visitor, MOST).await?;
            Ok(Bytes::from(write(&places, &site)))
        }
    };
    page_cache::document(&resources.cache, &headers, &["sitemap"], "application/xml", scopes, render).await
}

fn write(places: &[Place], site: &str) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let profiles: BTreeSet<&str> =
        places.iter().filter(|place| place.has_profile).map(|place| place.username.as_str()).collect();
    // Writing into a text can't fail.
    for username in profiles {
        let _ = writeln!(xml, "<url><loc>{site}/u/{username}</loc></url>");
    }
    for Place { id, updated_at, .. } in places {
        let at = updated_at.rfc3339();
        let _ = writeln!(xml, "<url><loc>{site}/resources/{id}</loc><lastmod>{at}</lastmod></url>");
    }
    xml + "</urlset>\n"
}
