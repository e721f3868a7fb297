//! The application: everything that runs, opened and built once.

mod library;
mod router;

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::accounts::people::UserAdmin;
use crate::accounts::policy::Signup;
use crate::accounts::{self, Accounts};
use crate::admin::Admin;
use crate::admin::limits::Limits;
use crate::audit::AuditLog;
use crate::audit::reader::AuditReader;
use crate::auth::Auth;
use crate::auth::known::Known;
use crate::auth::sudo_mode::PasswordSudo;
use crate::cache::{self, Cache, Capacity};
use crate::client_ip::ClientIp;
use crate::config::Config;
use crate::data_dir;
use crate::db::{Db, Opening};
use crate::fetch::Switch;
use crate::health::Health;
use crate::history::History;
use crate::history::shared::Shared;
use crate::installation;
use crate::keys::{Keys, belonging};
use crate::limiter::Limiter;
use crate::mail::Mail;
use crate::overview::Overview;
use crate::public_url::PublicUrl;
use crate::redis::Redis;
use crate::refresh::{self, Refresh};
use crate::sealer::Sealer;
use crate::sessions::Sessions;
use crate::system::System;
use crate::telemetry::metrics::Metrics;
use crate::tls::Tls;
use crate::tokens::Tokens;
use crate::web::csrf::FormKey;
use crate::web::cursor::CursorKey;
use crate::web::deps::WebDeps;

use self::library::Library;
pub use self::router::{openapi, router};

/// Each part gets only what it needs.
pub struct App {
    pub config: Config,
    pub system: System,
    pub deps: Arc<WebDeps>,
    pub db: Db,
    pub redis: Option<Redis>,
    pub health: Arc<Health>,
    pub cache: Cache,
    pub auth: Arc<Auth>,
    pub sessions: Arc<Sessions>,
    pub refresh: Arc<Refresh>,
    pub tokens: Arc<Tokens>,
    pub limiter: Limiter,
    pub limits: Arc<Limits>,
    pub accounts: Arc<Accounts>,
    pub audit_reader: Arc<AuditReader>,
    pub people: Arc<UserAdmin>,
    pub mail: Mail,
    pub library: Library,
    pub admin: Arc<Admin>,
    pub overview: Arc<Overview>,
    pub metrics: Metrics,
    pub history: History,
    pub tls: Option<Tls>,
    pub shared_history: Option<Shared>,
}

/// What the rest is built on.
struct Opened {
    config: Config,
    system: System,
    local: SocketAddr,
    metrics: Metrics,
    public_url: PublicUrl,
    db: Db,
    redis: Option<Redis>,
    keys: Keys,
    tls: Option<Tls>,
}

impl Opened {
    fn cache(&self) -> Cache {
        let Self { db, system, redis, keys, metrics, config, .. } = self;
        let deps = cache::Deps {
            db,
            context: system,
            redis: redis.as_ref(),
            keys,
            metrics: Some(metrics),
            kinds: &library::cache_kinds(),
        };
        let capacity =
            Capacity { memory: config.cache_memory << 20, loads: config.database.database_connections };
        Cache::new(deps, capacity)
    }

    fn library(&self, cache: &Cache, cursors: &CursorKey, audit: &AuditLog) -> Library {
        let Self { db, system, keys, config, .. } = self;
        Library::new(&library::Deps { config, system, keys, db, cache, cursors, audit })
    }

    fn mail(&self) -> Result<Mail, String> {
        let Self { db, system, public_url, keys, metrics, config, .. } = self;
        let (db, system) = (db.clone(), system.clone());
        Mail::new(db, system, &config.mail, &config.data_dir, public_url, keys, metrics)
    }
}

impl App {
    /// `local` is where it listens. [`Opening::Existing`] makes and migrates nothing. The error says what to do.
    pub async fn open_as(
        config: Config,
        context: System,
        local: SocketAddr,
        opening: Opening,
    ) -> Result<Arc<Self>, String> {
        let open = async |config: &Config| {
            let url = config.database();
            let opened = Db::open_as(&url, config.database.database_connections, opening).await;
            opened.map_err(|e| e.to_string())
        };
        Self::assemble(config, context, local, opening, open).await
    }

    /// With a database that is opened elsewhere.
    pub async fn open_with(
        config: Config,
        context: System,
        local: SocketAddr,
        open: impl AsyncFnOnce(&Config) -> Result<Db, String>,
    ) -> Result<Arc<Self>, String> {
        Self::assemble(config, context, local, Opening::Create, open).await
    }

