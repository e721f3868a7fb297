//! Backup and restore by the document's own commands, on each engine.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::support::actor::Actor;
use crate::support::app::PASSWORD;
use crate::support::postgres::PostgresServer;
use crate::support::walk::Machine;

const CREATE: &str = "printf '%s\\n' 'PASSWORD' | sudo -u coffer coffer --env-file /etc/coffer/coffer.env user create \
                      --username ada --email ada@example.org --role admin\nsudo systemctl start coffer";

/// Has an account, and serves.
async fn begins(machine: &Machine) -> Actor {
    machine.runs("sudo install -d -m 0700 /var/lib/coffer").await;
    machine.runs(&CREATE.replace("PASSWORD", PASSWORD)).await;
    ada(machine).await
}

async fn ada(machine: &Machine) -> Actor {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build();
    let origin = format!("http://127.0.0.1:{}", machine.port());
    let ada = Actor::at_origin("ada", &origin, http.expect("an HTTP client"));
    ada.signs_in().await;
    ada
}

async fn keeps(ada: &Actor, title: &str) {
    ada.saves(json!({ "title": title, "body": "text" })).await;
}

#[tokio::test]
async fn backup_and_restore_on_sqlite() {
    let machine = Machine::new(&[], &[]);
    let ada = begins(&machine).await;
    keeps(&ada, "Before the backup").await;
    let said = machine
        .follows(&[
            "backup#Make a backup",
            "backup#Backup of the secret key",
            "backup#Every night, by cron or a timer",
        ])
        .await;
    assert!(said.contains("The file was verified"), "{said}");
    let said = machine.follows(&["backup#See that it works"]).await;
    assert!(
        said.contains("is intact. Contents: 1 accounts, 1 entries") && said.contains("audit trail is intact"),
        "{said}"
    );
    keeps(&ada, "After the backup").await;
    let said = machine.follows(&["backup#Restore on SQLite"]).await;
    assert!(said.contains("Restored 1 accounts, 1 entries"), "{said}");
    let ada = self::ada(&machine).await;
    ada.get("/resources").await.ok().text_has("Before the backup").lacks("After the backup");
    let key = |name: &str| fs::read_to_string(machine.path(name)).expect("a key");
    assert_eq!(key("var/lib/coffer/secret.key"), key("var/lib/coffer.before/secret.key"));
}

#[tokio::test]
async fn backup_and_restore_on_postgres() {
    let server = PostgresServer::start().await;
    let (host, port) =
        server.address().split_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).expect("an address");
    let url = format!("COFFER_DATABASE_URL=postgres://coffer@{host}:{port}/coffer");
    let variables = [("PGHOST", host), ("PGPORT", port), ("PGUSER", "postgres".to_owned())];
    let machine = Machine::new(&[url], &variables);
    machine.runs("createuser coffer\ncreatedb --owner coffer coffer").await;
    let ada = begins(&machine).await;
    keeps(&ada, "Before the backup").await;
    machine.follows(&["backup#Make a backup"]).await;
    keeps(&ada, "After the backup").await;
    let said = machine.follows(&["backup#Restore on PostgreSQL"]).await;
    assert!(said.contains("Restored 1 accounts, 1 entries"), "{said}");
    let ada = self::ada(&machine).await;
    ada.get("/resources").await.ok().text_has("Before the backup").lacks("After the backup");
}
