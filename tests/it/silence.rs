//! PostgreSQL connections that say nothing any more, and commits of whose end nothing is heard.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::startup::{Place, ended};
use crate::support::actor::{Actor, Entry};
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::postgres::{Database, PostgresServer};
use crate::support::proxy::Proxy;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);

/// A coffer with a network between itself and its database.
struct Between {
    app: App,
    proxy: Proxy,
    server: PostgresServer,
    database: Database,
}

impl Between {
    async fn start() -> Self {
        let server = PostgresServer::start().await;
        let database = server.database("template0");
        let proxy = Proxy::to(server.address()).await;
        let app = App::at_database(&database.url().replace(&server.address(), &proxy.address())).await;
        Self { app, proxy, server, database }
    }
}

/// Several at once, so that several connections stand.
async fn asks_at_once(ada: &Actor, entry: &Entry) -> Vec<u16> {
    let path = entry.api();
    let asks = (0..12).map(|number| {
        let path = path.clone();
        async move {
            let change = json!({ "title": format!("Title {number}") });
            ada.json(Method::PATCH, &path, change).if_match("*").expecting_trouble().await.status()
        }
    });
    futures::future::join_all(asks).await
}

#[tokio::test]
async fn connections_that_fall_silent_are_given_up_and_replaced() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Before" })).await;
    for _ in 0..2 {
        asks_at_once(&ada, &entry).await;
        between.proxy.swallow();
        let swallowed = Instant::now();
        let answers = asks_at_once(&ada, &entry).await;
        assert!(swallowed.elapsed() < Duration::from_secs(12), "{answers:?} after {:?}", swallowed.elapsed());
        let healed = eventually(LIMIT, async || {
            let answers = asks_at_once(&ada, &entry).await;
            if answers.iter().all(|status| [200, 412].contains(status)) {
                Ok(())
            } else {
                Err(format!("{answers:?}"))
            }
        });
        healed.await.unwrap_or_else(|error| panic!("{error}"));
        assert!(swallowed.elapsed() < Duration::from_secs(20), "{:?}", swallowed.elapsed());
        ada.get("/readyz").await.ok();
    }
}

#[tokio::test]
async fn a_server_that_stands_still_is_said_to_and_used_again() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Before" })).await;
    between.server.freeze();
    let asked = Instant::now();
    let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
    change.expecting_trouble().await.is(503).header_is("retry-after", "5");
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    ada.get("/readyz").expecting_trouble().await.is(503);
    between.server.thaw();
    let healed = eventually(LIMIT, async || {
        let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
        let answer = change.expecting_trouble().await;
        if answer.status() == 200 { Ok(()) } else { Err(answer) }
    });
    healed.await.unwrap_or_else(|error| panic!("{error}"));
}

/// The change is there although its answer was lost: its sender is told to look first.
#[tokio::test]
async fn a_commit_of_whose_end_nothing_is_heard_is_said_to_be_unknown() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    between.proxy.cuts_answers_to_commits();
    let note = json!({ "kind": "note", "title": "Sent once" });
    let ask = ada.json(Method::POST, "/api/v1/resources", note).expecting_trouble();
    let told = ask.await.is(503).problem("outcome_unknown").text_has("may have been saved");
    told.lacks("Nothing was changed");
    between.proxy.passes();
    let found = ada.get("/api/v1/resources?q=Sent").expecting_trouble().await.ok();
    assert_eq!(found.json()["items"].as_array().map(Vec::len), Some(1), "{found}");

    between.proxy.cuts_answers_to_commits();
    let form = [("kind", "note"), ("title", "By the form"), ("body", "Every word")];
    let page = ada.post_form("/resources", &form).expecting_trouble().await.error_page(503);
    page.has("main", "may have been saved")
        .has("main textarea", "Every word")
        .lacks("Nothing was changed")
        .lacks("This was not saved");
    between.proxy.passes();
    ada.get("/resources?q=form").await.ok().has("main", "By the form");
}

#[tokio::test]
async fn a_balancer_that_takes_connections_and_closes_them_is_an_outage() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Before" })).await;
    between.proxy.closes_at_once();
    between.proxy.swallow();
    for _ in 0..4 {
        let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
        change.expecting_trouble().await.is(503).problem("unavailable").header_is("retry-after", "5");
    }
    ada.get("/resources?q=cold").expecting_trouble().await.error_page(503).header_is("retry-after", "5");
    between.proxy.passes();
    let healed = eventually(LIMIT, async || {
        let answer = ada.get(&entry.api()).expecting_trouble().await;
        if answer.status() == 200 { Ok(()) } else { Err(answer) }
    });
    healed.await.unwrap_or_else(|error| panic!("{error}"));
}

