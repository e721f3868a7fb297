//! Commands that only look, or work on what is there: they make nothing, change nothing, and say what is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use coffer::db::Db;
use coffer::redis::namespace::Namespace;

use crate::startup::Place;
use crate::support::COFFER;
use crate::support::postgres::{Database, fresh_database};
use crate::support::redis::RedisServer;

/// Commands for a library that is there.
const WORKING: [&[&str]; 17] = [
    &["backup", "x"],
    &["audit", "verify"],
    &["audit", "export"],
    &["migrate", "--check"],
    &["user", "unlock", "ada"],
    &["user", "invite"],
    &["user", "list"],
    &["user", "disable", "ada"],
    &["user", "enable", "ada"],
    &["user", "role", "ada", "admin"],
    &["user", "reset-link", "ada"],
    &["user", "second-factor-off", "ada"],
    &["token", "list"],
    &["token", "create", "--name=x", "--scope=resources:read"],
    &["token", "revoke", "0198c0de-0000-7000-8000-000000000000"],
    &["export"],
    &["key", "rotate"],
];
const MAKING: [&[&str]; 3] =
    [&["migrate"], &["seed", "--count=1"], &["serve", "--port=0", "--metrics-address=off"]];

async fn postgres() -> Database {
    fresh_database(async |url: &str| Db::open(url, 2).await.expect("the schema is made").close().await).await
}

#[test]
fn in_an_empty_folder_they_make_nothing() {
    let place = Place::new();
    for command in WORKING {
        let said = place.refusal(command, &[]);
        assert!(
            said.contains("There is no library in data/coffer.db") && said.contains("COFFER_DATA_DIR"),
            "{command:?}: {said}"
        );
    }
    let said = place.done(&["doctor"], &[]);
    assert!(said.contains("coffer creates it on first start"), "{said}");
    place.done(&["config"], &[]);
    place.refusal(&["healthcheck"], &[]);
    assert!(!Path::new(&place.path("data")).exists(), "nothing was made");
    // Nor in a folder that is there.
    fs::create_dir(place.path("data")).expect("a folder");
    fs::set_permissions(place.path("data"), fs::Permissions::from_mode(0o700)).expect("a mode");
    for command in WORKING {
        place.refusal(command, &[]);
    }
    place.done(&["doctor"], &[]);
    assert_eq!(fs::read_dir(place.path("data")).expect("a folder").count(), 0, "nothing was made");
}

#[tokio::test]
async fn in_an_empty_database_they_make_nothing() {
    let (place, database) = (Place::new(), postgres().await);
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    sqlx::query("DROP SCHEMA public CASCADE").execute(&pool).await.expect("it is ours");
    sqlx::query("CREATE SCHEMA public").execute(&pool).await.expect("it is ours");
    let url = [("COFFER_DATABASE_URL", database.url())];
    for command in WORKING {
        let said = place.refusal(command, &url);
        assert!(said.contains("There is no library in postgres://"), "{command:?}: {said}");
    }
    let said = place.done(&["doctor"], &url);
    assert!(said.contains("warn  database") && said.contains("is empty"), "{said}");
    let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(tables, 0, "nothing was made");
    assert!(!Path::new(&place.path("data")).exists());
    place.done(&["migrate"], &url);
    assert!(!Path::new(&place.path("data")).exists(), "the schema needs no key");
    assert!(place.done(&["doctor"], &url).contains("no key has been used"));
    place.done(&["seed", "--count=1"], &url);
    assert!(place.done(&["user", "list"], &url).starts_with("demo"));
}

/// Redis knows more than the database, as after a restore, which makes `serve` take another name.
#[tokio::test]
async fn beside_a_redis_that_knows_more_they_change_nothing() {
    let (place, database, redis) = (Place::new(), postgres().await, RedisServer::start().await);
    let url = redis.url();
    let variables = [("COFFER_DATABASE_URL", database.url()), ("COFFER_REDIS_URL", url.as_str())];
    place.done(&["seed", "--count=1"], &variables[..1]);
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    let installation = async || -> (String, i64) {
        let row = sqlx::query_as("SELECT name, position FROM installation").fetch_one(&pool).await;
        row.expect("an installation")
    };
    let before = installation().await;
    let info = redis.bulk("INFO server").expect("redis answers");
    let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:")).expect("a run id").to_owned();
    let mark = format!("coffer:mark:{}", Namespace::new(&before.0, &[run_id], 0).short());
    let row = "0198c0de-0000-7000-8000-000000000000";
    assert_eq!(redis.command(&format!("SET {mark} \"999999 {row}\"")).expect("redis answers"), "+OK");
    let looking: [&[&str]; 6] =
        [&["doctor"], &["config"], &["user", "list"], &["token", "list"], &["audit", "verify"], &["export"]];
    for command in looking {
        place.done(command, &variables);
        assert_eq!(installation().await, before, "{command:?}");
        assert_eq!(redis.keys().expect("redis answers"), [mark.as_str()], "{command:?}");
    }
}

