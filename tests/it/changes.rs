//! What a client that mirrors a library learns: every kind of change, in order, and what is gone.

use std::time::Duration;

use coffer::web::cursor::CursorKey;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;

const CHANGES: &str = "/api/v1/resources/changes";

/// A client that mirrors the library of the person whose session it has.
struct Mirror {
    actor: Actor,
    cursor: String,
}

impl Mirror {
    /// One that has read everything.
    async fn of(actor: &Actor) -> Self {
        let mut mirror = Self { actor: actor.clone(), cursor: String::new() };
        mirror.reads().await;
        mirror
    }

    async fn asks(&self) -> Answer {
        self.actor.get(&format!("{CHANGES}?after={}", self.cursor)).await
    }

    /// What is new, over all pages.
    async fn reads(&mut self) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let page = self.asks().await.ok().json();
            items.extend(page["items"].as_array().expect("items").clone());
            page["next_cursor"].as_str().expect("a cursor on every page").clone_into(&mut self.cursor);
            if page["has_more"] == false {
                return items;
            }
        }
    }

    /// The one entry that is new.
    async fn reads_one(&mut self, what: &str) -> Value {
        let mut items = self.reads().await;
        assert_eq!(items.len(), 1, "{what}: {items:?}");
        items.remove(0)
    }
}

on_both_engines!(every_kind_of_change_is_seen);
async fn every_kind_of_change_is_seen(app: App) {
    let owner = app.signed_in("owner").await;
    let mut mirror = Mirror::of(&owner).await;
    let entry = owner.saves(json!({ "title": "Tides", "tags": ["sea"] })).await;
    assert_eq!(mirror.reads_one("created").await["resource"]["title"], "Tides");
    for (change, version) in [
        (json!({ "title": "Ebb" }), 2),
        (json!({ "pinned": true }), 3),
        (json!({ "tags": ["Sea"] }), 4),
        (json!({ "unread": true }), 5),
    ] {
        owner.json(Method::PATCH, &entry.api(), change.clone()).if_match("*").await.ok();
        let seen = mirror.reads_one(&change.to_string()).await;
        assert_eq!((&seen["deleted"], &seen["resource"]["version"]), (&json!(false), &json!(version)));
        for (name, value) in change.as_object().expect("fields") {
            assert_eq!(&seen["resource"][name], value);
        }
    }
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Ebb" })).if_match("*").await.ok();
    assert_eq!(mirror.reads().await, [""; 0], "a change that changes nothing");
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    let trashed = mirror.reads_one("trashed").await;
    assert!(
        trashed["resource"]["trashed_at"].is_string() && trashed["resource"]["version"] == 6,
        "{trashed}"
    );
    owner.post_form(&format!("{}/restore", entry.page()), &[]).await.redirects_to(&entry.page());
    let restored = mirror.reads_one("restored").await;
    assert_eq!(
        (&restored["resource"]["trashed_at"], &restored["resource"]["version"]),
        (&Value::Null, &json!(7))
    );
    let file = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://import.example/\">In</A></DL>";
    owner.uploads("/import", "b.html", file.as_bytes(), &[("visibility", "private")]).await.is(303);
    assert_eq!(mirror.reads_one("imported").await["resource"]["url"], "https://import.example/");
    let pick = format!("pick-{}", entry.id);
    let form = [(pick.as_str(), "yes"), ("act", "visibility"), ("visibility", "public")];
    owner.post_form("/resources/many", &form).await.is(303);
    assert_eq!(mirror.reads_one("changed beside others").await["resource"]["visibility"], "public");
    let tag = json!({ "operations": [{ "do": "tag", "id": entry.id, "add": ["batch"] }] });
    owner.json(Method::POST, "/api/v1/resources/batch", tag).await.ok();
    assert_eq!(mirror.reads_one("changed in a batch").await["resource"]["tags"][0], "batch");
    deletes(&owner, &entry).await;
    assert_eq!(
        mirror.reads_one("deleted").await,
        json!({ "id": entry.id, "deleted": true, "resource": null })
    );
    assert_eq!(Mirror::of(&owner).await.reads().await, [""; 0], "who begins hears of nothing that is gone");
}

