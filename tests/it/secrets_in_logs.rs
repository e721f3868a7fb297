//! Secrets that would be recognised anywhere: the program runs at its most talkative, and none of them is in its
//! logs, its settings, its error pages or, but for hashes, in its database.

use std::fs;
use std::path::Path;
use std::time::Duration;

use coffer::db::Db;
use coffer::system::System;
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use mail_parser::MessageParser;
use reqwest::Method;
use serde_json::json;

use crate::startup::{COFFER, Place, READY, log, succeeded};
use crate::support::actor::Actor;
use crate::support::authenticator::{Authenticator, SETUP};
use crate::support::dump::Dump;
use crate::support::postgres::{Database, fresh_database};
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

const KEY: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";
const PASSWORD: &str = "canary-of-a-password-one";
const WRONG: &str = "canary-of-a-password-two";
const CHOSEN: &str = "canary-of-a-password-three";
const WRONG_CODE: &str = "00-canary";
const DATABASE: &str = "canary-of-a-database";
const SMTP: &str = "canary-of-a-mail-server";
const REDIS: &str = "canary-of-a-redis";
/// A visitor's address, as a trusted proxy tells it.
const CLIENT: &str = "203.0.113.77";
const COOKIE: &str = "__Host-coffer";
const LIMIT: Duration = Duration::from_secs(30);

