//! Many changes in one request: each carried out as alone, each with an answer of its own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;

async fn sends(actor: &Actor, operations: Value) -> Answer {
    actor.json(Method::POST, "/api/v1/resources/batch", json!({ "operations": operations })).await
}

async fn results(actor: &Actor, operations: Value) -> Vec<Value> {
    sends(actor, operations).await.ok().json()["results"].as_array().expect("results").clone()
}

fn statuses(results: &[Value]) -> Vec<i64> {
    results.iter().filter_map(|result| result["status"].as_i64()).collect()
}

on_both_engines!(a_batch_does_what_each_verb_does);
async fn a_batch_does_what_each_verb_does(app: App) {
    let owner = app.signed_in("owner").await;
    let kept = owner.saves(json!({ "title": "Kept", "tags": ["sea", "Old"] })).await;
    let gone = owner.saves(json!({ "title": "Gone" })).await;
    let mine = "01983a5e-7c00-7a10-8000-0000000000a1";
    let done = results(
        &owner,
        json!([
            { "do": "create", "resource": { "title": "One" } },
            { "do": "create", "id": mine, "resource": { "url": "https://tides.example/" } },
            { "do": "change", "id": kept.id, "if_match": "\"1\"", "change": { "title": "New" } },
            { "do": "tag", "id": kept.id, "add": ["harbour"], "remove": ["old"] },
            { "do": "trash", "id": kept.id },
            { "do": "restore", "id": kept.id },
            { "do": "trash", "id": gone.id, "if_match": "\"1\"" },
            { "do": "delete", "id": gone.id },
        ]),
    )
    .await;
    assert_eq!(statuses(&done), [201, 201, 200, 200, 200, 200, 200, 200], "{done:?}");
    assert_eq!(done[1]["resource"]["id"], mine);
    assert_eq!(done[3]["resource"]["tags"], json!(["harbour", "sea"]));
    assert!(done[4]["resource"]["trashed_at"].is_string() && done[7]["resource"].is_null());
    let read = owner.get(&kept.api()).await.ok().json();
    assert_eq!((&read["title"], &read["version"]), (&json!("New"), &json!(5)));
    owner.get(&gone.api()).await.is(404);
}

on_both_engines!(one_that_is_refused_holds_back_none_of_the_others);
async fn one_that_is_refused_holds_back_none_of_the_others(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let theirs = other.saves(json!({ "title": "Theirs" })).await;
    let mine = owner.saves(json!({ "title": "Mine", "url": "https://tides.example/" })).await;
    let done = results(
        &owner,
        json!([
            { "do": "create", "resource": { "url": "nonsense" } },
            { "do": "create", "resource": { "url": "https://tides.example/" } },
            { "do": "change", "id": mine.id, "if_match": "\"7\"", "change": { "title": "x" } },
            { "do": "change", "id": mine.id, "if_match": "7", "change": { "title": "x" } },
            { "do": "trash", "id": theirs.id },
            { "do": "delete", "id": mine.id },
            { "do": "create", "resource": { "title": "Last" } },
        ]),
    )
    .await;
    assert_eq!(statuses(&done), [422, 409, 412, 400, 404, 403, 201], "{done:?}");
    assert_eq!(done[0]["problem"]["errors"][0]["field"], "url");
    assert_eq!(done[1]["problem"]["existing_id"], mine.id.as_str());
    assert_eq!(done[2]["problem"]["current"]["title"], "Mine");
    other.get(&theirs.api()).await.ok().text_has("Theirs");
}

on_both_engines!(a_batch_has_bounds);
async fn a_batch_has_bounds(app: App) {
    let owner = app.signed_in("owner").await;
    let many = |count: usize| vec![json!({ "do": "create", "resource": { "title": "x" } }); count];
    sends(&owner, json!([])).await.invalid("operations");
    sends(&owner, json!(many(501))).await.invalid("operations");
    sends(&owner, json!([{ "do": "burn", "id": "x" }])).await.is(422).problem("invalid");
    sends(&app.visitor(), json!(many(1))).await.is(401).problem("sign_in_required");
    assert_eq!(results(&owner, json!(many(500))).await.len(), 500);
}