async fn deletes(owner: &Actor, entry: &Entry) {
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.redirects_to("/trash");
}

on_both_engines!(the_pages_of_the_changes_miss_nothing);
async fn the_pages_of_the_changes_miss_nothing(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = join_all((0..12).map(|n| owner.saves(json!({ "title": format!("Note {n}") })))).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{CHANGES}?limit=5&after={cursor}")).await.ok().json();
        let items = page["items"].as_array().expect("items").clone();
        seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
        if seen.len() == 5 {
            // It moves behind what was read, and comes once more.
            owner
                .json(Method::PATCH, &format!("/api/v1/resources/{}", seen[0]), json!({ "pinned": true }))
                .if_match("*")
                .await
                .ok();
        }
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen.len(), 13);
    assert!(entries.iter().all(|entry| seen.contains(&entry.id)));
    assert_eq!(seen[0], seen[12]);
}

on_both_engines!(a_client_that_knows_everything_is_told_so_in_one_answer);
async fn a_client_that_knows_everything_is_told_so_in_one_answer(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Tides" })).await;
    let mirror = Mirror::of(&owner).await;
    let known = mirror.asks().await.ok();
    let path = format!("{CHANGES}?after={}", mirror.cursor);
    owner.get(&path).header("if-none-match", known.header("etag")).await.is(304);
    owner.saves(json!({ "title": "Ebb" })).await;
    owner.get(&path).header("if-none-match", known.header("etag")).await.ok().text_has("Ebb");
}

on_both_engines!(an_export_is_sent_again_when_the_library_changed);
async fn an_export_is_sent_again_when_the_library_changed(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    for format in ["html", "json", "markdown"] {
        let path = format!("/api/v1/export?format={format}");
        let known = owner.get(&path).await.ok().header("etag");
        owner.get(&path).header("if-none-match", &known).await.is(304);
        owner.json(Method::PATCH, &entry.api(), json!({ "body": format })).if_match("*").await.ok();
        owner.get(&path).header("if-none-match", &known).await.ok();
    }
}

on_both_engines!(what_others_change_is_not_told);
async fn what_others_change_is_not_told(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let mut mirror = Mirror::of(&owner).await;
    other.saves(json!({ "title": "Theirs", "visibility": "public" })).await;
    assert_eq!(mirror.reads().await, [""; 0]);
    other.get(&format!("{CHANGES}?after={}", mirror.cursor)).await.is(400).problem("bad_cursor");
    let id = owner.get("/api/v1/me").await.ok().json()["id"].clone();
    let of_an_old_key = CursorKey::new([9; 32]).seal(&json!({ "owner": id, "changes_to": 0 }));
    owner.get(&format!("{CHANGES}?after={of_an_old_key}")).await.is(410).problem("cursor_expired");
    app.visitor().get(CHANGES).await.is(401).problem("sign_in_required");
    for bad in ["limit=0", "limit=201", "after=x", "before=1"] {
        owner.get(&format!("{CHANGES}?{bad}")).await.is(400);
    }
}

on_both_engines!(a_cursor_expires_when_something_is_forgotten);
async fn a_cursor_expires_when_something_is_forgotten(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    let mut old = Mirror::of(&owner).await;
    deletes(&owner, &entry).await;
    let mut kept = Mirror::of(&owner).await;
    app.later(Duration::from_hours(24 * 89));
    app.coffer.library.resources.forget_old_changes().await.expect("the database answers");
    // The session is over by then.
    old.actor = app.another_browser_of("owner").await;
    assert_eq!(old.asks().await.ok().json()["items"][0]["deleted"], true);
    app.later(Duration::from_hours(24 * 2));
    app.coffer.library.resources.forget_old_changes().await.expect("the database answers");
    old.actor = app.another_browser_of("owner").await;
    old.asks().await.is(410).problem("cursor_expired");
    kept.actor = old.actor.clone();
    assert_eq!(kept.reads().await, [""; 0], "who has heard of it goes on");
}

