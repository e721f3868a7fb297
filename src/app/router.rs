//! Every address and every layer on one screen, and the state of each slice's routes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::MatchedPath;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use utoipa::OpenApi as _;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa_axum::router::OpenApiRouter;

use super::{App, library};
use crate::accounts::people::{self, PeopleState};
use crate::admin::limits::LimitsState;
use crate::admin::{self, AdminState, limits};
use crate::audit::reader::{ACTION_SCHEMA, AuditState};
use crate::auth::AuthState;
use crate::error::Error;
use crate::overview::{self, OverviewState};
use crate::pipeline::limits::Tree;
use crate::pipeline::{Pipeline, TreePipeline, base_path, csp_report, error_response, log, session};
use crate::refresh::{self, RefreshState};
use crate::sessions::{self, SessionsState};
use crate::settings::SettingsState;
use crate::tokens::{self, TokensState};
use crate::web::forms::FORM_LIMIT;
use crate::web::{assets, cors, json};
use crate::{accounts, audit, auth, health, openapi, pipeline, settings};

impl App {
    fn auth_state(&self) -> AuthState {
        AuthState {
            auth: self.auth.clone(),
            deps: self.deps.clone(),
            people: self.people.clone(),
            mail: self.mail.clone(),
            signup: self.config.accounts.signup,
        }
    }

    fn settings_state(&self) -> SettingsState {
        SettingsState {
            auth: self.auth.clone(),
            deps: self.deps.clone(),
            library: self.library.own(),
            audit_reader: self.audit_reader.clone(),
            mail: self.mail.clone(),
        }
    }

    fn refresh_state(&self) -> RefreshState {
        RefreshState { refresh: self.refresh.clone(), deps: self.deps.clone() }
    }

    fn sessions_state(&self) -> SessionsState {
        SessionsState { sessions: self.sessions.clone(), deps: self.deps.clone() }
    }

    fn tokens_state(&self) -> TokensState {
        TokensState { tokens: self.tokens.clone(), deps: self.deps.clone() }
    }

    fn people_state(&self) -> PeopleState {
        PeopleState { people: self.people.clone(), deps: self.deps.clone() }
    }

    fn admin_state(&self) -> AdminState {
        AdminState { admin: self.admin.clone(), deps: self.deps.clone() }
    }

    fn audit_state(&self) -> AuditState {
        AuditState { audit_reader: self.audit_reader.clone(), deps: self.deps.clone() }
    }

    fn limits_state(&self) -> LimitsState {
        LimitsState { limits: self.limits.clone(), deps: self.deps.clone() }
    }

    fn overview_state(&self) -> OverviewState {
        OverviewState { overview: self.overview.clone(), deps: self.deps.clone() }
    }

    fn pipeline(&self) -> Pipeline {
        Pipeline {
            auth: self.auth.clone(),
            deps: self.deps.clone(),
            limiter: self.limiter.clone(),
            metrics: self.metrics.clone(),
            request_timeout: Duration::from_secs(self.config.request_timeout),
            hsts_subdomains: self.config.hsts_subdomains,
        }
    }
}

/// `None`: only its description.
fn api_routes(app: Option<&App>) -> OpenApiRouter {
    let v1 = OpenApiRouter::new()
        .merge(with_state(refresh::api::routes(), app, App::refresh_state))
        .merge(accounts::api::routes())
        .merge(with_state(sessions::api::routes(), app, App::sessions_state))
        .merge(with_state(tokens::api::routes(), app, App::tokens_state))
        .merge(library::api(app))
        .merge(with_state(people::api::routes(), app, App::people_state))
        .merge(with_state(admin::api::routes(), app, App::admin_state))
        .merge(with_state(audit::api::routes(), app, App::audit_state))
        .merge(with_state(limits::api::routes(), app, App::limits_state))
        .merge(with_state(overview::api::routes(), app, App::overview_state));
    let mut document = openapi::Document::openapi();
    let names: Vec<&str> = library::audit_actions().iter().map(|action| action.as_str()).collect();
    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    document.components.get_or_insert_default().schemas.insert(ACTION_SCHEMA.to_owned(), names.into());
    OpenApiRouter::with_openapi(document).nest("/api/v1", v1)
}

