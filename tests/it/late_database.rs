//! A start before the database is there: coffer says so to each client, and serves once it comes.

use std::time::{Duration, Instant};

use coffer::db::Db;

use crate::startup::{COFFER, Place, READY, ended, get, log};
use crate::support::postgres::PostgresServer;
use crate::support::server::{Server, free_port};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(40);
const WITNESS: &str = "trap : TERM INT; \"$@\"; echo \"ended with $?\"";

/// Starts and has no database yet.
async fn waits(place: &Place, url: &str) -> (Server, String) {
    let (data, address) =
        (format!("--data-dir={}", place.path("data")), format!("127.0.0.1:{}", free_port()));
    let port = format!("--port={}", address.rsplit(':').next().expect("a port"));
    let url = format!("--database-url={url}");
    let command = ["sh", "-c", WITNESS, "sh", "env", "-i", COFFER, "serve", &data, &port, &url];
    let server = Server::new("coffer", "KILL", &command);
    server.start("waiting_for_database").await.unwrap_or_else(|log| panic!("it doesn't wait: {log}"));
    (server, address)
}

#[tokio::test]
async fn coffer_waits_for_its_database_and_says_so() {
    let postgres = PostgresServer::start().await;
    let database = postgres.database("template0");
    postgres.stop();
    let place = Place::new();
    let (coffer, address) = waits(&place, database.url()).await;
    let asked = async |path: &str| {
        eventually(LIMIT, async || get(&address, path).await).await.expect("it answers").to_lowercase()
    };
    assert!(asked("/healthz").await.starts_with("http/1.1 200"));
    let ready = asked("/readyz").await;
    assert!(
        ready.starts_with("http/1.1 503") && ready.contains(r#""name":"postgres","up":false"#),
        "{ready}"
    );
    let page = asked("/resources").await;
    assert!(page.starts_with("http/1.1 503") && page.contains("back in a moment"), "{page}");
    assert!(page.contains("retry-after: 5") && page.contains("content-security-policy"), "{page}");
    let problem = asked("/api/v1/resources").await;
    assert!(problem.starts_with("http/1.1 503") && problem.contains("retry-after: 5"), "{problem}");
    assert!(
        problem.contains("application/problem+json") && problem.contains(r#""code":"unavailable""#),
        "{problem}"
    );
    assert!(!log(&coffer).contains(READY), "it is not ready");

    postgres.restart().await;
    let served = eventually(LIMIT, async || {
        let answer = get(&address, "/readyz").await.unwrap_or_default();
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer) }
    });
    served.await.unwrap_or_else(|error| panic!("{error}"));
    assert!(asked("/resources").await.starts_with("http/1.1 200"));
    assert!(log(&coffer).contains(READY), "{}", log(&coffer));
    assert!(coffer.send("TERM"));
    assert_eq!(ended(&coffer).await, "ended with 0");
}

#[tokio::test]
async fn told_to_stop_while_it_waits_coffer_ends() {
    let place = Place::new();
    let (coffer, _) = waits(&place, &format!("postgres://ada@127.0.0.1:{}/coffer", free_port())).await;
    let told = Instant::now();
    assert!(coffer.send("TERM"));
    assert_eq!(ended(&coffer).await, "ended with 0");
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[tokio::test]
async fn a_schema_of_a_newer_coffer_is_not_waited_for() {
    let postgres = PostgresServer::start().await;
    let database = postgres.database("template0");
    let db = Db::open(database.url(), 2).await.expect("the schema is made");
    let Db::Postgres(pool) = &db else { panic!("PostgreSQL") };
    sqlx::raw_sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, '', 0)")
        .execute(pool.executor())
        .await
        .expect("a row");
    db.close().await;
    let said = Place::new().refusal(&["serve", "--port=0"], &[("COFFER_DATABASE_URL", database.url())]);
    assert!(said.contains("was created by a newer coffer") && said.contains("9999"), "{said}");
    let said = Place::new().refusal(
        &["serve", "--port=0"],
        &[("COFFER_DATABASE_URL", &database.url().replace("test_", "missing_"))],
    );
    assert!(said.contains("Check that PostgreSQL is running"), "{said}");
}
