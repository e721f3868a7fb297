//! A whole coffer on a port and a database of its own, with a clock that the test moves.

use std::fs::File;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use coffer::accounts::NewAccount;

use coffer::config::Config;
use coffer::db::{Db, Opening};
use coffer::identity::{Role, Viewer};
use coffer::limiter::policy::Policy;
use coffer::system::{Clock, System};
use coffer::timestamp::Timestamp;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::actor::Actor;
use super::postgres::{Database, PostgresServer, fresh_database};
use super::redis::RedisServer;
use super::tap::Tap;
use super::wait::eventually;

pub const PASSWORD: &str = "correct horse battery";
const RAW_LIMIT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Waits until a stopped coffer holds neither its lock nor a connection to this file: a connection that closes
/// later would write its log into whatever file stands there by then.
async fn let_go_of(file: &Path) {
    let lock = File::open(file.with_extension("db.lock")).expect("the lock's file");
    eventually(RAW_LIMIT, async || lock.try_lock()).await.expect("the database is free");
    let name = file.to_str().expect("a path of letters");
    let is_open = |descriptor: std::io::Result<std::fs::DirEntry>| {
        let target = descriptor.and_then(|descriptor| std::fs::read_link(descriptor.path()));
        target.is_ok_and(|target| ["", "-wal", "-shm"].iter().any(|end| *target == *format!("{name}{end}")))
    };
    let closed = async || {
        let mut open = std::fs::read_dir("/proc/self/fd").expect("Linux");
        if open.any(is_open) { Err("a connection is open") } else { Ok(()) }
    };
    eventually(RAW_LIMIT, closed).await.expect("every connection closes");
}

/// The system's time and as much more as the test has let pass.
#[derive(Clone)]
struct TestClock {
    system: Arc<dyn Clock>,
    ahead: Arc<AtomicI64>,
    /// By how much it was set back.
    behind: Arc<AtomicI64>,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::SeqCst) - self.behind.load(Ordering::SeqCst);
        Timestamp::from_micros(self.system.now().micros() + ahead)
    }

    fn ticks(&self) -> i64 {
        self.system.ticks() + self.ahead.load(Ordering::SeqCst)
    }
}

/// One running coffer.
pub struct Node {
    pub coffer: std::sync::Arc<coffer::app::App>,
    address: SocketAddr,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// The first node, and the servers and folders that all its nodes share.
pub struct App {
    node: Node,
    pub engine: Engine,
    settings: Vec<String>,
    clock: TestClock,
    redis: Option<RedisServer>,
    folder: TempDir,
    /// Last, so that it is dropped when no one uses it any more.
    database: Option<Database>,
}

/// What is left of an app that was stopped.
pub struct Stopped {
    /// For the command line.
    pub settings: Vec<String>,
    folder: TempDir,
    _database: Option<Database>,
}

impl Stopped {
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }
}

impl Deref for App {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl App {
    pub async fn with(engine: Engine, settings: &[&str]) -> Self {
        Self::start(engine, None, settings).await
    }

    /// With a Redis for the sessions alone.
    pub async fn with_redis(engine: Engine) -> Self {
        Self::start(engine, Some(RedisServer::start().await), &as_strs(&limits("off", &[]))).await
    }

    /// With limits in Redis.
    pub async fn with_limits(engine: Engine, settings: &[&str]) -> Self {
        Self::start(engine, Some(RedisServer::start().await), settings).await
    }

    /// Started while Redis is down.
    pub async fn with_dead_redis(engine: Engine) -> Self {
        let redis = RedisServer::start().await;
        redis.kill();
        Self::start(engine, Some(redis), &as_strs(&limits("off", &[]))).await
    }

    /// On a PostgreSQL of its own, which the test may break.
    pub async fn with_postgres(server: &PostgresServer) -> Self {
        Self::start_on(Engine::Postgres, None, &[], Some(server.database("template0"))).await
    }

    /// On a PostgreSQL database at this address, which leads through what the test has put between.
    pub async fn at_database(url: &str) -> Self {
        Self::at_database_with(url, &[]).await
    }

    pub async fn at_database_with(url: &str, settings: &[&str]) -> Self {
        let url = format!("--database-url={url}");
        Self::start_on(Engine::Postgres, None, &[&[url.as_str()], settings].concat(), None).await
    }