/// As after a failover to a server that takes no changes yet.
#[tokio::test]
async fn a_server_that_takes_no_changes_is_an_outage_for_changes() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Before" })).await;
    let database = between.database.url();
    let name = database.rsplit('/').next().expect("a name");
    let set = async |value: &str| {
        let pool = sqlx::PgPool::connect(database).await.expect("PostgreSQL");
        for sql in [
            format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()".to_owned(),
        ] {
            let mut connection = pool.acquire().await.expect("PostgreSQL");
            sqlx::raw_sql("SET default_transaction_read_only = off").execute(&mut *connection).await.expect("a setting");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.expect("a superuser");
        }
        pool.close().await;
    };
    set("on").await;
    let refused = eventually(LIMIT, async || {
        let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
        let answer =
            change.expecting_trouble().await.is(503).problem("unavailable").header_is("retry-after", "5");
        let read = ada.get(&entry.api()).expecting_trouble().await;
        if read.status() == 200 { Ok(()) } else { Err(answer) }
    });
    refused.await.unwrap_or_else(|error| panic!("{error}"));
    ada.get("/readyz").expecting_trouble().await.is(503);
    set("off").await;
    let healed = eventually(LIMIT, async || {
        let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
        let answer = change.expecting_trouble().await;
        if answer.status() == 200 { Ok(()) } else { Err(answer) }
    });
    healed.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_lock_that_is_not_had_in_time_is_an_outage() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Before" })).await;
    let other = sqlx::PgPool::connect(between.database.url()).await.expect("PostgreSQL");
    let mut lock = other.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE resources IN SHARE MODE").execute(&mut *lock).await.expect("a lock");
    let change = ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*");
    change.expecting_trouble().await.is(503).problem("unavailable").header_is("retry-after", "5");
    lock.rollback().await.expect("no lock");
    ada.json(Method::PATCH, &entry.api(), json!({ "title": "New" })).if_match("*").await.ok();
}