#[tokio::test]
async fn a_schema_of_a_later_coffer_is_named_in_our_words() {
    const LATER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'later', TRUE, 'x', 0)";
    let (place, database) = (Place::new(), postgres().await);
    place.done(&["seed", "--count=1"], &[]);
    let db = Db::open(&format!("sqlite:{}", place.path("data/coffer.db")), 1).await.expect("the database");
    let Db::Sqlite { write, .. } = &db else { panic!("an SQLite file") };
    sqlx::query(sqlx::AssertSqlSafe(LATER.replace("'x'", "x'00'")))
        .execute(write.executor())
        .await
        .expect("a migration");
    db.close().await;
    drop(db);
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    sqlx::query(LATER).execute(&pool).await.expect("a migration");
    let postgres = [("COFFER_DATABASE_URL", database.url())];
    for variables in [&[][..], &postgres] {
        for command in WORKING.iter().chain(&MAKING) {
            let said = place.refusal(command, variables);
            assert!(
                said.contains("was created by a newer coffer") && said.contains("9001"),
                "{command:?}: {said}"
            );
            assert!(!said.contains("sqlx") && !said.contains("previously applied"), "{said}");
        }
        let said = place.run(&["doctor"], variables);
        assert!(
            String::from_utf8_lossy(&said.stdout)
                .contains("FAIL  database  The database was created by a newer coffer"),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn an_older_schema_is_left_as_it_is() {
    const OLDER: &str = "DELETE FROM _sqlx_migrations WHERE version IN (SELECT version FROM _sqlx_migrations ORDER BY version DESC LIMIT 3)";
    const COUNT: &str = "SELECT COUNT(*) FROM _sqlx_migrations";
    let (place, database) = (Place::new(), postgres().await);
    place.done(&["seed", "--count=1"], &[]);
    let file = format!("sqlite:{}", place.path("data/coffer.db"));
    let sqlite = sqlx::SqlitePool::connect(&file).await.expect("the database");
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    sqlx::query(OLDER).execute(&sqlite).await.expect("it is ours");
    sqlx::query(OLDER).execute(&pool).await.expect("it is ours");
    let count = async || -> [i64; 2] {
        let sqlite = sqlx::query_scalar(COUNT).fetch_one(&sqlite).await.expect("a count");
        [sqlite, sqlx::query_scalar(COUNT).fetch_one(&pool).await.expect("a count")]
    };
    let before = count().await;
    let postgres = [("COFFER_DATABASE_URL", database.url())];
    for variables in [&[][..], &postgres] {
        // A backup of an older schema is what one makes before the migration.
        for command in WORKING.iter().filter(|command| command[0] != "backup") {
            let said = place.refusal(command, variables);
            assert!(said.contains("coffer migrate"), "{command:?}: {said}");
        }
        let said = place.run(&["doctor"], variables);
        assert!(String::from_utf8_lossy(&said.stdout).contains("3 migrations"), "{said:?}");
        assert_eq!(count().await, before);
    }
}

#[test]
fn doctor_and_config_refuse_what_serve_refuses() {
    let place = Place::new();
    fs::write(place.path("empty"), "").expect("a file");
    let empty = place.path("empty");
    for (name, value) in [
        ("COFFER_SECRET_KEY", "abc"),
        ("COFFER_DATABASE_URL", "mysql://db/coffer"),
        ("COFFER_DATABASE_URL", "postgres://ada:x@db:notaport/coffer"),
        ("COFFER_REDIS_URL", "http://cache"),
        ("COFFER_BASE_URL", "https://links.example.org/?page=1"),
        ("COFFER_SMTP_URL", "https://mail.example.org"),
        ("COFFER_SMTP_CA_FILE", &empty),
        ("COFFER_MAIL_FROM", "nobody"),
        ("COFFER_LOG", "coffer=loud"),
        ("COFFER_LOKI_URL", "ftp://loki"),
    ] {
        let variables = [
            (name, value),
            ("COFFER_SMTP_URL", "smtps://mail.example.org"),
            ("COFFER_PORT", "0"),
            ("COFFER_METRICS_ADDRESS", "off"),
        ];
        let variables = if name == "COFFER_SMTP_CA_FILE" {
            &variables[..]
        } else {
            &[variables[0], variables[2], variables[3]]
        };
        let served = place.refusal(&["serve"], variables);
        assert!(served.contains(name) || served.contains("database address"), "{name}={value}: {served}");
        for command in ["doctor", "config"] {
            let output = place.run(&[command], variables);
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            let sentence = served.trim_start_matches("coffer: ").trim();
            assert!(
                !output.status.success() && said.contains(sentence),
                "{command} {name}={value}: {said} without {sentence}"
            );
        }
    }
}

#[test]
fn the_doctor_looks_at_who_may_look_into_the_data_directory() {
    let place = Place::new();
    place.done(&["seed", "--count=1"], &[]);
    for (mode, is_fine) in
        [(0o700, true), (0o500, true), (0o710, false), (0o750, false), (0o755, false), (0o777, false)]
    {
        fs::set_permissions(place.path("data"), fs::Permissions::from_mode(mode)).expect("a mode");
        let said = String::from_utf8_lossy(&place.run(&["doctor"], &[]).stdout).into_owned();
        assert_eq!(!said.contains("chmod 700"), is_fine, "{mode:o}: {said}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    place.done(&["seed", "--count=300"], &[]);
    let printing: [&[&str]; 6] =
        [&["openapi"], &["completions", "bash"], &["man"], &["settings"], &["audit", "export"], &["export"]];
    for command in printing {
        let line = format!("{COFFER} {} | head -c 1; exit ${{PIPESTATUS[0]}}", command.join(" "));
        let output =
            Command::new("/bin/bash").args(["-c", &line]).env_clear().current_dir(place.path("")).output();
        let output = output.expect("bash");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{command:?}: {said}");
    }
}
