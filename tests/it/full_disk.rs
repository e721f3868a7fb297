//! SQLite on a disk that is full, that fails, or beside another program: what can't be written is refused, and writing
//! goes on within two seconds of its end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use coffer::db::Db;
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use crate::startup::{COFFER, Place, READY, succeeded};
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::server::Server;
use crate::support::wait::eventually;

/// Until writing works again after its trouble has ended.
const HEALS_WITHIN: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(30);

/// A file system of 8 MiB; none where mounting is not allowed.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("coffer-disk.").tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m,mode=700", "coffer-test"])
            .arg(folder.path())
            .output();
        let disk = mounted.is_ok_and(|done| done.status.success()).then_some(Self(folder));
        if disk.is_none() {
            eprintln!("not allowed to mount: the tests with limited pages and files stand for this one");
        }
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte.
    fn fill(&self) {
        for (name, size) in [("filler", 64 << 10), ("rest", 512)] {
            let chunk = vec![7; size];
            let mut file = fs::File::create(self.path().join(name)).expect("a file");
            while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
        }
    }

    fn make_room(&self) {
        for name in ["filler", "rest"] {
            fs::remove_file(self.path().join(name)).expect("it is there");
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

fn large(title: &str) -> serde_json::Value {
    json!({ "kind": "note", "title": title, "body": "word ".repeat(15_000) })
}

/// Saves until there is no room; what was acknowledged, and the refusal.
async fn saves_until_refused(ada: &Actor) -> (Vec<String>, Answer) {
    let mut saved = Vec::new();
    for number in 0..400 {
        let ask = ada.json(Method::POST, "/api/v1/resources", large(&format!("Note {number}")));
        let answer = ask.expecting_trouble().await;
        if answer.status() != 201 {
            return (saved, answer);
        }
        saved.push(answer.json()["id"].as_str().expect("an id").to_owned());
    }
    panic!("it never was full");
}

#[track_caller]
fn refuses(answer: Answer) {
    let code = answer.json()["code"].clone();
    assert!(code == "unavailable" || code == "outcome_unknown", "{answer}");
    answer.is(503).header_is("retry-after", "5");
}

/// The trouble has just ended: a write works in time, and so does everything else.
async fn heals(ada: &Actor, saved: &[String]) {
    let ended = Instant::now();
    let healed = eventually(LIMIT, async || {
        let ask = ada.json(Method::POST, "/api/v1/resources", json!({ "kind": "note", "title": "After" }));
        let answer = ask.expecting_trouble().await;
        if answer.status() == 201 { Ok(()) } else { Err(answer) }
    });
    healed.await.unwrap_or_else(|error| panic!("{error}"));
    assert!(ended.elapsed() < HEALS_WITHIN, "after {:?}", ended.elapsed());
    ada.get("/readyz").await.ok();
    ada.without_cookies().signs_in().await;
    for id in saved {
        ada.get(&format!("/api/v1/resources/{id}")).await.ok();
    }
}

async fn is_not_ready(ada: &Actor) {
    let ready = ada.get("/readyz").expecting_trouble().await.is(503).json();
    assert_eq!(ready["dependencies"][0], json!({ "name": "sqlite", "up": false, "required": true }));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_heals_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let url = format!("--database-url=sqlite:{}", disk.path().join("coffer.db").display());
    let app = App::with(Engine::Sqlite, &[&url]).await;
    let ada = app.signed_in("ada").await;
    for _ in 0..2 {
        disk.fill();
        let (saved, refused) = saves_until_refused(&ada).await;
        refuses(refused);
        is_not_ready(&ada).await;
        refuses(ada.json(Method::POST, "/api/v1/resources", large("Again")).expecting_trouble().await);
        ada.get("/api/v1/resources?q=word").await.ok();
        disk.make_room();
        heals(&ada, &saved).await;
    }
}

/// A transaction that SQLite has ended by itself, also for root.
#[tokio::test]
async fn a_full_database_refuses_writes_and_heals() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    let Db::Sqlite { write, .. } = &app.coffer.db else { panic!("SQLite") };
    sqlx::raw_sql("PRAGMA max_page_count = 400").execute(write.executor()).await.expect("a limit");
    let (saved, refused) = saves_until_refused(&ada).await;
    refuses(refused);
    // The limit was the connection's, which is gone.
    heals(&ada, &saved).await;
}

#[tokio::test]
async fn another_program_s_lock_is_waited_for_and_then_said() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let ada = app.signed_in("ada").await;
    let file = format!("sqlite:{}", app.data_dir().join("coffer.db").display());
    let mut other = SqliteConnection::connect(&file).await.expect("the file");
    for _ in 0..2 {
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock");
        let asked = Instant::now();
        refuses(ada.json(Method::POST, "/api/v1/resources", large("Locked")).expecting_trouble().await);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        is_not_ready(&ada).await;
        ada.get("/api/v1/resources").await.ok();
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("no lock");
        heals(&ada, &[]).await;
    }
}

/// Files may grow no further: the system refuses with an error that is not "disk full".
#[tokio::test]
async fn a_disk_that_fails_refuses_writes_and_heals() {
    let place = Place::new();
    let create = ["user", "create", "--username=ada", "--email=ada@example.org"];
    succeeded(&place.run_with_input(&create, &[], &format!("{PASSWORD}\n")));
    let data = format!("--data-dir={}", place.path("data"));
    let limited = "echo $$ >pid; trap '' XFSZ; exec prlimit --fsize=3000000: \"$@\"";
    let command = ["sh", "-c", limited, "sh", COFFER, "serve", "--port=0", &data];
    let server = Server::new("coffer", "KILL", &command);
    let said = server.start(READY).await.unwrap_or_else(|log| panic!("coffer doesn't start: {log}"));
    let (_, rest) = said.split_once(READY).expect("the log says where");
    let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
    let origin = rest[..end].replace("localhost", "127.0.0.1");
    let ada = Actor::at_origin(
        "ada",
        &origin,
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client"),
    );
    ada.signs_in().await;
    let (saved, refused) = saves_until_refused(&ada).await;
    refuses(refused);
    let pid = fs::read_to_string(server.folder().join("pid")).expect("its number");
    let room = Command::new("prlimit").args(["--pid", pid.trim(), "--fsize=1000000000:"]).output();
    assert!(room.expect("prlimit").status.success());
    heals(&ada, &saved).await;
}

#[test]
fn a_start_on_a_full_disk_says_so() {
    let Some(disk) = SmallDisk::mount() else { return };
    disk.fill();
    fs::set_permissions(disk.path(), fs::Permissions::from_mode(0o700)).expect("a mode");
    let place = Place::new();
    let directory = disk.path().display().to_string();
    let key = "ab".repeat(32);
    for variables in [
        vec![("COFFER_DATA_DIR", directory.as_str())],
        vec![("COFFER_DATA_DIR", directory.as_str()), ("COFFER_SECRET_KEY", key.as_str())],
    ] {
        for command in [vec!["serve", "--port=0"], vec!["migrate"]] {
            let said = place.refusal(&command, &variables);
            assert!(said.contains("no space left on the disk") && said.contains(&directory), "{said}");
        }
    }
    disk.make_room();
    place.done(&["migrate"], &[("COFFER_DATA_DIR", &directory)]);
}
