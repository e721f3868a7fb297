//! coffer behind pgbouncer, which gives each transaction another connection, with the settings of docs/scaling.md.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use coffer::db::Db;
use serde_json::json;

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::documents::under;
use crate::support::postgres::PostgresServer;
use crate::support::server::Server;

/// Few, so that a connection serves another client between any two statements.
const CONNECTIONS: &str = "default_pool_size = 2";
const READY: &str = "process up";
/// Not as root, which pgbouncer refuses.
const START: &str = r#"
chmod 755 . && exec setpriv --reuid=postgres --regid=postgres --clear-groups /usr/sbin/pgbouncer "$1"
"#;

/// Leads to the server; returns its own address.
async fn pgbouncer(server: &str, folder: &Path) -> (Server, String) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a folder for all");
    fs::write(folder.join("users"), "\"postgres\" \"\"\n").expect("a file");
    let snippet = under("scaling", "pgbouncer", "ini").concat();
    let (host, port) = server.split_once(':').expect("host and port");
    let path = folder.join("pgbouncer.ini");
    // QUIT and INT may have been switched off by what started the tests, and TERM waits for clients from version 1.23 on.
    let (bouncer, own) = Server::on_free_port("pgbouncer", "KILL", READY, |own| {
        let configuration = format!(
            "[databases]\n* = host={host} port={port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {own}\nunix_socket_dir =\nauth_type = any\nauth_file = {}\n{CONNECTIONS}\n{snippet}",
            folder.join("users").display()
        );
        fs::write(&path, configuration).expect("a configuration");
        ["sh", "-c", START, "sh", &path.display().to_string()].map(str::to_owned).to_vec()
    })
    .await;
    (bouncer, format!("127.0.0.1:{own}"))
}

#[tokio::test]
async fn coffer_works_behind_a_pooler_of_transactions_without_prepared_statements() {
    let folder = tempfile::Builder::new().prefix("coffer-pooler.").tempdir().expect("a folder");
    let server = PostgresServer::start().await;
    let database = server.database("template0");
    Db::open(database.url(), 1).await.expect("the schema is made directly").close().await;
    let (_bouncer, address) = pgbouncer(&server.address(), folder.path()).await;
    let url = database.url().replace(&server.address(), &address);
    let app = App::at_database_with(&url, &["--database-prepared-statements=false"]).await;
    let (ada, ben) = (app.signed_in("ada").await, app.signed_in("ben").await);
    let use_it = async |person: &Actor, name: &str| {
        for number in 0..30 {
            let title = format!("{name} {number}");
            let entry = person.saves(json!({ "title": title, "tags": [name] })).await;
            let found = person.get(&format!("/api/v1/resources/{}", entry.id)).await.ok();
            assert_eq!(found.json()["title"], title);
            let list = person.get(&format!("/api/v1/resources?q={name}&sort=newest")).await.ok();
            assert_eq!(list.json()["items"][0]["title"], title);
        }
    };
    tokio::join!(use_it(&ada, "tides"), use_it(&ben, "moons"), use_it(&ada, "stars"), use_it(&ben, "winds"));
    assert_eq!(ada.get("/readyz").await.status(), 200);
    let kept = "SELECT COUNT(*) FROM pg_prepared_statements";
    let Db::Postgres(pool) = &app.coffer.db else { panic!("PostgreSQL") };
    let count: i64 = sqlx::query_scalar(kept).fetch_one(pool.executor()).await.expect("a count");
    assert_eq!(count, 0);
}
