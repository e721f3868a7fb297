//! What a client sends twice is carried out once: by a key, or under an id of the client's own.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;

const RESOURCES: &str = "/api/v1/resources";
const ID: &str = "01983a5e-7c00-7a10-8000-0000000000a1";

async fn posts(actor: &Actor, key: &str, body: Value) -> Answer {
    actor.json(Method::POST, RESOURCES, body).header("idempotency-key", key).await
}

async fn count(actor: &Actor) -> usize {
    actor.get(RESOURCES).await.ok().json()["items"].as_array().expect("a list").len()
}

on_both_engines!(a_key_makes_one_entry_and_one_answer);
async fn a_key_makes_one_entry_and_one_answer(app: App) {
    let owner = app.signed_in("owner").await;
    let note = json!({ "title": "Tides" });
    let first = posts(&owner, "a", note.clone()).await.is(201);
    let again = posts(&owner, "a", note.clone()).await.is(201).header_is("idempotency-replayed", "true");
    assert_eq!(first.json(), again.json());
    for name in ["location", "etag"] {
        assert_eq!(first.header(name), again.header(name));
    }
    posts(&owner, "a", json!({ "title": "Ebb" })).await.is(422).problem("idempotency_key_reused");
    posts(&owner, "b", note.clone()).await.is(201);
    assert_eq!(count(&owner).await, 2);
    posts(&app.signed_in("other").await, "a", note.clone())
        .await
        .is(201)
        .header_is("idempotency-replayed", "");
    app.later(Duration::from_hours(24) + Duration::from_secs(1));
    posts(&owner, "a", note).await.is(201).header_is("idempotency-replayed", "");
    assert_eq!(count(&owner).await, 3);
}

on_both_engines!(what_was_refused_may_be_mended_under_the_same_key);
async fn what_was_refused_may_be_mended_under_the_same_key(app: App) {
    let owner = app.signed_in("owner").await;
    posts(&owner, "a", json!({ "url": "nonsense" })).await.invalid("url");
    posts(&owner, "a", json!({ "url": "https://tides.example/" })).await.is(201);
    for bad in ["", "two words", &"x".repeat(256)] {
        posts(&owner, bad, json!({ "title": "Tides" })).await.is(400).problem("bad_idempotency_key");
    }
}

on_both_engines!(twins_make_one_entry);
async fn twins_make_one_entry(app: App) {
    let owner = app.signed_in("owner").await;
    let answers = join_all((0..8).map(|_| posts(&owner, "a", json!({ "title": "Tides" })))).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status() == 201).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|answer| answer.json()["id"] == made[0].json()["id"]));
    for other in answers.into_iter().filter(|answer| answer.status() != 201) {
        other.is(409).problem("idempotency_key_in_use").header_is("retry-after", "1");
    }
    assert_eq!(count(&owner).await, 1);
}

on_both_engines!(a_request_that_was_cut_off_goes_on_with_its_id);
async fn a_request_that_was_cut_off_goes_on_with_its_id(app: App) {
    let owner = app.signed_in("owner").await;
    let first = posts(&owner, "a", json!({ "title": "Tides" })).await.is(201).json();
    forget_answers(&app).await;
    posts(&owner, "a", json!({ "title": "Tides" })).await.is(409).problem("idempotency_key_in_use");
    app.later(Duration::from_mins(6));
    assert_eq!(posts(&owner, "a", json!({ "title": "Tides" })).await.is(201).json()["id"], first["id"]);
    assert_eq!(count(&owner).await, 1);
}

/// As it stands when the program is killed between saving and answering.
pub async fn forget_answers(app: &App) {
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let forget = "UPDATE idempotency_keys SET answer = NULL";
    match tx.conn() {
        coffer::db::Engine::Postgres(conn) => sqlx::query(forget).execute(conn).await.map(drop),
        coffer::db::Engine::Sqlite(conn) => sqlx::query(forget).execute(conn).await.map(drop),
    }
    .expect("forgotten");
    tx.commit().await.expect("saved");
}

