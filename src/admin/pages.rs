//! The metrics page: whole, and as the part that a poll replaces.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;

use super::charts::{self, Charts, charts};
use super::query::{RANGES, ReportQuery};
use super::report::Report;
use super::{Admin, AdminState, chart, format};
use crate::error::{Error, FieldErrors, Result};
use crate::identity::Viewer;
use crate::limiter::blocked::Blocked;
use crate::web::etag::is_unchanged;
use crate::web::forms::Query;
use crate::web::html;
use crate::web::page_context::{PageContext, page};
use crate::web::request::Unrecorded;

/// The address that the page polls.
pub const LIVE: &str = "/admin/metrics/live";
const MOST_HELD: usize = 5;

pub fn routes() -> Router<AdminState> {
    Router::new().route("/admin/metrics", get(show)).route(LIVE, get(live))
}

#[derive(Template)]
#[template(path = "admin/metrics.html")]
struct MetricsPage {
    context: PageContext,
    live: Live,
    errors: FieldErrors,
}

/// All of the page but its frame.
#[derive(Template)]
#[template(path = "admin/metrics/live.html")]
struct Live {
    report: Report,
    query: ReportQuery,
    charts: Charts,
    held: Held,
}

#[derive(Debug, Default)]
pub struct Held {
    clients: Vec<Blocked>,
    csrf: String,
}

impl Held {
    /// As all nodes know it.
    async fn now(admin: &Admin, csrf: &str) -> Self {
        let blocked = admin.limiter.overview().await.blocked.into_iter().filter(|client| !client.shadow);
        Self { clients: blocked.take(MOST_HELD).collect(), csrf: csrf.to_owned() }
    }
}

impl Live {
    async fn new(admin: &Admin, viewer: &Viewer, query: ReportQuery, held: Held) -> Result<Self> {
        let report = admin.report(viewer, &query).await?;
        Ok(Self { charts: charts(&report), report, query, held })
    }

    fn ranges(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        RANGES.into_iter().map(move |(name, words, _)| (name, words, name == self.query.range()))
    }

    fn orders(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let chosen = self.query.sort.as_str();
        [("total", "time"), ("rate", "rate"), ("errors", "errors"), ("p99", "p99")]
            .into_iter()
            .map(move |(name, words)| (name, words, name == chosen || (chosen.is_empty() && name == "total")))
    }

    /// In the browser's tab, so that you see trouble from another one.
    fn title(&self) -> &'static str {
        match self.report.status {
            "failing" => "Failing · Metrics · coffer",
            "degraded" => "Degraded · Metrics · coffer",
            _ => "Metrics · coffer",
        }
    }

    fn until(&self) -> String {
        format::clock(self.report.until)
    }
}

async fn show(
    State(admin): State<Arc<Admin>>,
    viewer: Viewer,
    context: PageContext,
    Query(query): Query<ReportQuery>,
) -> Result<Response> {
    viewer.require_admin()?;
    let (query, errors) = match query.span().and_then(|_| query.sort()) {
        Ok(_) => (query, FieldErrors::default()),
        Err(Error::Invalid(errors)) => (ReportQuery::default(), errors),
        Err(error) => return Err(error),
    };
    let live = Live::new(&admin, &viewer, query, Held::now(&admin, &context.csrf).await).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let toast = context.toast.is_some();
    let shown = MetricsPage { context: context.section("metrics"), live, errors };
    Ok((status, page(&shown, toast)?).into_response())
}

pub async fn fragment(admin: &Admin, viewer: &Viewer, query: ReportQuery, held: Held) -> Result<String> {
    Ok(html::render(&Live::new(admin, viewer, query, held).await?)?)
}

/// `304` as long as it would be the same. Polls are not counted as requests.
async fn live(
    State(admin): State<Arc<Admin>>,
    viewer: Viewer,
    context: PageContext,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response> {
    viewer.require_admin()?;
    let tag = tag(&admin, &query);
    let mut response = if is_unchanged(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let held = Held::now(&admin, &context.csrf).await;
        Html(fragment(&admin, &viewer, query, held).await?).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("private, no-cache"));
    headers.insert(header::ETAG, tag.parse().map_err(|_| Error::Internal("an ETag".to_owned()))?);
    response.extensions_mut().insert(Unrecorded);
    Ok(response)
}

/// The same for the same query, data and version.
fn tag(admin: &Admin, query: &ReportQuery) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (query.query(), admin.history.until(), admin.history.own().started, env!("CARGO_PKG_VERSION"))
        .hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