    async fn start(engine: Engine, redis: Option<RedisServer>, settings: &[&str]) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(migrated_database().await),
        };
        Self::start_on(engine, redis, settings, database).await
    }

    async fn start_on(
        engine: Engine,
        redis: Option<RedisServer>,
        settings: &[&str],
        database: Option<Database>,
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("coffer-test.").tempdir().expect("a folder");
        // Everybody here comes from one address.
        let mut settings: Vec<String> = limits("100000/s", settings);
        // Tests save addresses of others' sites.
        if !settings.iter().any(|setting| setting.starts_with("--fetch=")) {
            settings.push("--fetch=off".to_owned());
        }
        settings.push(format!("--data-dir={}", folder.path().display()));
        settings.extend(database.as_ref().map(|database| format!("--database-url={}", database.url())));
        settings.extend(redis.as_ref().map(|redis| format!("--redis-url={}", redis.url())));
        let clock = TestClock { system: System::real().clock, ahead: Arc::default(), behind: Arc::default() };
        let node = Node::start(&settings, &clock).await;
        Self { node, engine, settings, clock, redis, folder, database }
    }

    /// One more coffer on the same database, which must be PostgreSQL: SQLite takes one process.
    pub async fn another_node(&self) -> Node {
        Node::start(&self.settings, &self.clock).await
    }

    /// One more with settings of its own.
    pub async fn another_node_with(&self, settings: &[&str]) -> Node {
        let mut all = self.settings.clone();
        all.extend(settings.iter().map(ToString::to_string));
        Node::start(&all, &self.clock).await
    }

    /// One more that reaches Redis through this.
    pub async fn another_node_behind(&self, tap: &Tap) -> Node {
        let mut settings = self.settings.clone();
        settings.retain(|setting| !setting.starts_with("--redis-url="));
        settings.push(format!("--redis-url=redis://127.0.0.1:{}", tap.port()));
        Node::start(&settings, &self.clock).await
    }

    /// One more whose clock differs by so many seconds.
    pub async fn another_node_with_clock(&self, seconds: i64) -> Node {
        let ahead = self.clock.ahead.load(Ordering::SeqCst) + seconds * 1_000_000;
        let clock = TestClock {
            system: self.clock.system.clone(),
            ahead: Arc::new(AtomicI64::new(ahead)),
            behind: Arc::default(),
        };
        Node::start(&self.settings, &clock).await
    }

    /// A backup as README makes one, while coffer runs.
    pub async fn backup(&self) -> PathBuf {
        let path = self.folder.path().join(format!("backup-{}", self.now().micros()));
        match (&self.coffer.db, &self.database) {
            (Db::Sqlite { write, .. }, _) => {
                let sql = sqlx::AssertSqlSafe(format!("VACUUM INTO '{}'", path.display()));
                sqlx::query(sql).execute(&**write).await.expect("a copy");
            }
            (_, Some(database)) => database.dump(&path),
            (_, None) => panic!("a database"),
        }
        path
    }

    /// The same coffer beside the same Redis, with the database as it was at the backup.
    pub async fn restored(self, backup: &Path) -> Self {
        let settings = self.settings.clone();
        self.starts_again(&settings, Some(backup)).await
    }

    /// The same coffer once more, without its Redis.
    pub async fn without_redis(self) -> Self {
        let mut settings = self.settings.clone();
        settings.retain(|setting| !setting.starts_with("--redis-url="));
        self.starts_again(&settings, None).await
    }

    /// The same coffer once more, with what it has.
    pub async fn with_redis_again(self) -> Self {
        let settings = self.settings.clone();
        self.starts_again(&settings, None).await
    }

    /// A backup comes back while all nodes run, which only PostgreSQL can do.
    pub async fn restores_under_way(&self, backup: &Path) {
        self.database.as_ref().expect("a database").restore(backup).await;
    }

    async fn starts_again(self, with: &[String], backup: Option<&Path>) -> Self {
        let Self { node, engine, settings, clock, redis, folder, database } = self;
        node.stop().await;
        if database.is_none() {
            let_go_of(&folder.path().join("coffer.db")).await;
        }
        match (&database, backup) {
            (_, None) => {}
            (None, Some(backup)) => {
                let file = folder.path().join("coffer.db");
                for end in ["db-wal", "db-shm"] {
                    let _ = std::fs::remove_file(file.with_extension(end));
                }
                std::fs::copy(backup, &file).expect("the backup");
            }
            (Some(database), Some(backup)) => database.restore(backup).await,
        }
        let node = Node::start(with, &clock).await;
        Self { node, engine, settings, clock, redis, folder, database }
    }

    /// Stops serving and lets go of the database, which another process may have then.
    pub async fn stop(self) -> Stopped {
        let Self { node, engine, settings, folder, database, .. } = self;
        node.stop().await;
        if engine == Engine::Sqlite {
            let_go_of(&folder.path().join("coffer.db")).await;
        }
        Stopped { settings, folder, _database: database }
    }

    /// Lets time pass.
    pub fn later(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).expect("less than 300,000 years");
        self.clock.ahead.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the clock back; the time that has passed has passed all the same.
    pub fn sets_clock_back(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).expect("less than 300,000 years");
        self.clock.behind.fetch_add(micros, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("this app was started with Redis")
    }

    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// For a node that runs as a program of its own.
    pub fn settings(&self) -> &[String] {
        &self.settings
    }
}

