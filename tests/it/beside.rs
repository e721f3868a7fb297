//! Commands beside a running coffer: it does what they ask for, on both engines, so that nothing is stopped for a lost
//! password and what the process remembers changes too.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use coffer::db::Db;
use coffer::system::System;
use serde_json::Value;

use crate::startup::{Place, succeeded};
use crate::support::actor::Actor;
use crate::support::app::{Engine, PASSWORD};
use crate::support::authenticator::{Authenticator, SETUP};
use crate::support::postgres::{Database, fresh_database};
use crate::support::redis::RedisServer;
use crate::support::server::Server;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);
/// Of wrong passwords; the fifth still counts, the sixth is refused.
const TRIES: usize = 6;

/// A coffer that serves, with Ada's account, and a place from which commands are given.
struct Running {
    place: Place,
    database: Option<Database>,
    server: Server,
    origin: String,
}

impl Running {
    async fn on(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(
                fresh_database(async |url: &str| Db::open(url, 2).await.expect("a schema").close().await)
                    .await,
            ),
        };
        let place = Place::new();
        let url = database.as_ref().map(|database| format!("--database-url={}", database.url()));
        let settings: Vec<&str> = url.as_deref().into_iter().collect();
        let create = ["user", "create", "--username=ada", "--email=ada@example.org", "--role=admin"]
            .map(str::to_owned);
        let create: Vec<&str> = create.iter().map(String::as_str).chain(settings.iter().copied()).collect();
        succeeded(&place.run_with_input(&create, &[], &format!("{PASSWORD}\n")));
        let serving = [&settings[..], &["--port=0", "--metrics-address=off"]].concat();
        let (server, address) = place.serves(&serving).await;
        let origin = format!("http://{address}");
        Self { place, database, server, origin }
    }

    fn with<'a>(&'a self, command: &[&'a str], variables: &mut Vec<(&'a str, &'a str)>) -> Vec<&'a str> {
        variables.extend(self.database.as_ref().map(|database| ("COFFER_DATABASE_URL", database.url())));
        command.to_vec()
    }

    #[track_caller]
    fn done(&self, command: &[&str]) -> String {
        let mut variables = Vec::new();
        let command = self.with(command, &mut variables);
        self.place.done(&command, &variables)
    }

    #[track_caller]
    fn refused(&self, command: &[&str]) -> String {
        let mut variables = Vec::new();
        let command = self.with(command, &mut variables);
        self.place.refusal(&command, &variables)
    }

    fn ada(&self) -> Actor {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(LIMIT)
            .build();
        Actor::at_origin("ada", &self.origin, http.expect("an HTTP client"))
    }

    async fn tries(&self, password: &str) -> u16 {
        self.ada().post_form("/login", &[("login", "ada"), ("password", password)]).await.status()
    }

    async fn is_locked_out(&self) {
        for _ in 0..TRIES {
            self.tries("a wrong password").await;
        }
        assert_eq!(self.tries(PASSWORD).await, 429);
    }
}