    async fn assemble(
        config: Config,
        context: System,
        local: SocketAddr,
        opening: Opening,
        open: impl AsyncFnOnce(&Config) -> Result<Db, String>,
    ) -> Result<Arc<Self>, String> {
        if opening == Opening::Create {
            data_dir::prepare(&config.data_dir)?;
        }
        // Refuse a malformed key before the database is touched.
        Keys::configured(config.key_source())?;
        let tls = Tls::load(&config.tls, config.base_url.as_ref())?;
        let metrics = Metrics::new(&context);
        let public_url = PublicUrl::new(config.base_url.as_ref(), local)?;
        let db = open(&config).await?;
        let keys = belonging::open(&db, config.key_source(), &context, opening).await?;
        db.measure_for(&metrics);
        let redis =
            config.redis_url.as_ref().map(|url| Redis::connect(url.expose_secret(), &context)).transpose()?;
        let redis = redis.map(|redis| redis.with_metrics(&metrics));
        if let Some(redis) = &redis {
            installation::name_redis(&db, redis).await.map_err(|e| e.to_string())?;
        }
        Self::build(Opened { config, system: context, local, metrics, public_url, db, redis, keys, tls })
            .map(Arc::new)
    }

    fn build(opened: Opened) -> Result<Self, String> {
        let (cache, mail) = (opened.cache(), opened.mail()?);
        let cursors = CursorKey::new(opened.keys.derive("cursor"));
        let audit =
            AuditLog::new(opened.system.clone(), &opened.keys, &opened.metrics, &library::audit_actions());
        let library = opened.library(&cache, &cursors, &audit);
        let Opened { config, system, local, metrics, public_url, db, redis, keys, tls } = opened;
        let history = History::new(&instance_name(local), system.now());
        let sessions = Sessions::new(&db, &cache, redis.as_ref(), &system, &audit, &metrics);
        let client_ip = ClientIp::new(&config.client, &keys);
        let limiter = Limiter::new(&config.rate_limit, &keys, redis.as_ref(), &system, &metrics);
        let needed = accounts::Deps {
            db: db.clone(),
            cache: cache.clone(),
            system: system.clone(),
            audit: audit.clone(),
            mail: mail.clone(),
            sessions: sessions.clone(),
            limiter: limiter.clone(),
        };
        let accounts = Accounts::new(needed, &config.accounts, &public_url, &keys)?;
        let tokens = Arc::new(Tokens::new(db.clone(), system.clone(), audit.clone()));
        let needed = refresh::Deps {
            db: db.clone(),
            system: system.clone(),
            audit: audit.clone(),
            sessions: sessions.clone(),
            accounts: accounts.clone(),
            tokens: tokens.clone(),
        };
        let refresh = Arc::new(Refresh::new(needed, config.accounts.stay(), &keys, &public_url.address()));
        let (accounts, sessions) = (Arc::new(accounts), Arc::new(sessions));
        let deps = Arc::new(WebDeps {
            system: system.clone(),
            public_url,
            client_ip: client_ip.clone(),
            once: Sealer::new(keys.derive("once")),
            sudo: Box::new(PasswordSudo { accounts: accounts.clone(), system: system.clone() }),
            signup_open: config.accounts.signup == Signup::Open,
            is_indexed: config.search_engines == Switch::On,
            upload_limit: config.import_limit << 20,
        });
        let health = Arc::new(Health::new(db.clone(), redis.clone()));
        let audit_reader =
            Arc::new(AuditReader::new(db.clone(), system.clone(), audit.clone(), cursors.clone()));
        let people = Arc::new(UserAdmin {
            db: db.clone(),
            context: system.clone(),
            accounts: accounts.clone(),
            cursors,
        });
        let admin = Arc::new(Admin::new(&system, &health, &history, &limiter));
        let limits = Arc::new(Limits::new(&db, &system, &audit, &limiter, client_ip, redis.is_some()));
        Ok(Self {
            overview: Arc::new(Overview {
                system: system.clone(),
                db: db.clone(),
                admin: admin.clone(),
                audit_reader: audit_reader.clone(),
                people: people.clone(),
                limits: limits.clone(),
                mail: mail.clone(),
            }),
            audit_reader,
            people,
            admin,
            limits,
            auth: Arc::new(Auth {
                accounts: accounts.clone(),
                sessions: sessions.clone(),
                refresh: refresh.clone(),
                tokens: tokens.clone(),
                audit,
                form_key: FormKey::new(keys.derive("form")),
                known: Known::new(&system),
                deps: deps.clone(),
                session_idle: config.accounts.session_idle(),
                session_max: config.accounts.session_max(),
                require_2fa: config.accounts.require_2fa,
                stay_days: config.accounts.stay_days,
            }),
            library,
            shared_history: redis.as_ref().map(|redis| Shared::new(redis, &history)),
            system,
            config,
            deps,
            db,
            redis,
            health,
            cache,
            sessions,
            refresh,
            tokens,
            limiter,
            accounts,
            mail,
            metrics,
            history,
            tls,
        })
    }

    pub async fn close(&self) {
        if let Some(redis) = &self.redis {
            redis.close().await;
        }
        self.db.close().await;
    }
}

/// This process in the metrics of all nodes: the machine's name and the port.
fn instance_name(local: SocketAddr) -> String {
    format!("{}:{}", rustix::system::uname().nodename().to_string_lossy(), local.port())
}
