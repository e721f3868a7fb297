//! Many changes in one request: each carried out as alone, each with an answer of its own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::limits::told;
use crate::sent_twice::forget_answers;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;
use crate::tokens::token;

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

on_both_engines!(one_of_a_wrong_shape_holds_back_none_of_the_others);
async fn one_of_a_wrong_shape_holds_back_none_of_the_others(app: App) {
    let owner = app.signed_in("owner").await;
    let id = "01983a5e-7c00-7a10-8000-0000000000a1";
    let done = results(
        &owner,
        json!([
            { "do": "create", "resource": { "title": 5, "tags": "sea", "visibility": "hidden" } },
            { "do": "burn", "id": id },
            { "do": "change", "id": id, "change": {} },
            { "do": "tag", "id": "abc", "add": ["sea"], "remove": [1] },
            { "id": id },
            { "do": "trash", "id": id, "sure": true },
            7,
            { "do": "create", "resource": { "title": "Last" } },
        ]),
    )
    .await;
    assert_eq!(statuses(&done), [422, 422, 422, 422, 422, 422, 422, 201], "{done:?}");
    let wrong = |at: usize| -> Vec<&str> {
        let errors = done[at]["problem"]["errors"].as_array().expect("errors");
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    };
    let of_resource = ["tags", "title", "visibility"].map(|name| format!("operations[0].resource.{name}"));
    assert_eq!(wrong(0), of_resource);
    assert_eq!(wrong(1), ["operations[1].do"]);
    assert_eq!(wrong(2), ["operations[2].if_match"]);
    assert_eq!(wrong(3), ["operations[3].id", "operations[3].remove[0]"]);
    assert_eq!(wrong(4), ["operations[4].do"]);
    assert_eq!(wrong(5), ["operations[5].sure"]);
    assert_eq!(wrong(6), ["operations[6]"]);
    assert_eq!(
        done[3]["problem"]["errors"][0]["message"], "operations[3].id must be a UUID.",
        "in plain words"
    );
}

on_both_engines!(a_batch_counts_by_what_it_does, "--rate-limit-token=60/h", "--rate-limit-session=60/h");
async fn a_batch_counts_by_what_it_does(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let bearer = format!("Bearer {}", token(&app, "ada", &["resources:read", "resources:write"]).await);
    let visitor = app.visitor();
    let asks = |count: usize| {
        let operations = vec![json!({ "do": "create", "resource": { "title": "x" } }); count];
        let ask = visitor.json(Method::POST, "/api/v1/resources/batch", json!({ "operations": operations }));
        ask.header("authorization", &bearer)
    };
    let left = |answer: &Answer| told(answer, "ratelimit", "r");
    assert_eq!(left(&asks(10).await.ok()), [("token".to_owned(), 59)]);
    assert_eq!(left(&asks(301).await.ok()), [("token".to_owned(), 28)]);
    let refused = asks(300).await.is(429).problem("too_many_requests");
    assert_eq!(left(&refused), [("token".to_owned(), 27)], "the request alone counts");
    assert_eq!(refused.json()["violated-policies"], json!(["token"]));
    let list = visitor.get("/api/v1/resources?mine=true&count=true").header("authorization", &bearer);
    assert_eq!(list.await.ok().json()["total"], 311, "nothing of what was refused is done");

    let owner = app.signed_in("owner").await;
    let done = sends(&owner, json!(vec![json!({ "do": "burn" }); 101])).await.ok();
    let told = left(&done).into_iter().find(|(name, _)| name == "session").expect("the session's limit");
    assert!(told.1 <= 49, "{told:?}");
}

on_both_engines!(
    a_batch_that_no_limit_would_let_pass_is_told_what_fits,
    "--rate-limit-token=600/min burst 3"
);
async fn a_batch_that_no_limit_would_let_pass_is_told_what_fits(app: App) {
    app.has_account("ada", coffer::identity::Role::Member).await;
    let bearer = format!("Bearer {}", token(&app, "ada", &["resources:read", "resources:write"]).await);
    let visitor = app.visitor();
    let asks = |count: usize| {
        let operations = vec![json!({ "do": "burn" }); count];
        let ask = visitor.json(Method::POST, "/api/v1/resources/batch", json!({ "operations": operations }));
        ask.header("authorization", &bearer)
    };
    asks(30).await.ok();
    app.later(std::time::Duration::from_secs(1));
    let refused = asks(31).await.invalid("operations");
    refused.text_has("Send 1 to 30 operations per request, not 31: your limit allows no more.");
}

on_both_engines!(a_key_makes_one_batch);
async fn a_key_makes_one_batch(app: App) {
    let owner = app.signed_in("owner").await;
    let posts = async |key: &str, title: &str| {
        let operations = vec![json!({ "do": "create", "resource": { "title": title } }); 2];
        let ask = owner.json(Method::POST, "/api/v1/resources/batch", json!({ "operations": operations }));
        ask.header("idempotency-key", key).await
    };
    let first = posts("a", "Tides").await.ok();
    let again = posts("a", "Tides").await.ok().header_is("idempotency-replayed", "true");
    assert_eq!(first.json(), again.json());
    posts("a", "Ebb").await.is(422).problem("idempotency_key_reused");
    assert_eq!(owner.get("/api/v1/resources?count=true").await.ok().json()["total"], 2);
}

on_both_engines!(a_batch_that_was_cut_off_makes_no_entry_twice);
async fn a_batch_that_was_cut_off_makes_no_entry_twice(app: App) {
    let owner = app.signed_in("owner").await;
    let posts = async || {
        let operations = vec![json!({ "do": "create", "resource": { "title": "Tides" } }); 3];
        let ask = owner.json(Method::POST, "/api/v1/resources/batch", json!({ "operations": operations }));
        ask.header("idempotency-key", "a").await
    };
    let first = posts().await.ok().json();
    forget_answers(&app).await;
    app.later(std::time::Duration::from_mins(6));
    assert_eq!(posts().await.ok().json(), first);
    assert_eq!(owner.get("/api/v1/resources?count=true").await.ok().json()["total"], 3);
}

on_both_engines!(a_batch_has_bounds);
async fn a_batch_has_bounds(app: App) {
    let owner = app.signed_in("owner").await;
    let many = |count: usize| vec![json!({ "do": "create", "resource": { "title": "x" } }); count];
    sends(&owner, json!([])).await.invalid("operations");
    sends(&owner, json!(many(501))).await.invalid("operations");
    sends(&app.visitor(), json!(many(1))).await.is(401).problem("sign_in_required");
    assert_eq!(results(&owner, json!(many(500))).await.len(), 500);
}