macro_rules! on_both {
    ($name:ident) => {
        mod $name {
            use super::{Engine, Running};

            #[tokio::test]
            async fn sqlite() {
                super::$name(Running::on(Engine::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name(Running::on(Engine::Postgres).await).await;
            }
        }
    };
}

on_both!(what_only_looks_looks);
async fn what_only_looks_looks(coffer: Running) {
    assert_eq!(coffer.done(&["user", "list"]), "ada\tadmin\tada@example.org\n");
    let token = coffer.done(&["token", "create", "--name=x", "--scope=resources:write"]);
    assert!(coffer.done(&["token", "list"]).contains("resources:write"));
    let saved = coffer
        .ada()
        .json(
            reqwest::Method::POST,
            "/api/v1/resources",
            serde_json::json!({"kind": "note", "title": "Tide tables"}),
        )
        .header("authorization", format!("Bearer {}", token.trim()))
        .await;
    saved.is(201);
    let library: Value = serde_json::from_str(&coffer.done(&["export"])).expect("JSON");
    assert!(library.to_string().contains("Tide tables"), "{library}");
    let file = coffer.place.path("library.zip");
    coffer.done(&["export", &file, "--format=markdown"]);
    assert!(fs::read(&file).expect("the file").starts_with(b"PK"));
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    assert!(coffer.refused(&["export", &file]).contains("does not exist yet"));
    assert!(coffer.done(&["audit", "verify"]).contains("intact: 2 events"));
    assert!(coffer.done(&["migrate", "--check"]).contains("is up to date"));
    assert!(coffer.refused(&["user", "reset-link", "nobody"]).contains("`coffer user list`"));
}

on_both!(a_lost_password_stops_nothing);
async fn a_lost_password_stops_nothing(coffer: Running) {
    let link = coffer.done(&["user", "reset-link", "ada"]);
    let path = link.trim().split_once("/password").expect("a link").1;
    coffer.ada().get(&format!("/password{path}")).await.ok();
    let invitation = coffer.done(&["user", "invite"]);
    let path = invitation.trim().split_once("/invite").expect("a link").1;
    let form = [("email", "bob@example.org"), ("username", "bob"), ("password", PASSWORD)];
    coffer.ada().post_form(&format!("/invite{path}"), &form).await.is(303);
    assert!(coffer.done(&["user", "list"]).contains("bob\tmember"));
}

on_both!(a_lost_phone_stops_nothing);
async fn a_lost_phone_stops_nothing(coffer: Running) {
    let ada = coffer.ada();
    ada.signs_in().await;
    let phone = Authenticator::from_page(&ada.get(SETUP).await.ok());
    ada.post_form(SETUP, &[("code", &phone.code(System::real().now()))]).await.ok();
    coffer.ada().gives_password().await;
    assert!(coffer.done(&["user", "second-factor-off", "ada"]).contains("Two-step login is off for ada"));
    coffer.ada().signs_in().await;
    assert!(coffer.refused(&["user", "second-factor-off", "ada"]).contains("doesn't use two-step login"));
}

on_both!(who_is_locked_out_is_let_in);
async fn who_is_locked_out_is_let_in(coffer: Running) {
    coffer.is_locked_out().await;
    assert_eq!(coffer.done(&["user", "unlock", "ADA@example.org"]), "ada is unblocked.\n");
    assert_eq!(coffer.tries(PASSWORD).await, 303);
    let admin = coffer.ada();
    admin.signs_in().await;
    admin.get("/admin/audit?action=user.unlock").await.ok().has("tbody tr", "Unblocked an account");
}

/// Without a socket of its own data directory: Redis tells all nodes.
#[tokio::test]
async fn who_is_locked_out_is_let_in_through_redis() {
    let redis = RedisServer::start().await;
    let database =
        fresh_database(async |url: &str| Db::open(url, 2).await.expect("a schema").close().await).await;
    let (place, elsewhere) = (Place::new(), Place::new());
    let key = format!("--secret-key={}", "07".repeat(32));
    let (url, redis_url) =
        (format!("--database-url={}", database.url()), format!("--redis-url={}", redis.url()));
    let settings = [url.as_str(), redis_url.as_str(), key.as_str()];
    let create = [&["user", "create", "--username=ada", "--email=ada@example.org"], &settings[..]].concat();
    succeeded(&place.run_with_input(&create, &[], &format!("{PASSWORD}\n")));
    let serving = [&settings[..], &["--port=0", "--metrics-address=off"]].concat();
    let (server, address) = place.serves(&serving).await;
    let coffer = Running { place, database: None, server, origin: format!("http://{address}") };
    coffer.is_locked_out().await;
    // The node may have decided alone at first, by what it remembers; it is told within a second.
    elsewhere.done(&[&["user", "unlock", "ada"], &settings[..]].concat(), &[]);
    let let_in = eventually(LIMIT, async || match coffer.tries(PASSWORD).await {
        303 => Ok(()),
        other => Err(other.to_string()),
    });
    let_in.await.expect("Redis tells the node");
    let alone = [&["user", "unlock", "ada"], &settings[..1], &settings[2..]].concat();
    assert!(elsewhere.refusal(&alone, &[]).contains("keeps its limits in memory"));
}

#[tokio::test]
async fn the_socket_is_for_its_owner_and_ends_with_coffer() {
    let coffer = Running::on(Engine::Sqlite).await;
    let socket = coffer.place.path("data/coffer.sock");
    assert_eq!(fs::metadata(&socket).expect("a socket").permissions().mode() & 0o777, 0o600);
    assert!(coffer.refused(&["migrate"]).contains("Another coffer is running on"));
    // One that was killed leaves it behind, which stops neither commands nor the next start.
    assert!(coffer.server.send("KILL"));
    let listed = eventually(LIMIT, async || {
        let output = coffer.place.run(&["user", "list"], &[]);
        output.status.success().then_some(()).ok_or(String::from_utf8_lossy(&output.stderr).into_owned())
    });
    listed.await.expect("the lock ends with the process");
    let (server, _) = coffer.place.serves(&["--port=0"]).await;
    assert!(coffer.done(&["user", "list"]).starts_with("ada"));
    assert!(server.send("TERM"));
    let gone =
        eventually(LIMIT, async || (!fs::exists(&socket).unwrap_or(true)).then_some(()).ok_or("there"));
    gone.await.expect("the socket goes with coffer");
}

/// The data directory is the same, the library another one.
#[tokio::test]
async fn another_library_is_none_of_its_business() {
    let coffer = Running::on(Engine::Postgres).await;
    assert!(coffer.place.refusal(&["user", "list"], &[]).contains("There is no library in data/coffer.db"));
    assert!(coffer.done(&["user", "list"]).starts_with("ada"));
}

#[test]
fn help_shows_a_commands_own_options_and_where_the_settings_are() {
    let place = Place::new();
    for command in [vec!["export", "--help"], vec!["user", "create", "--help"], vec!["help", "migrate"]] {
        let said = place.done(&command, &[]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("`coffer serve --help` lists them all"), "{command:?}: {said}");
        assert!(!said.contains("COFFER_DATA_DIR"), "{command:?}: {said}");
    }
    assert!(place.done(&["serve", "--help"], &[]).contains("COFFER_DATA_DIR"));
    // They are taken all the same, wherever they stand.
    fs::create_dir(place.path("x")).expect("a folder");
    for command in [["user", "list", "--data-dir=x"], ["--data-dir=x", "user", "list"]] {
        assert!(place.refusal(&command, &[]).contains("There is no library in x/coffer.db"));
    }
}

#[test]
fn shells_and_man_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.done(&["completions", shell], &[]);
        assert!(script.contains("second-factor-off") && script.contains("rotate"), "{shell}");
    }
    let page = place.done(&["man"], &[]);
    for told in [
        ".TH coffer 1",
        "coffer backup",
        "\\-\\-with\\-key",
        "coffer user second\\-factor\\-off",
        "coffer.env",
    ] {
        assert!(page.contains(told), "{told:?} in {page}");
    }
}