/// Two changes after the cursor.
async fn page_of_two(owner: &Actor, cursor: &Value) -> Answer {
    owner.get(&format!("{CHANGES}?limit=2&after={}", cursor.as_str().unwrap_or_default())).await
}

/// Deletes the entry for good, so long ago that it is told no more. The session is over by then.
async fn is_forgotten(app: &App, owner: Actor, entry: &Entry) -> Actor {
    deletes(&owner, entry).await;
    app.later(Duration::from_hours(24 * 91));
    app.coffer.library.resources.forget_old_changes().await.expect("the database answers");
    app.another_browser_of(&owner.name).await
}

on_both_engines!(a_first_sync_of_several_pages_ends_though_something_was_forgotten);
async fn a_first_sync_of_several_pages_ends_though_something_was_forgotten(app: App) {
    let owner = app.signed_in("owner").await;
    let mut entries = Vec::new();
    for n in 0..5 {
        entries.push(owner.saves(json!({ "title": format!("Note {n}") })).await);
    }
    let owner = is_forgotten(&app, owner, &entries[4]).await;
    let first = page_of_two(&owner, &Value::Null).await.ok().json();
    assert_eq!(first["has_more"], true);
    let second = page_of_two(&owner, &first["next_cursor"]).await.ok().json();
    let titles = |page: &Value| page["items"].as_array().expect("items").len();
    assert_eq!((titles(&first), titles(&second), &second["has_more"]), (2, 2, &json!(false)));
    let nothing_new = page_of_two(&owner, &second["next_cursor"]).await.ok().json();
    assert_eq!(titles(&nothing_new), 0);

    let owner = is_forgotten(&app, owner, &entries[3]).await;
    for cursor in [&first["next_cursor"], &second["next_cursor"]] {
        page_of_two(&owner, cursor).await.is(410).problem("cursor_expired");
    }
}

on_both_engines!(changes_at_the_same_time_get_numbers_in_the_order_of_their_commits);
async fn changes_at_the_same_time_get_numbers_in_the_order_of_their_commits(app: App) {
    let owner = app.signed_in("owner").await;
    let mut mirror = Mirror::of(&owner).await;
    let saving =
        join_all((0..24).map(|n| owner.saves(json!({ "title": format!("Note {n}"), "tags": ["a", "b"] }))));
    let reading = async {
        let mut seen = Vec::new();
        while seen.len() < 24 {
            seen.extend(mirror.reads().await);
        }
        seen
    };
    let (entries, seen) = futures_util::future::join(saving, reading).await;
    assert_eq!(seen.len(), 24, "each once, as it was committed as a whole");
    assert!(entries.iter().all(|entry| seen.iter().any(|item| item["id"] == entry.id)));
}

on_both_engines!(what_goes_with_its_account_is_forgotten);
async fn what_goes_with_its_account_is_forgotten(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Tides", "tags": ["sea"] })).await;
    let id = app.viewer("owner").await.id().expect("an account");
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let sql = "DELETE FROM users WHERE id = $1";
    match tx.conn() {
        coffer::db::Engine::Postgres(conn) => sqlx::query(sql).bind(id).execute(conn).await.map(drop),
        coffer::db::Engine::Sqlite(conn) => sqlx::query(sql).bind(id).execute(conn).await.map(drop),
    }
    .expect("the account goes");
    tx.commit().await.expect("saved");
    let dump = crate::support::dump::Dump::of(&app.coffer.db).await;
    assert!(dump.rows("changes").is_empty() && dump.rows("change_counters").is_empty());
}