on_both_engines!(a_file_is_previewed_once);
async fn a_file_is_previewed_once(app: App) {
    let owner = app.signed_in("owner").await;
    let posts = async |file: &'static str| {
        let ask = owner.sends(Method::POST, "/api/v1/imports?name=b.html", "application/octet-stream", file);
        ask.header("idempotency-key", "a").await
    };
    let file = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://tides.example/\">Tides</A></DL>";
    let first = posts(file).await.is(201);
    let again = posts(file).await.is(201).header_is("idempotency-replayed", "true");
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
    posts("https://ebb.example/").await.is(422).problem("idempotency_key_reused");
}

on_both_engines!(a_search_is_saved_once);
async fn a_search_is_saved_once(app: App) {
    let owner = app.signed_in("owner").await;
    let posts = || {
        let draft = json!({ "name": "Tides", "search": "q=tide" });
        owner.json(Method::POST, "/api/v1/searches", draft).header("idempotency-key", "a")
    };
    let first = posts().await.is(201);
    let again = posts().await.is(201).header_is("idempotency-replayed", "true");
    assert_eq!((first.json(), first.header("location")), (again.json(), again.header("location")));
}

on_both_engines!(an_answer_with_a_secret_is_not_kept);
async fn an_answer_with_a_secret_is_not_kept(app: App) {
    let owner = app.signed_in("owner").await;
    for (path, body) in [
        ("/api/v1/me/tokens", json!({ "name": "sync", "scopes": ["resources:read"] })),
        ("/api/v1/me/webhooks", json!({ "url": "https://hooks.example/" })),
        ("/api/v1/me/shares", json!({ "tag": "tides" })),
        ("/api/v1/me/feeds", json!({ "tag": "tides" })),
        ("/api/v1/me/feeds/01890a5d-ac96-774b-bcce-b302099a8057/renew", json!({})),
    ] {
        let ask = owner.json(Method::POST, path, body).header("idempotency-key", "a");
        ask.await.is(400).problem("bad_idempotency_key");
    }
}

on_both_engines!(an_id_of_the_clients_own_makes_one_entry);
async fn an_id_of_the_clients_own_makes_one_entry(app: App) {
    let owner = app.signed_in("owner").await;
    let path = format!("{RESOURCES}/{ID}");
    let put = |actor: &Actor, path: &str| {
        let link = json!({ "url": "https://tides.example/" });
        let (actor, path) = (actor.clone(), path.to_owned());
        async move { actor.json(Method::PUT, &path, link).header("if-none-match", "*").await }
    };
    let made = put(&owner, &path).await.is(201).header_is("location", &path);
    assert_eq!((&made.json()["id"], made.header("etag").as_str()), (&json!(ID), "\"1\""));
    let again = put(&owner, &path).await.is(412).problem("version_conflict").json();
    assert_eq!((&again["current"]["id"], &again["current_version"]), (&json!(ID), &json!(1)));
    put(&app.signed_in("other").await, &path).await.is(404).problem("not_found").lacks("tides");
    let another = format!("{RESOURCES}/01983a5e-7c00-7a10-8000-0000000000a2");
    assert_eq!(put(&owner, &another).await.is(409).problem("duplicate_url").json()["existing_id"], ID);
    let random = format!("{RESOURCES}/0f4b7c2e-3c3e-4d55-9d3c-5a0f2b7f1e11");
    put(&owner, &random).await.invalid("id");
    assert!(again["detail"].to_string().contains("You already have an entry with this id"), "{again}");
    for condition in ["\"1\"", ""] {
        let ask = owner.json(Method::PUT, &path, json!({ "title": "x" })).header("if-none-match", condition);
        ask.await.is(428).problem("precondition_required");
    }
    let without = owner.json(Method::PUT, &path, json!({ "title": "x" }));
    without.if_match("\"1\"").await.is(428).text_has("PUT only creates: send If-None-Match: * with it.");
}
