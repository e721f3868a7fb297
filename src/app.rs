//! The application: its state, and every address and layer on one screen.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use secrecy::ExposeSecret as _;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::accounts::people::{self, People};
use crate::accounts::{self, Accounts};
use crate::admin;
use crate::audit::trail::Trail;
use crate::audit::{self, Audit};
use crate::cache::{self, Cache};
use crate::config::Config;
use crate::context::Context;
use crate::db::{Db, Opening};
use crate::installation;
use crate::keys::{Keys, belonging};
use crate::limiter::Limiter;
use crate::limiter::layer::Tree;
use crate::limits::{self, Limits};
use crate::mail::Mail;
use crate::openapi;
use crate::redis::Redis;
use crate::refresh::{self, Refresh};
use crate::resources::{self, Resources};
use crate::seal::Seal;
use crate::sessions::{self, Sessions};
use crate::telemetry::history::History;
use crate::telemetry::history::shared::Shared;
use crate::telemetry::metrics::Metrics;
use crate::tokens::{self, Tokens};
use crate::web::client::Clients;
use crate::web::csrf::FormKey;
use crate::web::cursor::CursorKey;
use crate::web::forms::FORM_LIMIT;
use crate::web::known::Known;
use crate::web::site::Site;
use crate::web::way::{self, Way};
use crate::web::{assets, faces, health, json, log, reports, session};

/// The application's state; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    pub context: Context,
    pub site: Site,
    pub clients: Clients,
    pub db: Db,
    pub redis: Option<Redis>,
    pub cache: Cache,
    pub sessions: Sessions,
    pub session_store: Arc<Sessions>,
    pub refresh: Refresh,
    pub tokens: Tokens,
    pub form_key: FormKey,
    pub limiter: Limiter,
    pub known: Known,
    pub limits: Limits,
    pub accounts: Accounts,
    pub audit: Audit,
    pub trail: Trail,
    pub people: People,
    /// Seals what is shown once.
    pub once: Seal,
    pub mail: Mail,
    pub resources: Resources,
    pub metrics: Metrics,
    pub history: History,
    pub shared_history: Option<Shared>,
    stopping: AtomicBool,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Opens everything the application needs; `local` is where it listens.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub async fn open(config: Config, context: Context, local: SocketAddr) -> Result<Self, String> {
        Self::open_as(config, context, local, Opening::Create).await
    }

    /// The same; with [`Opening::Existing`] nothing is made and nothing brought up to date.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub async fn open_as(
        config: Config,
        context: Context,
        local: SocketAddr,
        opening: Opening,
    ) -> Result<Self, String> {
        let open = async |config: &Config| {
            let url = config.database();
            let opened = Db::open_as(&url, config.database_connections, opening).await;
            opened.map_err(|e| e.to_string())
        };
        Self::assemble(config, context, local, opening, open).await
    }

    /// The same with a database that is had in another way.
    pub async fn open_with(
        config: Config,
        context: Context,
        local: SocketAddr,
        open: impl AsyncFnOnce(&Config) -> Result<Db, String>,
    ) -> Result<Self, String> {
        Self::assemble(config, context, local, Opening::Create, open).await
    }

    async fn assemble(
        config: Config,
        context: Context,
        local: SocketAddr,
        opening: Opening,
        open: impl AsyncFnOnce(&Config) -> Result<Db, String>,
    ) -> Result<Self, String> {
        if opening == Opening::Create {
            prepare_data_dir(&config)?;
        }
        // A key that is none is refused before the database is touched.
        Keys::configured(&config)?;
        let metrics = Metrics::new(&context);
        let site = Site::new(config.base_url.as_ref(), local)?;
        let db = open(&config).await?;
        let keys = belonging::open(&db, &config, &context, opening).await?;
        db.measure_for(&metrics);
        let redis =
            config.redis_url.as_ref().map(|url| Redis::connect(url.expose_secret(), &context)).transpose()?;
        let redis = redis.map(|redis| redis.measured_by(&metrics));
        if let Some(redis) = &redis {
            installation::introduce(&db, redis).await.map_err(|e| e.to_string())?;
        }
        let limits = cache::Limits { memory: config.cache_memory << 20, loads: config.database_connections };
        let cache = Cache::new((db.clone(), context.clone()), redis.as_ref(), &keys, limits, Some(&metrics));
        let history = History::new(&instance_name(local), context.now());
        let audit = Audit::new(context.clone(), &keys, &metrics);
        let mail = Mail::new(db.clone(), context.clone(), &config, &site, &keys, &metrics)?;
        let cursors = CursorKey::new(keys.derive("cursor"));
        let sessions =
            Sessions::new(db.clone(), redis.as_ref(), context.clone(), (audit.clone(), metrics.clone()));
        let clients = Clients::new(&config, &keys);
        let limiter = Limiter::new(&config.rate_limit, &keys, redis.as_ref(), &context, &metrics);
        let accounts = Accounts::new(
            (db.clone(), cache.clone(), context.clone()),
            (audit.clone(), mail.clone(), sessions.clone(), limiter.clone()),
            &config,
            &site,
            &keys,
        )?;
        let refresh = Refresh::new(
            (db.clone(), context.clone()),
            (audit.clone(), sessions.clone(), accounts.clone()),
            &config,
            &keys,
            &site.origin(),
        );
        Ok(Self(Arc::new(Inner {
            trail: Trail::new(db.clone(), context.clone(), audit.clone(), cursors.clone()),
            people: People {
                db: db.clone(),
                cache: cache.clone(),
                context: context.clone(),
                audit: audit.clone(),
                sessions: sessions.clone(),
                cursors: cursors.clone(),
            },
            once: Seal::new(keys.derive("once")),
            session_store: Arc::new(sessions.clone()),
            sessions,
            refresh,
            tokens: Tokens::new(db.clone(), context.clone(), audit.clone()),
            known: Known::new(&context),
            form_key: FormKey::new(keys.derive("form")),
            accounts,
            resources: Resources::new(cache.clone(), db.clone(), context.clone(), cursors),
            cache,
            limits: Limits {
                db: db.clone(),
                audit: audit.clone(),
                limiter: limiter.clone(),
                clients: clients.clone(),
            },
            clients,
            limiter,
            audit,
            mail,
            metrics,
            shared_history: redis.as_ref().map(|redis| Shared::new(redis, &history)),
            history,
            stopping: AtomicBool::new(false),
            config,
            context,
            site,
            db,
            redis,
        })))
    }

    /// From now on `/readyz` says no, so that no new requests are sent here.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub async fn close(&self) {
        if let Some(redis) = &self.redis {
            redis.close().await;
        }
        self.db.close().await;
    }
}