/// These settings, and each limit that they don't set.
fn limits(limit: &str, settings: &[&str]) -> Vec<String> {
    let mut settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    for policy in Policy::ALL.into_iter().filter(|policy| *policy != Policy::LoginSeen) {
        let name = format!("--rate-limit-{}=", policy.as_str());
        if !settings.iter().any(|setting| setting.starts_with(&name)) {
            settings.push(format!("{name}{limit}"));
        }
    }
    settings
}

fn as_strs(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}

async fn migrated_database() -> Database {
    fresh_database(async |url: &str| Db::open(url, 2).await.expect("the schema is made").close().await).await
}

async fn installation_name(db: &Db) -> String {
    coffer::installation::store::position(db).await.expect("the installation has a name").name
}

/// A coffer that is served without Redis takes another name first: what is in the database then, is there to stay.
async fn another_name(db: &Db, before: &str) {
    let limit = Duration::from_secs(10);
    let taken = async || if installation_name(db).await == before { Err("the same name") } else { Ok(()) };
    eventually(limit, taken).await.unwrap_or_else(|error| panic!("{error}"));
}

impl Node {
    /// The sum of the series of this name with these labels, as a scrape shows them.
    pub fn scraped(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let text = self.coffer.metrics.text();
        let series = text.lines().filter_map(|line| line.strip_prefix(name));
        let fitting =
            series.filter(|rest| rest.starts_with(['{', ' ']) && labels.iter().all(|l| rest.contains(l)));
        fitting.map(|rest| rest.rsplit(' ').next().unwrap_or(rest).parse::<f64>().expect("a number")).sum()
    }

    async fn start(settings: &[String], clock: &TestClock) -> Self {
        let config = Config::parse(settings.iter().cloned()).unwrap_or_else(|error| panic!("{error}"));
        let context = System { clock: Arc::new(clock.clone()), entropy: System::real().entropy };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let coffer =
            coffer::app::App::open_as(config, context, address, Opening::Create).await.expect("coffer opens");
        let (stop, told) = oneshot::channel();
        let stopped = async {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let before = installation_name(&coffer.db).await;
        let serving = tokio::spawn(coffer::serve::serve(listener, coffer.clone(), stopped));
        if coffer.redis.is_none() {
            another_name(&coffer.db, &before).await;
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(RAW_LIMIT)
            .build()
            .expect("an HTTP client");
        Self { coffer, address, http, stop, serving }
    }

    pub async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        self.serving.await.expect("the server stops");
    }

    /// Scheme, host and port as the tests reach it.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// A person without an account.
    pub fn visitor(&self) -> Actor {
        Actor::new("visitor", self)
    }

    /// A member of this name, with a new account, signed in through the page.
    pub async fn signed_in(&self, username: &str) -> Actor {
        self.person(username, Role::Member).await
    }

    pub async fn admin(&self, username: &str) -> Actor {
        self.person(username, Role::Admin).await
    }

    /// A person who has an account, signed in with one more browser.
    pub async fn another_browser_of(&self, username: &str) -> Actor {
        let actor = Actor::new(username, self);
        actor.signs_in().await;
        actor
    }

    async fn person(&self, username: &str, role: Role) -> Actor {
        self.has_account(username, role).await;
        self.another_browser_of(username).await
    }

    pub async fn has_account(&self, username: &str, role: Role) {
        let new = NewAccount {
            email: format!("{username}@example.org"),
            username: username.to_owned(),
            display_name: String::new(),
            password: PASSWORD.to_owned(),
        };
        self.coffer.accounts.create(&new, role).await.expect("a new account");
    }

    /// How the verbs know a person who has an account; a visitor for "visitor".
    pub async fn viewer(&self, username: &str) -> Viewer {
        let member = self.coffer.accounts.by_username(username).await.expect("accounts");
        member.map_or(Viewer::Visitor, |member| Viewer::Member(Arc::new(member)))
    }

    /// Sends these bytes as they are; everything that comes back until the server closes.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.expect("coffer listens");
            // The server may close before it has read everything; what it said counts.
            let _ = stream.write_all(request.as_ref()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::time::timeout(RAW_LIMIT, exchange).await.expect("the server closes the connection in time")
    }
}
