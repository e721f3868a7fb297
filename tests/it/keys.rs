//! One master key a database: another one is refused, and changing it loses nothing, by the program itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use coffer::accounts::actions::LOG_IN;
use coffer::audit::Event;
use coffer::db::{Db, Engine as Taken};
use coffer::identity::RequestMeta;
use coffer::keys::store;
use coffer::mail::Email;
use uuid::Uuid;

use crate::startup::{COFFER, Place, READY, succeeded};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD, Stopped};
use crate::support::authenticator::{Authenticator, SETUP};
use crate::support::on_both_engines;
use crate::support::postgres::fresh_database;
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_secs(30);

/// The program on what a stopped app has left.
pub struct Left {
    stopped: Stopped,
    place: Place,
}

impl Left {
    pub async fn of(app: App) -> Self {
        Self { stopped: app.stop().await, place: Place::new() }
    }

    fn settings(&self) -> Vec<&str> {
        self.stopped
            .settings
            .iter()
            .map(String::as_str)
            .filter(|setting| !setting.starts_with("--smtp"))
            .collect()
    }

    fn run(&self, command: &[&str]) -> std::process::Output {
        self.place.run(&[command, &self.settings()].concat(), &[])
    }

    #[track_caller]
    pub fn done(&self, command: &[&str]) -> String {
        succeeded(&self.run(command))
    }

    #[track_caller]
    fn refused(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert!(!output.status.success(), "{command:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
    }

    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.stopped.data_dir().join(name)
    }

    /// Where this key is kept after it was changed.
    #[track_caller]
    fn retired(&self, key: &str) -> std::path::PathBuf {
        let files =
            fs::read_dir(self.stopped.data_dir()).expect("a folder").flatten().map(|file| file.path());
        let holds = |file: &std::path::PathBuf| fs::read_to_string(file).is_ok_and(|text| text == key);
        files.into_iter().find(|file| !file.ends_with("secret.key") && holds(file)).expect("the old key")
    }

    async fn serves(&self) -> (Server, String) {
        let mut command =
            vec!["env", "-i", COFFER, "serve", "--port=0", "--metrics-address=off", "--log-format=json"];
        command.extend(self.settings());
        let server = Server::new("coffer", "KILL", &command);
        let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
        let address =
            said.split_once(READY).and_then(|(_, rest)| rest.split_whitespace().next()).expect("an address");
        (server, address.replace("localhost", "127.0.0.1"))
    }

    /// Runs SQL past coffer, as an owner of the database can.
    async fn past_coffer(&self, statements: &[&str]) {
        let url = self.stopped.settings.iter().find_map(|setting| setting.strip_prefix("--database-url="));
        let file = format!("sqlite:{}", self.file("coffer.db").display());
        let db = Db::open(url.unwrap_or(&file), 2).await.expect("the database");
        let triggers: &[&str] = match db {
            Db::Sqlite { .. } => &[
                "DROP TRIGGER IF EXISTS audit_events_no_update",
                "DROP TRIGGER IF EXISTS audit_events_no_delete",
            ],
            Db::Postgres(_) => &["DROP TRIGGER IF EXISTS audit_events_append_only ON audit_events"],
        };
        let mut tx = db.begin().await.expect("a transaction");
        for sql in triggers.iter().chain(statements) {
            let sql = sqlx::AssertSqlSafe((*sql).to_owned());
            match tx.conn() {
                Taken::Postgres(conn) => sqlx::query(sql).execute(conn).await.map(drop),
                Taken::Sqlite(conn) => sqlx::query(sql).execute(conn).await.map(drop),
            }
            .expect("the database obeys its owner");
        }
        tx.commit().await.expect("it stays");
        db.close().await;
        drop(db);
    }
}

fn browser(origin: &str) -> Actor {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(LIMIT)
        .build();
    Actor::at_origin("ada", origin, http.expect("an HTTP client"))
}

/// Ada with two-step login, its codes and a session, and a letter that waits.
struct Ada {
    session: Actor,
    phone: Authenticator,
    codes: Vec<String>,
}