fn api_routes() -> OpenApiRouter<App> {
    let v1 = OpenApiRouter::new()
        .merge(refresh::api::routes())
        .merge(accounts::api::routes())
        .merge(sessions::api::routes())
        .merge(tokens::api::routes())
        .merge(resources::api::routes())
        .merge(resources::public::api::routes())
        .merge(people::api::routes())
        .merge(admin::api::routes())
        .merge(audit::api::routes())
        .merge(limits::api::routes());
    let mut routes = OpenApiRouter::with_openapi(openapi::Document::openapi()).nest("/api/v1", v1);
    openapi::complete(routes.get_openapi_mut());
    routes
}

/// The description of the JSON API (OpenAPI 3.1).
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api_routes().into_openapi()
}

/// Every address and every layer, the outermost first.
pub fn router(app: &App) -> Router {
    let sessions = Some(session::layer(app));
    let way = |tree, body_limit| Way { app: app.clone(), tree, body_limit, sessions: sessions.clone() };
    let pages = Router::new()
        .merge(accounts::pages::routes())
        .merge(people::pages::routes())
        .merge(accounts::data::pages::routes())
        .merge(admin::pages::routes())
        .merge(audit::pages::routes())
        .merge(limits::pages::routes())
        .merge(sessions::pages::routes())
        .merge(tokens::pages::routes())
        .merge(resources::pages::routes())
        .merge(resources::public::pages::routes())
        .merge(resources::export::pages::routes())
        .merge(resources::import::pages::routes(app.config.import_limit << 20))
        .fallback(faces::not_found)
        .method_not_allowed_fallback(faces::method_not_allowed);
    let pages = on_its_way(pages, way(Tree::Pages, FORM_LIMIT));

    // Assets are the same for every viewer: no session is read for them, and by a wrong address too the page that
    // says so can be read.
    let assets = Router::new()
        .route("/static/{*path}", get(assets::serve))
        .layer(from_fn_with_state((app.clone(), Tree::Pages), faces::dress));

    let (api, document) = api_routes().split_for_parts();
    let description = Bytes::from(serde_json::to_vec(&document).unwrap_or_default());
    drop(document);
    let docs = SwaggerUi::new("/api/docs").config(
        utoipa_swagger_ui::Config::new(["/api/v1/openapi.json"]).validator_url("none").use_base_layout(),
    );
    let api = api
        .route("/api/v1/openapi.json", get(async move || ([(CONTENT_TYPE, "application/json")], description)))
        .merge(docs)
        .route("/api", any(faces::not_found))
        .route("/api/", any(faces::not_found))
        .route("/api/{*rest}", any(faces::not_found))
        .method_not_allowed_fallback(faces::method_not_allowed);
    let api = on_its_way(api, way(Tree::Api, json::BODY_LIMIT));

    // Browsers send these by themselves, without an origin to check; they change nothing.
    let reports = Router::new().route(reports::PATH, post(reports::take));
    let reports = on_its_way(reports, Way { sessions: None, ..way(Tree::Api, FORM_LIMIT) });

    Router::new()
        .merge(pages)
        .merge(assets)
        .merge(reports)
        .merge(api)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(from_fn_with_state(app.clone(), log::trace))
        .with_state(app.clone())
}

/// Puts a tree behind all that its requests pass first.
fn on_its_way(routes: Router<App>, way: Way) -> Router<App> {
    routes.layer(from_fn_with_state(way, way::pass))
}

/// What the metrics call this process among all nodes: the machine's name and the port.
fn instance_name(local: SocketAddr) -> String {
    format!("{}:{}", rustix::system::uname().nodename().to_string_lossy(), local.port())
}

/// Makes the data directory, readable by its owner alone.
pub(crate) fn prepare_data_dir(config: &Config) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir).map_err(|e| {
        format!(
            "Cannot make the data directory {}: {e}. Make its parent writable for this user, or set COFFER_DATA_DIR.",
            config.data_dir.display()
        )
    })
}
