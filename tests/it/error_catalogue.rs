//! Errors for programs and for those who write them: each code explained, each refusal in plain words.

use coffer::identity::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Ask;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;
use crate::tokens::token;

const RESOURCES: &str = "/api/v1/resources";

on_both_engines!(every_type_leads_to_what_it_means);
async fn every_type_leads_to_what_it_means(app: App) {
    let page = app.visitor().get("/api/docs/errors").await.ok();
    let document = coffer::app::openapi("");
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().expect("codes").clone();
    let explained = page.attributes("main section", "id");
    assert_eq!(codes, explained.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert!(page.texts("main section").iter().all(|text| text.len() > 40), "{page}");
    let problem = app.visitor().get("/api/v1/me").await.is(401).problem("sign_in_required").json();
    let kind = problem["type"].as_str().expect("a type");
    let (path, id) = kind.split_once('#').expect("an address on the page");
    app.visitor().get(path).await.ok().has(&format!("section#{id} h2"), "sign_in_required");
}

on_both_engines!(what_is_not_there_names_what_is);
async fn what_is_not_there_names_what_is(app: App) {
    let visitor = app.visitor();
    let near = visitor.get("/api/v1/resource").await.is(404).problem("unknown_route").json();
    assert!(
        near["detail"].as_str().is_some_and(|said| said.contains("Did you mean /api/v1/resources?")),
        "{near}"
    );
    assert_eq!(near["nearest"], "/api/v1/resources");
    for far in ["/api", "/api/", "/api/v2/x", "/api/v1/%00"] {
        visitor.get(far).await.is(404).problem("unknown_route").lacks("Did you mean");
    }
    visitor.get("/api/v1/auth/token").await.is(405).problem("method_not_allowed").header_is("allow", "POST");
    let refused =
        visitor.json_free(Method::DELETE, RESOURCES).await.is(405).problem("method_not_allowed").json();
    assert_eq!(refused["allowed_methods"], json!(["GET", "HEAD", "POST"]));
    assert_eq!(refused["detail"], "This address supports GET, HEAD, POST.");
}

on_both_engines!(what_is_not_there_is_named_by_what_it_would_be);
async fn what_is_not_there_is_named_by_what_it_would_be(app: App) {
    let owner = app.signed_in("owner").await;
    let id = "01983a5e-7c00-7a10-8000-0000000000a1";
    for (method, path, what) in [
        (Method::GET, format!("/resources/{id}"), "entry"),
        (Method::GET, format!("/resources/{id}/revisions/1"), "version"),
        (Method::GET, "/resources/lookup?url=tides.example".to_owned(), "entry"),
        (Method::GET, format!("/searches/{id}"), "saved search"),
        (Method::GET, "/users/none".to_owned(), "profile"),
        (Method::DELETE, format!("/me/webhooks/{id}"), "webhook"),
        (Method::DELETE, format!("/me/tokens/{id}"), "token"),
        (Method::GET, "/admin/users".to_owned(), "account"),
    ] {
        let gone = owner.json_free(method, &format!("/api/v1{path}")).await.is(404).problem("not_found");
        let said = format!("There is no such {what}, or you may not see it.");
        assert_eq!(gone.json()["detail"], said, "{path}");
    }
    let operations = json!({ "operations": [{ "do": "trash", "id": id }] });
    let done = owner.json(Method::POST, &format!("{RESOURCES}/batch"), operations).await.ok().json();
    let said = "There is no such entry, or you may not see it.";
    assert_eq!(done["results"][0]["problem"]["detail"], said);
}

on_both_engines!(a_challenge_says_what_is_wrong_with_a_token);
async fn a_challenge_says_what_is_wrong_with_a_token(app: App) {
    app.has_account("ada", Role::Member).await;
    let reads = token(&app, "ada", &["resources:read"]).await;
    let program = app.visitor();
    let with = |method: Method, token: &str| {
        Ask::new(&program, method, RESOURCES).header("authorization", format!("Bearer {token}"))
    };
    let realm = "Bearer realm=\"coffer\"";
    program.get("/api/v1/me").await.is(401).header_is("www-authenticate", realm);
    with(Method::GET, "cof_nonsense")
        .await
        .is(401)
        .header_is("www-authenticate", &format!("{realm}, error=\"invalid_token\""));
    with(Method::POST, &reads).await.is(403).header_is(
        "www-authenticate",
        &format!("{realm}, error=\"insufficient_scope\", scope=\"resources:write\""),
    );
}

on_both_engines!(a_wrong_body_is_refused_in_plain_words);
async fn a_wrong_body_is_refused_in_plain_words(app: App) {
    let owner = app.signed_in("owner").await;
    for (body, field, said) in [
        (json!({ "tags": "sea" }), "tags", "tags must be a list."),
        (json!({ "tags": [1] }), "tags[0]", "tags[0] must be a string."),
        (json!({ "pinned": "yes" }), "pinned", "pinned must be true or false."),
        (
            json!({ "visibility": "mine" }),
            "visibility",
            "visibility must be one of `private`, `members`, `public`.",
        ),
        (json!([]), "body", "The body must be an object."),
    ] {
        let refused = owner.json(Method::POST, RESOURCES, body.clone()).await.invalid(field).json();
        assert_eq!(refused["errors"], json!([{ "field": field, "message": said }]), "{body}");
    }
    let refused =
        owner.json(Method::POST, RESOURCES, json!({ "url": "nonsense" })).await.invalid("url").json();
    assert_eq!(
        refused["errors"].as_array().map(Vec::len),
        Some(1),
        "the title is not complained of too: {refused}"
    );
}

on_both_engines!(what_is_in_the_trash_is_not_forbidden_but_in_the_way);
async fn what_is_in_the_trash_is_not_forbidden_but_in_the_way(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    owner
        .json(Method::PATCH, &entry.api(), json!({ "title": "x" }))
        .if_match("*")
        .await
        .is(409)
        .problem("trashed");
}

on_both_engines!(a_wrong_code_is_told_from_a_missing_one);
async fn a_wrong_code_is_told_from_a_missing_one(app: App) {
    let owner = app.signed_in("owner").await;
    owner.sets_up_second_factor(&app).await;
    let login = json!({ "login": "owner", "password": PASSWORD });
    let asks = |extra: Value| {
        let mut body = login.clone();
        body.as_object_mut().expect("fields").extend(extra.as_object().expect("fields").clone());
        owner.json(Method::POST, "/api/v1/auth/token", body)
    };
    asks(json!({})).await.is(401).problem("second_factor_required");
    asks(json!({ "code": "000000" })).await.is(401).problem("wrong_code");
}