async fn ada(app: &App) -> Ada {
    let session = app.signed_in("ada").await;
    let phone = Authenticator::from_page(&session.get(SETUP).await.ok());
    // The code of the step before, so that the present one is unused.
    let shown = session.post_form(SETUP, &[("code", &phone.code(app.now().minus(STEP)))]).await.ok();
    let letter = Email::PasswordChanged { security: "https://example.org/the-waiting-letter".to_owned() };
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    app.coffer.mail.queue(&mut tx, "ada@example.org", &letter).await.expect("a letter");
    tx.commit().await.expect("it stays");
    Ada { session, phone, codes: shown.texts(".codes code") }
}

async fn on(engine: Engine) -> App {
    // Letters wait, as this server is not there.
    App::with(engine, &[&format!("--smtp-url=smtp://127.0.0.1:{}", free_port())]).await
}

/// Logs in with the second step; the status of its answer.
async fn logs_in(origin: &str, code: &str) -> u16 {
    let ada = browser(origin);
    ada.post_form("/login", &[("login", "ada"), ("password", PASSWORD), ("next", "/tags")]).await.is(303);
    ada.gives_code(code).await.status()
}

async fn another_key_loses_nothing(engine: Engine) {
    let app = on(engine).await;
    let ada = ada(&app).await;
    let place = Place::new();
    let settings: Vec<&str> = app.settings().iter().map(String::as_str).collect();
    let refused = place.run(&[&["key", "rotate"], &settings[..]].concat(), &[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success()
            && (said.contains("Stop every node") || said.contains("Another coffer is running")),
        "{said}"
    );
    let left = Left { stopped: app.stop().await, place };

    let before = left.done(&["audit", "verify"]);
    let old = fs::read_to_string(left.file("secret.key")).expect("a key");
    let said = left.done(&["key", "rotate"]);
    assert!(said.contains("1 two-step logins") && said.contains("queued emails"), "{said}");
    assert!(!said.contains(old.trim()), "no key is shown");
    let new = fs::read_to_string(left.file("secret.key")).expect("a key");
    assert_ne!(old, new);
    left.retired(&old);
    let after = left.done(&["audit", "verify"]);
    assert!(after.contains("trail is intact") && !after.contains("is lost"), "{before}{after}");
    fs::set_permissions(left.stopped.data_dir(), fs::Permissions::from_mode(0o700)).expect("a mode");
    assert!(left.done(&["doctor"]).contains("ok    key"));

    // Once more: what was sealed twice is still read.
    left.done(&["key", "rotate"]);
    {
        let (_server, origin) = left.serves().await;
        assert!(ada.session.at_address(&origin).is_signed_in().await, "nobody is logged out");
        let now = coffer::system::System::real().now();
        assert_eq!(logs_in(&origin, &ada.phone.code(now)).await, 303, "the app's secret");
        assert_eq!(logs_in(&origin, &ada.codes[0]).await, 303, "a recovery code of before");
        assert_eq!(logs_in(&origin, &ada.codes[0]).await, 422, "works once");
        let letters = || {
            let files = fs::read_dir(left.file("mail")).into_iter().flatten().flatten();
            files.map(|file| fs::read_to_string(file.path()).unwrap_or_default()).collect::<String>()
        };
        let sent =
            eventually(
                LIMIT,
                async || {
                    if letters().contains("the-waiting-letter") { Ok(()) } else { Err(letters()) }
                },
            );
        sent.await.expect("the letter that waited goes out");
    }
    is_free(&left).await;
    let verified = left.done(&["audit", "verify"]);
    assert!(verified.contains("trail is intact"), "{verified}");

    fs::write(left.file("secret.key"), &old).expect("the old key");
    for command in
        [&["serve", "--port=0"][..], &["user", "list"], &["audit", "verify"], &["key", "rotate"], &["doctor"]]
    {
        let said = left.refused(command);
        assert!(
            said.contains("belongs to the key") && said.contains("COFFER_SECRET_KEY"),
            "{command:?}: {said}"
        );
    }
    fs::copy(left.retired(&new), left.file("secret.key")).expect("the second key");
    left.refused(&["user", "list"]);
}

/// A program that was killed may hold its lock a moment longer.
async fn is_free(left: &Left) {
    let free = eventually(LIMIT, async || {
        let output = left.run(&["audit", "verify"]);
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    free.await.expect("it ends");
}

#[tokio::test]
async fn another_key_loses_nothing_on_sqlite() {
    another_key_loses_nothing(Engine::Sqlite).await;
}

#[tokio::test]
async fn another_key_loses_nothing_on_postgres() {
    another_key_loses_nothing(Engine::Postgres).await;
}

/// What was written under the old key is still checked, and what the new key says of it can't be taken away.
async fn the_trail_is_checked_across_keys(engine: Engine) {
    let app = on(engine).await;
    ada(&app).await;
    app.signed_in("bob").await;
    let left = Left::of(app).await;
    left.done(&["key", "rotate"]);
    assert!(left.done(&["audit", "verify"]).contains("trail is intact"));
    let exported = left.file("trail.jsonl").display().to_string();
    left.done(&["audit", "export", &exported]);
    assert!(left.done(&["audit", "verify", "--file", &exported]).contains("trail is intact"));
    for (forged, mended) in [
        (
            "UPDATE audit_events SET outcome = 'refused' WHERE seq = 2",
            "UPDATE audit_events SET outcome = 'done' WHERE seq = 2",
        ),
        (
            "UPDATE retired_keys SET audit_until = audit_until - 1",
            "UPDATE retired_keys SET audit_until = audit_until + 1",
        ),
        (
            "UPDATE audit_events SET action = 'key.lost' WHERE action = 'key.rotate'",
            "UPDATE audit_events SET action = 'key.rotate' WHERE action = 'key.lost'",
        ),
    ] {
        left.past_coffer(&[forged]).await;
        assert!(left.refused(&["audit", "verify"]).contains("is broken"), "{forged}");
        left.past_coffer(&[mended]).await;
        assert!(left.done(&["audit", "verify"]).contains("trail is intact"), "{mended}");
    }
    // Not even by calling the old key lost, or by forgetting it.
    left.past_coffer(&["UPDATE retired_keys SET sealed = NULL"]).await;
    assert!(left.refused(&["audit", "verify"]).contains("is broken"));
    left.past_coffer(&["DELETE FROM audit_events WHERE action = 'key.rotate'", "UPDATE audit_head SET seq = seq - 1, hash = (SELECT hash FROM audit_events ORDER BY seq DESC LIMIT 1)"]).await;
    assert!(left.refused(&["audit", "verify"]).contains("the trail was cut off"));
    left.past_coffer(&["DELETE FROM retired_keys"]).await;
    assert!(left.refused(&["audit", "verify"]).contains("event 1 was changed"));
}

#[tokio::test]
async fn the_trail_is_checked_across_keys_on_sqlite() {
    the_trail_is_checked_across_keys(Engine::Sqlite).await;
}

#[tokio::test]
async fn the_trail_is_checked_across_keys_on_postgres() {
    the_trail_is_checked_across_keys(Engine::Postgres).await;
}

async fn a_lost_key_is_not_replaced_in_silence(engine: Engine) {
    let app = on(engine).await;
    let ada = ada(&app).await;
    let left = Left::of(app).await;
    fs::remove_file(left.file("secret.key")).expect("it is lost");
    for command in [
        &["serve", "--port=0"][..],
        &["seed", "--count=1"],
        &["user", "list"],
        &["audit", "verify"],
        &["key", "rotate"],
        &["doctor"],
    ] {
        let said = left.refused(command);
        assert!(said.contains("is missing") && said.contains("backup"), "{command:?}: {said}");
        assert!(!left.file("secret.key").exists(), "{command:?} makes none");
    }
    let said = left.done(&["key", "rotate", "--lost"]);
    assert!(said.contains("turned off for 1 accounts") && said.contains("queued emails"), "{said}");
    assert!(left.refused(&["key", "rotate", "--lost"]).contains("not lost"));
    let verified = left.done(&["audit", "verify"]);
    assert!(verified.contains("trail is intact") && verified.contains("is lost"), "{verified}");
    left.done(&["key", "rotate"]);
    let verified = left.done(&["audit", "verify"]);
    assert!(verified.contains("trail is intact") && verified.contains("is lost"), "{verified}");
    let (_server, origin) = left.serves().await;
    assert!(ada.session.at_address(&origin).is_signed_in().await);
    browser(&origin)
        .post_form("/login", &[("login", "ada"), ("password", PASSWORD), ("next", "/tags")])
        .await
        .redirects_to("/tags");
}

#[tokio::test]
async fn a_lost_key_is_not_replaced_in_silence_on_sqlite() {
    a_lost_key_is_not_replaced_in_silence(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_lost_key_is_not_replaced_in_silence_on_postgres() {
    a_lost_key_is_not_replaced_in_silence(Engine::Postgres).await;
}

#[tokio::test]
async fn a_key_in_a_setting_is_changed_by_a_file() {
    let place = Place::new();
    let old = "ab".repeat(32);
    place.done(&["seed", "--count=1"], &[("COFFER_SECRET_KEY", &old)]);
    let file = place.path("new.key");
    assert!(place.refusal(&["key", "rotate"], &[("COFFER_SECRET_KEY", &old)]).contains("--to"));
    place.done(&["key", "rotate", "--to", &file], &[("COFFER_SECRET_KEY", &old)]);
    let new = fs::read_to_string(&file).expect("a key");
    place.done(&["audit", "verify"], &[("COFFER_SECRET_KEY", new.trim())]);
    assert!(
        place.refusal(&["audit", "verify"], &[("COFFER_SECRET_KEY", &old)]).contains("belongs to the key")
    );
    let again = place.refusal(&["key", "rotate", "--to", &file], &[("COFFER_SECRET_KEY", new.trim())]);
    assert!(again.contains("contains the current key"), "{again}");
}

#[tokio::test]
async fn an_interrupted_change_says_where_the_right_key_is() {
    let place = Place::new();
    place.done(&["seed", "--count=1"], &[]);
    let old = fs::read_to_string(place.path("data/secret.key")).expect("the key");
    place.done(&["key", "rotate"], &[]);
    fs::rename(place.path("data/secret.key"), place.path("data/secret.key.new"))
        .expect("as it is before the renaming");
    fs::write(place.path("data/secret.key"), &old).expect("the old one");
    let said = place.refusal(&["user", "list"], &[]);
    assert!(said.contains("A rotation was interrupted") && said.contains("secret.key.new"), "{said}");
}

async fn postgres() -> crate::support::postgres::Database {
    fresh_database(async |url: &str| Db::open(url, 2).await.expect("the schema is made").close().await).await
}

/// The command of the README, run in two folders.
#[tokio::test]
async fn two_folders_on_one_database_need_one_key() {
    let database = postgres().await;
    let (one, two) = (Place::new(), Place::new());
    let url = ("COFFER_DATABASE_URL", database.url());
    one.done(&["seed", "--count=1"], &[url]);
    let said = two.refusal(&["serve"], &[url, ("COFFER_PORT", "0")]);
    assert!(said.contains("is missing") && said.contains("another node"), "{said}");
    assert!(!Path::new(&two.path("data/secret.key")).exists());
    let key = fs::read_to_string(one.path("data/secret.key")).expect("the key");
    two.done(&["seed", "--count=1"], &[url, ("COFFER_SECRET_KEY", key.trim())]);
    let doctor = two.run(&["doctor"], &[url, ("COFFER_SECRET_KEY", &"cd".repeat(32))]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("FAIL  key"), "{doctor:?}");
}

#[tokio::test]
async fn of_those_that_start_first_at_once_one_makes_the_key() {
    let database = postgres().await;
    let places = [Place::new(), Place::new(), Place::new()];
    let started = places.each_ref().map(|place| {
        std::process::Command::new(COFFER)
            .args(["import", "/dev/null", "--database-url", database.url()])
            .env_clear()
            .current_dir(place.path(""))
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("coffer starts")
    });
    let said = started.map(|child| {
        String::from_utf8_lossy(&child.wait_with_output().expect("coffer ends").stderr).into_owned()
    });
    let keys = places.iter().filter(|place| Path::new(&place.path("data/secret.key")).exists()).count();
    assert_eq!(keys, 1, "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("There is no account yet")).count(), 1, "{said:?}");
}

on_both_engines!(a_node_with_the_old_key_can_not_break_the_chain);
async fn a_node_with_the_old_key_can_not_break_the_chain(app: App) {
    app.signed_in("ada").await;
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    store::replace(&mut tx, &[7; 8]).await.expect("another key");
    tx.commit().await.expect("it stays");
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let event = Event::own(LOG_IN, Uuid::nil());
    let refused = app
        .coffer
        .auth
        .audit
        .record(&mut tx, &RequestMeta::default(), &event)
        .await
        .expect_err("it is not written");
    assert!(refused.to_string().contains("another COFFER_SECRET_KEY"), "{refused}");
    drop(tx);
    assert_eq!(app.coffer.audit_reader.verify().await.expect("a trail").fault, None);
}
