//! `coffer backup` and `coffer restore`: consistent while coffer runs, checked, and never over something else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use coffer::db::Db;
use reqwest::Method;
use serde_json::json;

use crate::startup::{Place, succeeded};
use crate::support::app::{App, Engine};
use crate::support::dump::Dump;
use crate::support::on_both_engines;
use crate::support::postgres::{Database, fresh_database};

const KEY: &str = "--secret-key=0707070707070707070707070707070707070707070707070707070707070707";

/// Where a backup is restored: a directory, and for PostgreSQL an empty database.
struct Target {
    place: Place,
    database: Option<Database>,
}

impl Target {
    async fn new(app: &App) -> Self {
        let is_postgres = matches!(app.coffer.db, Db::Postgres(_));
        let database = if is_postgres { Some(empty_database().await) } else { None };
        Self { place: Place::new(), database }
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        self.database.iter().map(|database| ("COFFER_DATABASE_URL", database.url())).collect()
    }

    fn url(&self) -> String {
        let file = || format!("sqlite:{}", self.place.path("data/coffer.db"));
        self.database.as_ref().map_or_else(file, |database| database.url().to_owned())
    }

    async fn dump(&self) -> Dump {
        let db = Db::open(&self.url(), 1).await.expect("the restored library");
        let dump = Dump::of(&db).await;
        db.close().await;
        dump
    }
}

async fn empty_database() -> Database {
    let database =
        fresh_database(async |url: &str| Db::open(url, 2).await.expect("a schema").close().await).await;
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    for sql in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
        sqlx::query(sql).execute(&pool).await.expect("it is ours");
    }
    pool.close().await;
    database
}

/// What a command about the running app says.
fn run(app: &App, command: &[&str]) -> std::process::Output {
    let settings: Vec<&str> = app.settings().iter().map(String::as_str).collect();
    Place::new().run(&[command, &settings[..]].concat(), &[])
}