/// All connections are in use when the answer is to be made: it comes from the transaction.
#[tokio::test]
async fn what_was_written_is_answered_without_another_connection() {
    let server = PostgresServer::start().await;
    let database = server.database("template0");
    let settings = format!("--database-url={}", database.url());
    let app = App::with(Engine::Sqlite, &[&settings, "--database-connections=1"]).await;
    let ada = app.signed_in("ada").await;
    let writes = (0..30).map(|number| {
        let ada = ada.clone();
        async move {
            let note = json!({ "kind": "note", "title": format!("Note {number}") });
            let answer = ada.json(Method::POST, "/api/v1/resources", note).expecting_trouble().await;
            (answer.status(), answer.text())
        }
    });
    let answers = futures::future::join_all(writes).await;
    let saved = answers.iter().filter(|(status, _)| *status == 201).count();
    let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM resources")
        .fetch_one(&sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL"))
        .await
        .expect("a number");
    assert_eq!(i64::try_from(saved).expect("small"), found, "what was refused was not made: {answers:?}");
}

#[tokio::test]
async fn told_to_stop_coffer_ends_in_time_whatever_its_database_does() {
    let server = PostgresServer::start().await;
    let database = server.database("template0");
    let place = Place::new();
    let url = format!("--database-url={}", database.url());
    let (coffer, address) = place.serves(&["--port=0", &url, "--stop-timeout=4"]).await;
    assert!(crate::startup::get(&address, "/resources").await.is_ok());
    server.freeze();
    // One that holds a connection.
    let asking =
        tokio::spawn(async move { crate::startup::get(&address, "/resources?q=held").await.map(drop) });
    let told = Instant::now();
    assert!(coffer.send("TERM"));
    assert_eq!(ended(&coffer).await, "ended with 0");
    assert!(told.elapsed() < Duration::from_secs(8), "{:?}", told.elapsed());
    drop(asking);
    server.thaw();
}

#[tokio::test]
async fn told_to_stop_twice_coffer_ends_at_once() {
    for signals in [["TERM", "TERM"], ["INT", "TERM"], ["TERM", "INT"]] {
        let place = Place::new();
        let (coffer, address) = place.serves(&["--port=0", "--stop-timeout=60"]).await;
        let stalled = crate::startup::in_flight(&address).await;
        assert!(coffer.send(signals[0]));
        let heard = eventually(LIMIT, async || {
            if crate::startup::log(&coffer).contains("finishing what is in flight") {
                Ok(())
            } else {
                Err("not yet")
            }
        });
        heard.await.expect("the first is heard");
        let told = Instant::now();
        assert!(coffer.send(signals[1]));
        assert_eq!(ended(&coffer).await, "ended with 1", "{signals:?}");
        assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
        drop(stalled);
    }
}

#[tokio::test]
async fn changes_are_answered_without_another_connection_too() {
    let server = PostgresServer::start().await;
    let database = server.database("template0");
    let settings = format!("--database-url={}", database.url());
    let app = App::with(Engine::Sqlite, &[&settings, "--database-connections=1"]).await;
    let ada = app.signed_in("ada").await;
    let mut entries = Vec::new();
    for number in 0..10 {
        entries.push(ada.saves(json!({ "title": format!("Note {number}") })).await);
    }
    let pool = sqlx::PgPool::connect(database.url()).await.expect("PostgreSQL");
    let versions = async || -> i64 {
        sqlx::query_scalar("SELECT SUM(version)::BIGINT FROM resources")
            .fetch_one(&pool)
            .await
            .expect("a sum")
    };
    let all_at_once = async |path: &str, method: Method, change: Value| {
        let asks = entries.iter().map(|entry| {
            let ask = ada.json(method.clone(), &format!("{}{path}", entry.api()), change.clone());
            async move { ask.if_match("*").expecting_trouble().await.status() }
        });
        futures::future::join_all(asks).await
    };
    let trash = async || {
        for entry in &entries {
            let there =
                ada.json(Method::DELETE, &entry.api(), json!({})).if_match("*").expecting_trouble().await;
            assert!([204, 404, 409].contains(&there.status()), "{there}");
        }
    };
    for (path, method, change) in [
        ("", Method::PATCH, json!({ "title": "Changed" })),
        ("/revisions/1/restore", Method::POST, json!({})),
        ("/restore", Method::POST, json!({})),
    ] {
        if path == "/restore" {
            trash().await;
        }
        let before = versions().await;
        let answers = all_at_once(path, method, change).await;
        let done = answers.iter().filter(|status| **status == 200).count();
        assert!(done > 0, "{path}: {answers:?}");
        assert_eq!(versions().await - before, i64::try_from(done).expect("small"), "{path}: {answers:?}");
    }
}

/// The password was changed; what failed was the session, which is written after the change.
#[tokio::test]
async fn what_fails_after_a_change_was_saved_says_that_it_may_have_been_saved() {
    const REFUSES: &str = "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '57P03'; END $$";
    const AT: &str =
        "CREATE TRIGGER refuses BEFORE INSERT OR UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION refuses()";
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let pool = sqlx::PgPool::connect(between.database.url()).await.expect("PostgreSQL");
    for statement in [REFUSES, AT] {
        sqlx::query(statement).execute(&pool).await.expect("it is ours");
    }
    let form = [("current_password", PASSWORD), ("password", "another long passphrase")];
    let page = ada.post_form("/settings/password", &form).expecting_trouble().await.error_page(503);
    page.has("main", "may have been saved").lacks("Nothing was changed");
}

/// A request gives up after three seconds, an import doesn't.
#[tokio::test]
async fn an_import_waits_longer_than_a_request() {
    let between = Between::start().await;
    let ada = between.app.signed_in("ada").await;
    let pool = sqlx::PgPool::connect(between.database.url()).await.expect("PostgreSQL");
    let mut lock = pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE resources IN SHARE MODE").execute(&mut *lock).await.expect("it is ours");
    let file = b"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://slow.example/\">Slow</A></DL>";
    let waits = eventually(LIMIT, async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
             AND clock_timestamp() - query_start > INTERVAL '3.5 s'",
        )
        .fetch_one(&pool)
        .await
        .expect("a count");
        if waiting > 0 { Ok(()) } else { Err("no statement waits") }
    });
    let importing =
        async { ada.uploads("/import", "b.html", file, &[("visibility", "private")]).await.status() };
    let waited = async {
        waits.await.unwrap_or_else(|error| panic!("{error}"));
        lock.rollback().await.expect("it lets go");
    };
    let (answer, ()) = tokio::join!(importing, waited);
    assert_eq!(answer, 303);
    let found = eventually(LIMIT, async || {
        let found = ada.get("/api/v1/resources?q=Slow").await.ok().json();
        if found["items"].as_array().map(Vec::len) == Some(1) { Ok(()) } else { Err(found) }
    });
    found.await.unwrap_or_else(|found| panic!("{found}"));
}