/// A word that must be nowhere, and what it is.
type Canary = (&'static str, String);

struct Program {
    place: Place,
    server: Server,
    origin: String,
    /// Where it is scraped.
    metrics: String,
    variables: Vec<(String, String)>,
    database: Option<Database>,
}

impl Program {
    /// With ada, an admin, and the settings of a whole installation.
    async fn new(database: Option<Database>, more: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let metrics = format!("127.0.0.1:{}", free_port());
        let url = match &database {
            Some(database) => database.url().replace("postgres@", &format!("postgres:{DATABASE}@")),
            None => format!("sqlite:{}", place.path("canaries.db")),
        };
        let mut variables: Vec<(String, String)> = [
            ("COFFER_LOG", "trace,tower_sessions=trace,tower_sessions_core=trace"),
            ("COFFER_SECRET_KEY", KEY),
            ("COFFER_PORT", "0"),
            ("COFFER_METRICS_ADDRESS", &metrics),
            ("COFFER_SIGNUP", "open"),
            ("COFFER_TRUSTED_PROXIES", "127.0.0.1"),
            // Figures are asked for until they are there.
            ("COFFER_RATE_LIMIT_PAGES", "60000/min burst 10000"),
            ("COFFER_RATE_LIMIT_SESSION", "60000/min burst 10000"),
            ("COFFER_RATE_LIMIT_ADMIN", "60000/min burst 10000"),
            ("COFFER_DATABASE_URL", &url),
            ("COFFER_DATA_DIR", &place.path("data")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let create = ["user", "create", "--username=ada", "--email=ada-canary@example.org", "--role=admin"];
        let pairs: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let said = place.run_with_input(&create, &pairs, &format!("{PASSWORD}\n"));
        assert!(!format!("{said:?}").contains("canary-of"), "{said:?}");
        succeeded(&said);
        let settings: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut command = vec!["env", "-i"];
        command.extend(settings.iter().map(String::as_str));
        command.extend([COFFER, "serve"]);
        let server = Server::new("coffer", "KILL", &command);
        let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
        let (_, rest) = said.split_once(READY).expect("the log says where");
        let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
        let origin = rest[..end].replace("localhost", "127.0.0.1");
        Self { place, server, origin, metrics, variables, database }
    }

    fn visitor(&self, name: &str) -> Actor {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("x-forwarded-for", CLIENT.parse().expect("a header"));
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .default_headers(headers)
            .timeout(LIMIT)
            .build();
        Actor::at_origin(name, &self.origin, http.expect("an HTTP client"))
    }

    /// The path of the latest link that begins like this in a letter to this address.
    async fn link(&self, address: &str, begin: &str) -> String {
        let folder = self.place.path("data/mail");
        let found = eventually(LIMIT, async || {
            let mut files: Vec<_> =
                fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
            files.sort_unstable();
            let links = files.iter().rev().filter_map(|file| link_in(file, address, begin));
            links.into_iter().next().ok_or_else(|| format!("no {begin} to {address} in {files:?}"))
        });
        found.await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// What its metrics and the page of them tell, once they tell of requests.
    async fn figures(&self, ada: &Actor) -> String {
        let seen = eventually(LIMIT, async || {
            let page = ada.get("/admin/metrics/live").await.ok();
            if page.text().contains("POST /login") { Ok(page.text()) } else { Err("no requests yet") }
        });
        let page = seen.await.unwrap_or_else(|error| panic!("{error}"));
        let json = ada.get("/api/v1/admin/metrics").await.ok().text();
        let scrape = reqwest::Client::builder().no_proxy().build().expect("a client");
        let scraped = scrape.get(format!("http://{}/metrics", self.metrics)).send().await.expect("an answer");
        let text = scraped.text().await.expect("text");
        assert!(text.contains("http_route=\"/login\""), "{text}");
        [page, json, text].concat()
    }

    fn says_none_of(&self, canaries: &[Canary]) {
        let log = log(&self.server);
        assert!(log.contains("\"level\":\"trace\"") && log.len() > 5_000, "it says all it can: {log}");
        for (what, canary) in canaries {
            let line = log.lines().find(|line| line.contains(canary.as_str()));
            assert!(line.is_none(), "{what} is in the log: {}", line.unwrap_or_default());
        }
        let pairs: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for command in ["config", "doctor"] {
            let said = format!("{:?}", self.place.run(&[command], &pairs));
            for (what, canary) in canaries {
                assert!(!said.contains(canary.as_str()), "{what} is in what `coffer {command}` says: {said}");
            }
        }
    }

    async fn db(&self) -> Db {
        let database = self.database.as_ref().expect("a PostgreSQL database, which takes two programs");
        Db::open(database.url(), 2).await.expect("the database")
    }
}

fn link_in(file: &Path, address: &str, begin: &str) -> Option<String> {
    let bytes = fs::read(file).ok()?;
    let letter = MessageParser::default().parse(&bytes)?;
    let to = letter.to()?.first()?.address()?.to_owned();
    let text = letter.body_text(0)?.into_owned();
    let link = text.split_whitespace().find(|word| word.contains(begin))?;
    (to == address).then(|| link[link.find(begin).unwrap_or(0)..].to_owned())
}

fn settings() -> Vec<Canary> {
    vec![
        ("the key", KEY.to_owned()),
        ("a password", PASSWORD.to_owned()),
        ("a wrong password", WRONG.to_owned()),
        ("a chosen password", CHOSEN.to_owned()),
        ("the database's password", DATABASE.to_owned()),
        ("the mail server's password", SMTP.to_owned()),
        ("the password of Redis", REDIS.to_owned()),
        ("a hash", "$argon2id$".to_owned()),
        ("a visitor's address", CLIENT.to_owned()),
    ]
}

fn last(path: &str) -> String {
    path.rsplit('/').next().expect("a token").to_owned()
}

/// Everything that a person does with secrets; the secrets that came up.
async fn a_day(program: &Program) -> Vec<Canary> {
    let mut canaries = settings();
    canaries.extend(
        ["ada-canary", "eve-canary", "new-canary", "bob-canary"]
            .map(|name| ("an e-mail address", format!("{name}@"))),
    );
    let ada = program.visitor("ada");
    for (login, password) in
        [("ada", WRONG), ("ada-canary@example.org", WRONG), ("bob-canary@example.org", WRONG)]
    {
        ada.post_form("/login", &[("login", login), ("password", password)]).await.is(422).lacks(WRONG);
    }
    let form = [("login", "ada-canary@example.org"), ("password", PASSWORD)];
    ada.post_form("/login", &form).await.redirects_to("/resources");
    ada.learns_token().await;
    canaries.push(("a session", ada.cookie(COOKIE).expect("a session")));
    canaries.push(("a form's token", ada.token()));

    let eve = program.visitor("eve");
    let form = [("email", "eve-canary@example.org"), ("username", "eve"), ("password", PASSWORD)];
    eve.post_form("/register", &form).await.redirects_to("/resources");
    eve.learns_token().await;
    canaries.push(("a session", eve.cookie(COOKIE).expect("a session")));
    let verify = program.link("eve-canary@example.org", "/verify-email/").await;
    eve.get(&verify).await.ok();
    eve.post_form(&verify, &[]).await.redirects_to("/settings/profile");
    canaries.push(("a confirmation", last(&verify)));
    let form = [("email", "new-canary@example.org"), ("current_password", PASSWORD)];
    eve.post_form("/settings/email", &form).await.redirects_to("/settings/profile");
    canaries.push(("a confirmation", last(&program.link("new-canary@example.org", "/verify-email/").await)));

    eve.post_form(&verify, &[]).await.is(410);

    program.visitor("eve").post_form("/password/forgot", &[("email", "eve-canary@example.org")]).await.ok();
    let reset = program.link("eve-canary@example.org", "/password/reset/").await;
    canaries.push(("a reset", last(&reset)));
    program.visitor("eve").get(&reset).await.ok();
    program.visitor("eve").post_form(&reset, &[("password", "short-canary-of-a-password")]).await;
    program.visitor("eve").post_form(&reset, &[("password", CHOSEN)]).await;
    program.visitor("eve").get(&reset).await.is(410);

    ada.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    canaries.push(("what is shown once", ada.cookie("__Host-coffer-once").expect("a cookie")));
    let once = program.visitor("ada");
    once.sets_cookie("__Host-coffer-once", &canaries.last().expect("the last").1);
    once.get("/admin/invites").await.redirects_to("/login?next=%2Fadmin%2Finvites");
    let invite = ada.get("/admin/invites").await.ok().attributes("#link", "value").remove(0);
    is_not_in(&canaries.last().expect("the last").1, &last(&invite));
    canaries.push(("an invitation", last(&invite)));
    program.visitor("bob").get(&format!("/invite/{}", last(&invite))).await.ok();
    canaries.extend(addresses(&ada).await);
    canaries.extend(mistakes(&ada).await);
    canaries.extend(second_factor(&ada).await);
    let figures = program.figures(&ada).await;
    for (what, canary) in &canaries {
        assert!(!figures.contains(canary.as_str()), "{what} is among the figures");
    }
    canaries
}

/// The secret addresses of a shared tag and of a private feed, opened, renewed and opened in vain.
async fn addresses(ada: &Actor) -> Vec<Canary> {
    let tokens = async |path: &str, what: serde_json::Value, status: u16| {
        let made = ada.json(Method::POST, path, what).await.is(status).json();
        made["url"].as_str().expect("an address").split('/').nth(4).expect("a token").to_owned()
    };
    let entry = json!({ "title": "T", "body": "", "tags": ["sea"] });
    ada.json(Method::POST, "/api/v1/resources", entry).await.is(201);
    let shared = tokens("/api/v1/me/shares", json!({ "tag": "sea" }), 201).await;
    ada.get(&format!("/s/{shared}")).await.ok();
    ada.get(&format!("/api/v1/shares/{shared}")).await.ok();
    let old = tokens("/api/v1/me/feeds", json!({}), 201).await;
    ada.get(&format!("/f/{old}/feed.atom")).await.ok();
    let id = ada.get("/api/v1/me/feeds").await.ok().json()["items"][0]["id"].clone();
    let renew = format!("/api/v1/me/feeds/{}/renew", id.as_str().expect("an id"));
    let new = tokens(&renew, json!({}), 200).await;
    ada.get(&format!("/f/{old}/feed.atom")).await.is(404);
    ada.get(&format!("/f/{new}/feed.atom")).await.ok();
    [("a share link", shared), ("a private feed", old), ("a private feed", new)].into()
}

/// What an app and a sheet of paper know from now on.
async fn second_factor(ada: &Actor) -> Vec<Canary> {
    let page = ada.get(SETUP).await.ok();
    let key = page.texts(".totp-key").concat().replace(' ', "");
    let code = Authenticator::from_key(&key).code(System::real().now());
    ada.post_form(SETUP, &[("code", WRONG_CODE)]).await.is(422);
    let codes = ada.post_form(SETUP, &[("code", &code)]).await.ok().texts(".codes code");
    assert_eq!(codes.len(), 10);
    let half = ada.without_cookies();
    half.post_form("/login", &[("login", "ada"), ("password", PASSWORD)])
        .await
        .redirects_to("/login/second-factor");
    half.gives_code(&code).await.is(422);
    half.gives_code(&codes[0]).await.redirects_to("/resources");
    let mut canaries = vec![("a key of an app", key), ("a recovery code", codes[0].replace('-', ""))];
    canaries.extend(codes.into_iter().map(|code| ("a recovery code", code)));
    canaries
}

/// What goes wrong is told without what was sent; the tokens that were made on the way.
async fn mistakes(ada: &Actor) -> Vec<Canary> {
    let body = json!({ "title": "T", "password": WRONG, "canary-of-a-field": 1 });
    ada.json(Method::POST, "/api/v1/resources", body).await.is(422).lacks(WRONG);
    ada.sends(Method::POST, "/api/v1/resources", "application/json", format!("{{\"title\": {WRONG}"))
        .await
        .is(400)
        .lacks(WRONG);
    ada.sends(Method::POST, "/api/v1/resources", "text/plain", WRONG).await.is(415).lacks(WRONG);
    let form = [("title", "T"), ("password", WRONG), ("current_password", WRONG), ("sudo_password", WRONG)];
    ada.post_form("/resources", &form).with_form_token(Some("wrong")).await.error_page(403).lacks(WRONG);
    ada.post_form("/settings/password", &[("current_password", WRONG), ("password", CHOSEN)])
        .await
        .is(422)
        .lacks(CHOSEN);
    ada.get("/absent").await.error_page(404).lacks(&ada.cookie(COOKIE).expect("a session"));
    ada.get("/resources?q=%FF").header("authorization", format!("Bearer {WRONG}")).await.lacks(WRONG);
    let mut canaries = Vec::new();
    let made = ada
        .json(Method::POST, "/api/v1/me/tokens", json!({ "name": "N", "scopes": ["resources:read"] }))
        .await;
    if made.status() == 201 {
        let token = made.json()["token"].as_str().expect("a token").to_owned();
        let bearer = format!("Bearer {token}");
        let program = ada.get("/api/v1/resources").header("cookie", "a=b").header("authorization", &bearer);
        program.await.ok();
        canaries.push(("a token", token));
    }
    let pair =
        ada.json(Method::POST, "/api/v1/auth/token", json!({ "login": "ada", "password": PASSWORD })).await;
    if pair.status() == 200 {
        for name in ["access_token", "refresh_token"] {
            canaries.push(("a token", pair.json()[name].as_str().expect("a token").to_owned()));
        }
    }
    canaries
}

#[tokio::test]
async fn no_secret_is_logged_or_shown_on_sqlite() {
    let program = Program::new(None, &[]).await;
    let canaries = a_day(&program).await;
    program.says_none_of(&canaries);
    for part in ["canaries.db", "canaries.db-wal"] {
        let file = fs::read(program.place.path(part)).unwrap_or_default();
        for (what, canary) in canaries.iter().filter(|(what, _)| is_hidden(what)) {
            for form in forms(canary) {
                let held = file.windows(form.len()).any(|window| window == form);
                assert!(!held, "{what} is in {part}");
            }
        }
    }
}

/// Form tokens are in their session's row, addresses and password hashes in their account's; nothing else is stored as it is.
fn is_hidden(what: &str) -> bool {
    !["an e-mail address", "a hash", "a form's token"].contains(&what)
}

/// A secret as it was shown, and as the bytes that it stands for.
fn forms(canary: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![canary.as_bytes().to_vec()];
    for encoding in [BASE32_NOPAD, BASE64URL_NOPAD] {
        forms.extend(encoding.decode(canary.as_bytes()).ok().filter(|bytes| bytes.len() >= 10));
    }
    forms
}

fn is_not_in(sealed: &str, secret: &str) {
    let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).expect("base 64");
    assert!(
        !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
        "it is signed, not sealed"
    );
}

#[tokio::test]
async fn no_secret_is_logged_or_shown_on_postgres() {
    let database =
        fresh_database(async |url: &str| Db::open(url, 2).await.expect("the schema is made").close().await)
            .await;
    let program = Program::new(Some(database), &[]).await;
    let canaries = a_day(&program).await;
    let db = program.db().await;
    let held = Dump::of(&db).await.text();
    for (what, canary) in canaries.iter().filter(|(what, _)| is_hidden(what)) {
        assert!(!held.contains(canary.as_str()), "{what} is in the database");
        for form in forms(canary) {
            assert!(!held.contains(&HEXLOWER.encode(&form)), "{what} is in the database, in bytes");
        }
    }
    let Db::Postgres(pool) = &db else { panic!("PostgreSQL") };
    sqlx::query("ALTER TABLE audit_events RENAME TO audit_lost")
        .execute(pool.executor())
        .await
        .expect("a broken schema");
    let visitor = program.visitor("ada");
    let form = [("login", "ada-canary@example.org"), ("password", WRONG)];
    let broken = visitor.post_form("/login", &form).expecting_trouble().await.error_page(500);
    broken.lacks(WRONG).lacks("audit").lacks("relation").lacks(DATABASE).lacks(CLIENT);
    program.says_none_of(&canaries);
    db.close().await;
}

#[tokio::test]
async fn servers_that_are_not_there_are_named_without_their_passwords() {
    let mail = format!("smtp://canary:{SMTP}@127.0.0.1:{}", free_port());
    let redis = format!("redis://:{REDIS}@127.0.0.1:{}", free_port());
    let program = Program::new(None, &[("COFFER_SMTP_URL", &mail), ("COFFER_REDIS_URL", &redis)]).await;
    let ada = program.visitor("ada");
    ada.post_form("/login", &[("login", "ada"), ("password", PASSWORD)]).await.redirects_to("/resources");
    program.visitor("ada").post_form("/password/forgot", &[("email", "ada-canary@example.org")]).await.ok();
    let told = eventually(LIMIT, async || {
        let log = log(&program.server);
        if log.contains("mail_failed") && log.contains("redis_down") { Ok(()) } else { Err("both are told") }
    });
    told.await.unwrap_or_else(|error| panic!("{error}"));
    let mut canaries = settings();
    canaries.push(("an e-mail address", "ada-canary@".to_owned()));
    canaries.push(("a session", ada.cookie(COOKIE).expect("a session")));
    program.says_none_of(&canaries);
    let ready = ada.get("/readyz").expecting_trouble().await;
    ready.lacks(SMTP).lacks(REDIS);
}