fn refused(app: &App, command: &[&str]) -> String {
    let output = run(app, command);
    assert!(!output.status.success(), "{command:?}: {output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn fill(app: &App) {
    let ada = app.admin("ada").await;
    for title in ["Tide\ttables\\", "„Größe“ 愛\u{1F409}"] {
        let note = json!({"kind": "note", "title": title, "body": "one\ntwo\r\n\\. \\N", "tags": ["a/b"]});
        ada.saves(note).await;
    }
    let entry = ada.saves(json!({"kind": "link", "title": "x", "url": "https://example.org/"})).await;
    ada.json(Method::DELETE, &entry.api(), json!({})).if_match("*").await.is(204);
}

on_both_engines!(everything_comes_back);
async fn everything_comes_back(app: App) {
    fill(&app).await;
    let before = Dump::of(&app.coffer.db).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("coffer.backup").display().to_string();
    let said = succeeded(&run(&app, &["backup", &file, "--with-key"]));
    assert!(said.contains("1 accounts, 3 entries") && said.contains("The file was verified"), "{said}");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else is left");
    assert!(refused(&app, &["backup", &file]).contains("does not exist yet"));

    let target = Target::new(&app).await;
    let checked = target.place.done(&["restore", &file, "--check"], &[]);
    assert!(checked.contains("is intact. Contents: 1 accounts"), "{checked}");
    assert!(!Path::new(&target.place.path("data")).exists(), "nothing was made");
    let said = target.place.done(&["restore", &file], &target.settings());
    assert!(said.contains("The audit trail is intact"), "{said}");
    target.dump().await.is(&before, "the way through a backup");
    before.is(&target.dump().await, "the way through a backup");
    assert!(target.place.done(&["user", "list"], &target.settings()).starts_with("ada\tadmin"));
    let said = target.place.refusal(&["restore", &file], &target.settings());
    assert!(said.contains("There is already a library here"), "{said}");
    target.dump().await.is(&before, "a refusal");

    // What is written afterwards has numbers of its own.
    let settings: Vec<String> =
        target.settings().iter().map(|(_, value)| format!("--database-url={value}")).collect();
    let mut settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    settings.extend(["--port=0", "--metrics-address=off"]);
    let (_server, address) = target.place.serves(&settings).await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let ada =
        crate::support::actor::Actor::at_origin("ada", &format!("http://{address}"), http.expect("HTTP"));
    ada.signs_in().await;
    ada.saves(json!({"kind": "note", "title": "Afterwards"})).await;
    ada.get("/resources?q=tables").await.ok().text_has("Tide");
}

on_both_engines!(what_a_running_coffer_uses_is_left_alone, super::KEY);
/// Nothing else keeps the backup out: the key is the same, and there is no account.
async fn what_a_running_coffer_uses_is_left_alone(app: App) {
    fill(&app).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("coffer.backup").display().to_string();
    succeeded(&run(&app, &["backup", &file]));
    let running = App::with(app.engine, &[KEY]).await;
    let before = Dump::of(&running.coffer.db).await;
    let said = refused(&running, &["restore", &file]);
    let wanted = match app.engine {
        Engine::Sqlite => "Another coffer is running on",
        Engine::Postgres => "Another coffer is connected to this database. Stop every node first.",
    };
    assert!(said.contains(wanted), "{said}");
    Dump::of(&running.coffer.db).await.is(&before, "a refusal");
    let stopped = running.stop().await;
    let settings: Vec<&str> = stopped.settings.iter().map(String::as_str).collect();
    let restored = Place::new().done(&[&["restore", &file], &settings[..]].concat(), &[]);
    assert!(restored.contains("The audit trail is intact"), "{restored}");
}

on_both_engines!(while_people_write_it_is_of_one_moment);
async fn while_people_write_it_is_of_one_moment(app: App) {
    let ada = app.signed_in("ada").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("coffer.backup").display().to_string();
    let save = async |number: usize| {
        let title = format!("Note {number}");
        ada.saves(json!({"kind": "note", "title": title, "tags": [title]})).await;
    };
    for number in 0..5 {
        save(number).await;
    }
    let writing = async {
        for number in 5.. {
            save(number).await;
        }
    };
    let settings: Vec<String> = app.settings().to_vec();
    let made = tokio::task::spawn_blocking({
        let file = file.clone();
        move || {
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            Place::new().run(&[&["backup", &file, "--with-key"], &settings[..]].concat(), &[])
        }
    });
    tokio::select! {
        made = made => succeeded(&made.expect("it ends")),
        () = writing => panic!("there are numbers enough"),
    };
    let target = Target::new(&app).await;
    target.place.done(&["restore", &file], &target.settings());
    let dump = target.dump().await;
    let entries = dump.rows("resources").len();
    assert!(entries >= 5);
    for table in ["revisions", "tags", "resource_tags"] {
        assert_eq!(dump.rows(table).len(), entries, "{table}");
    }
}

on_both_engines!(what_is_damaged_foreign_or_in_use_is_refused);
async fn what_is_damaged_foreign_or_in_use_is_refused(app: App) {
    fill(&app).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    succeeded(&run(&app, &["backup", &path("good")]));
    let good = fs::read(path("good")).expect("the backup");
    assert!(
        refused(&app, &["restore", &path("good")]).contains("coffer"),
        "the running library is left alone"
    );
    let target = Target::new(&app).await;

    let mut flipped = good.clone();
    // More than the headers that stand between what is held.
    flipped[good.len() / 3..][..300].iter_mut().for_each(|byte| *byte ^= 1);
    for (name, bytes, sentence) in [
        ("flipped", flipped.as_slice(), "damaged"),
        ("short", &good[..good.len() - 200], "is not a coffer backup"),
        ("text", b"a text", "is not a coffer backup"),
    ] {
        fs::write(path(name), bytes).expect("a file");
        for command in [vec!["restore", &path(name)], vec!["restore", &path(name), "--check"]] {
            let said = target.place.refusal(&command, &target.settings());
            assert!(said.contains(sentence), "{name}: {said}");
        }
    }
    let others = [("COFFER_SECRET_KEY", "ab".repeat(32))];
    let settings = [&target.settings()[..], &[(others[0].0, others[0].1.as_str())]].concat();
    let said = target.place.refusal(&["restore", &path("good")], &settings);
    assert!(said.contains("belongs to the key"), "{said}");
    let elsewhere = match target.database {
        None => "postgres://127.0.0.1/x",
        Some(_) => "sqlite:x.db",
    };
    let said = target.place.refusal(&["restore", &path("good")], &[("COFFER_DATABASE_URL", elsewhere)]);
    assert!(said.contains("a different engine"), "{said}");
    // Nothing of it has changed the target.
    let said = target.place.done(&["restore", &path("good")], &target.settings());
    assert!(said.contains("is missing") && said.contains("secret.key"), "the key is not in it: {said}");
}
