//! A person who owns one of everything, and the addresses of it.

use std::collections::BTreeMap;

use coffer::db::Engine;
use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;

use super::actor::{Actor, Entry};
use super::app::App;
use super::dump::Dump;
use super::site::Route;

/// Stands in everything private, and so must be on no one else's page.
pub const MARK: &str = "Moonstone";

pub struct Owner {
    pub actor: Actor,
    pub id: String,
    pub entry: Entry,
    pub trashed: Entry,
    /// What stands in the braces after this part of an address.
    ids: BTreeMap<&'static str, String>,
}

impl Owner {
    pub async fn new(app: &App, name: &str, role: Role) -> Self {
        app.has_account(name, role).await;
        Self::of(app, app.another_browser_of(name).await).await
    }

    /// One more of everything for a person who is signed in.
    pub async fn of(app: &App, actor: Actor) -> Self {
        let id = app.viewer(&actor.name).await.id().expect("an account").to_string();
        let draft = json!({ "title": format!("{MARK} kept"), "body": MARK, "tags": [MARK], "pinned": true });
        let entry = actor.saves(draft).await;
        actor
            .json(Method::PATCH, &entry.api(), json!({ "body": format!("{MARK} again") }))
            .if_match("*")
            .await
            .ok();
        let trashed = actor.saves(json!({ "title": format!("{MARK} thrown away") })).await;
        actor.json_free(Method::DELETE, &trashed.api()).await.is(204);
        let mut ids = BTreeMap::from([("resources", entry.id.clone()), ("users", id.clone())]);
        ids.insert("revisions", "1".to_owned());
        // Of /admin/limits: anyone may be held back.
        ids.insert("accounts", id.clone());
        let blocked = app.coffer.limiter.overview().await.blocked;
        let client = blocked.first().map_or("0123456789ab".to_owned(), |client| client.key.today.short());
        ids.insert("blocked", client);
        ids.insert("import", imports(&actor).await);
        ids.insert("imports", ids["import"].clone());
        ids.insert("trash", trashed.id.clone());
        ids.extend(webhook(app, &actor).await);
        let share = actor.json(Method::POST, "/api/v1/me/shares", json!({ "entry": entry.id })).await.is(201);
        ids.insert("shares", share.json()["id"].as_str().expect("an id").to_owned());
        let feed = actor.json(Method::POST, "/api/v1/me/feeds", json!({})).await.is(201);
        ids.insert("feeds", feed.json()["id"].as_str().expect("an id").to_owned());
        ids.insert("entries", entry.id.clone());
        ids.insert("changes", change(&actor, &entry).await);
        let draft = json!({ "name": format!("{MARK} {}", entry.id), "search": format!("q={MARK}") });
        let search = actor.json(Method::POST, "/api/v1/searches", draft).await.is(201).json();
        ids.insert("searches", search["id"].as_str().expect("an id").to_owned());
        ids.insert("sessions", another_device(app, &actor, &id).await);
        let draft = json!({ "name": MARK, "scopes": ["resources:read"] });
        let token = actor.json(Method::POST, "/api/v1/me/tokens", draft).await.is(201).json();
        ids.insert("tokens", token["id"].as_str().expect("an id").to_owned());
        Self { actor, id, entry, trashed, ids }
    }

    /// This route for what is this person's. A link that comes by mail is any link here.
    pub fn address(&self, route: &Route) -> String {
        let mut path = route.path.clone();
        for (before, name) in route.parameters() {
            let value = match (before, name) {
                ("setup" | "invite" | "reset" | "verify-email" | "s" | "f" | "shares", "token") => {
                    "A".repeat(43)
                }
                // One that no one has.
                ("icons", "id") => "0".repeat(32),
                ("u" | "users", "username") => self.actor.name.clone(),
                ("resources", "id") if wants_trashed(route) => self.trashed.id.clone(),
                _ => self.ids.get(before).cloned().unwrap_or_else(|| {
                    panic!("{route}: tests/it/support/owner.rs should say what is in {{{name}}}")
                }),
            };
            path = path.replacen(&format!("{before}/{{{name}}}"), &format!("{before}/{value}"), 1);
        }
        path
    }
}

fn wants_trashed(route: &Route) -> bool {
    route.path.ends_with("{id}/restore") || route.path.ends_with("{id}/delete")
}

async fn change(actor: &Actor, entry: &Entry) -> String {
    let pick = format!("pick-{}", entry.id);
    let form = [(pick.as_str(), "yes"), ("act", "visibility"), ("visibility", "private")];
    actor.post_form("/resources/many", &form).await.redirects_to("/resources");
    let toast = actor.get("/resources").await.ok();
    let undo = toast.attributes(".toast form", "action").remove(0);
    undo.split('/').nth(2).expect("an id").to_owned()
}

/// A webhook and what it was sent.
async fn webhook(app: &App, actor: &Actor) -> [(&'static str, String); 2] {
    const HOOKS: &str = "/api/v1/me/webhooks";
    for old in actor.get(HOOKS).await.ok().json()["items"].as_array().expect("items") {
        actor
            .json_free(Method::DELETE, &format!("{HOOKS}/{}", old["id"].as_str().expect("an id")))
            .await
            .is(204);
    }
    let draft = json!({ "url": format!("http://127.0.0.1:9/{MARK}") });
    let hook = actor.json(Method::POST, HOOKS, draft).await.is(201).json();
    has_delivered(app).await;
    let id = hook["id"].as_str().expect("an id").to_owned();
    [("webhooks", id.clone()), ("deliveries", id)]
}

/// As if each webhook were told of all changes to come: nothing changes by itself. The delivery has the webhook's id.
async fn has_delivered(app: &App) {
    const SQL: [&str; 2] = [
        "UPDATE webhooks SET seq = 9000000000000000000",
        "INSERT INTO webhook_deliveries (id, webhook_id, state, attempts, body, created_at, begun_at, next_at)
            SELECT id, id, 'given_up', 1, '{}', created_at, created_at, created_at FROM webhooks WHERE TRUE
            ON CONFLICT DO NOTHING",
    ];
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    for sql in SQL {
        let ran = match tx.conn() {
            Engine::Postgres(conn) => sqlx::query(sql).execute(conn).await.map(drop),
            Engine::Sqlite(conn) => sqlx::query(sql).execute(conn).await.map(drop),
        };
        ran.expect("the statement runs");
    }
    tx.commit().await.expect("it stays");
}

async fn another_device(app: &App, actor: &Actor, id: &str) -> String {
    app.another_browser_of(&actor.name).await;
    let dump = Dump::of(&app.coffer.db).await;
    let sessions = dump.rows_of("sessions", "user_id", id);
    let latest = sessions.iter().max_by_key(|row| row["created_at"].clone()).expect("a session");
    latest["public_id"].clone().expect("an id")
}

async fn imports(actor: &Actor) -> String {
    let file = format!(
        "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://{MARK}.example/{}\">{MARK}</A></DL>",
        actor.name
    );
    let report = actor.uploads("/import", "b.html", file.as_bytes(), &[]).await.is(303).header("location");
    report.rsplit('/').next().expect("an id").to_owned()
}