pub(super) fn with_state<S>(
    routes: OpenApiRouter<S>,
    app: Option<&App>,
    state: impl FnOnce(&App) -> S,
) -> OpenApiRouter
where
    S: Clone + Send + Sync + 'static,
{
    match app {
        Some(app) => routes.with_state(state(app)),
        None => OpenApiRouter::with_openapi(routes.into_openapi()),
    }
}

/// The description of the JSON API (OpenAPI 3.1) below this path.
#[must_use]
pub fn openapi(path: &str) -> serde_json::Value {
    openapi::complete(&api_routes(None).into_openapi(), path)
}

/// The outermost layer first.
pub fn router(app: &App) -> Router {
    let sessions = Some(session::layer(&app.auth));
    let pipeline = Arc::new(app.pipeline());
    let tree = |tree, body_limit| TreePipeline {
        pipeline: pipeline.clone(),
        tree,
        body_limit,
        sessions: sessions.clone(),
    };
    let pages = Router::new()
        .merge(auth::pages::routes().with_state(app.auth_state()))
        .merge(settings::routes().with_state(app.settings_state()))
        .merge(people::pages::routes().with_state(app.people_state()))
        .merge(admin::pages::routes().with_state(app.admin_state()))
        .merge(audit::pages::routes().with_state(app.audit_state()))
        .merge(limits::pages::routes().with_state(app.limits_state()))
        .merge(overview::pages::routes().with_state(app.overview_state()))
        .merge(sessions::pages::routes().with_state(app.sessions_state()))
        .merge(tokens::pages::routes().with_state(app.tokens_state()))
        .merge(library::pages(app))
        .merge(openapi::pages::routes(|| openapi("")).with_state(app.deps.clone()))
        .fallback(error_response::not_found)
        .method_not_allowed_fallback(error_response::method_not_allowed);
    let pages = behind(pages, tree(Tree::Pages, FORM_LIMIT));

    // Assets are the same for every viewer, so no session is read; the page of a wrong address can be read too.
    let assets = Router::new()
        .route(assets::ROUTE, get(assets::serve))
        .merge(library::assets(app))
        .route("/favicon.ico", get(async || assets::file("favicon.ico")))
        .route("/apple-touch-icon.png", get(async || assets::file("apple-touch-icon.png")))
        .route("/robots.txt", get(assets::robots).with_state(app.deps.clone()))
        .layer(from_fn_with_state(tree(Tree::Pages, FORM_LIMIT), error_response::render));

    let (api, document) = api_routes(Some(app)).split_for_parts();
    let path = app.deps.public_url.path().to_owned();
    let (elsewhere, methods) = (openapi::elsewhere(&document), Arc::new(openapi::methods(&document)));
    let api = api
        .route("/api/v1/openapi.json", openapi::serve(move || openapi(&path)))
        .route("/api", elsewhere.clone())
        .route("/api/", elsewhere.clone())
        .route("/api/{*rest}", elsewhere)
        .method_not_allowed_fallback(async move |path: MatchedPath| {
            Error::MethodNotAllowed(methods.get(path.as_str()).cloned().unwrap_or_default())
        });
    let api = behind(api, tree(Tree::Api, json::BODY_LIMIT));
    let api = match app.config.cors.cors_origins.as_slice() {
        [] => api,
        origins => api.layer(from_fn_with_state(Arc::from(origins), cors::share)),
    };

    // Browsers send these by themselves, without an origin to check; they change nothing.
    let reports = Router::new().route(csp_report::PATH, post(csp_report::take));
    let reports = behind(reports, TreePipeline { sessions: None, ..tree(Tree::Api, FORM_LIMIT) });

    let health = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .with_state(app.health.clone());
    let all = Router::new()
        .merge(pages)
        .merge(assets)
        .merge(reports)
        .merge(api)
        .merge(health)
        .layer(from_fn_with_state(pipeline, log::trace));
    base_path::mount(app.deps.public_url.path(), all)
}

/// Adds the pipeline that the tree's requests pass first.
fn behind(routes: Router, pipeline: TreePipeline) -> Router {
    routes.layer(from_fn_with_state(pipeline, pipeline::run))
}
