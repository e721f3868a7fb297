//! The API's description of itself: every change to it is reviewed.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::app::App;
use crate::support::on_both_engines;

fn document() -> Value {
    coffer::app::openapi("")
}

/// Method, path and operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("an item").iter();
        methods.map(move |(method, operation)| (method.clone(), path.clone(), operation.clone()))
    });
    operations.collect()
}

#[test]
fn the_document_is_as_reviewed() {
    insta::assert_json_snapshot!("openapi", document());
}

#[test]
fn the_document_is_complete() {
    let document = document();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let is_verb_and_noun = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.contains(|c: char| c.is_ascii_uppercase())
            && id.chars().all(char::is_alphanumeric);
        assert!(
            is_verb_and_noun && ids.insert(id.clone()),
            "{method} {path} needs an id of its own, not {id:?}"
        );
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{method} {path}");
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().expect("parameters");
            assert!(parameters.iter().any(|parameter| parameter["name"] == name), "{method} {path}: {name}");
        }
    }
}

/// Every object and list of the document with the way there.
fn walk<'a>(value: &'a Value, way: &str, visit: &mut impl FnMut(&'a Value, &str)) {
    visit(value, way);
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, part)| (name.clone(), part)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, part)| (at.to_string(), part)).collect(),
        _ => return,
    };
    for (name, part) in parts {
        walk(part, &format!("{way}/{}", name.replace('/', "~1")), visit);
    }
}

/// What `bin/check-api` lets the linters look for, as far as it can be said in a few lines.
#[test]
fn the_document_is_valid() {
    let document = document();
    let mut faults = Vec::new();
    walk(&document, "", &mut |value, way| {
        let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        if target.is_some_and(|target| document.pointer(target).is_none()) {
            faults.push(format!("{way} leads nowhere"));
        }
        let kinds = ["string", "boolean", "array", "integer"];
        let nullable = value.get("$ref").is_none() && !kinds.iter().any(|kind| value["type"] == *kind);
        if value.get("default").is_some_and(Value::is_null) && !nullable {
            faults.push(format!("{way} is null and can't be"));
        }
    });
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            if response["description"].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{method} {path} {status} has no description"));
            }
        }
        if operation["description"].as_str().is_none_or(str::is_empty) {
            faults.push(format!("{method} {path} has no description"));
        }
    }
    let tags = document["tags"].as_array().expect("tags");
    faults.extend(tags.iter().filter(|tag| tag["description"].is_null()).map(|tag| format!("tag {tag}")));
    assert_eq!(faults, [""; 0]);
    assert_eq!(document["servers"][0]["url"], "/");
    let format = &document["paths"]["/api/v1/export"]["get"]["parameters"][0]["schema"]["enum"];
    assert_eq!(format, &serde_json::json!(["html", "html-folders", "json", "json-versions", "markdown"]));
}

/// What makes generators stumble.
#[test]
fn the_document_is_for_machines() {
    let document = document();
    let mut faults = Vec::new();
    walk(&document, "", &mut |value, way| {
        if value.get("prefixItems").is_some() {
            faults.push(format!("{way} is a tuple"));
        }
        let required = value["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| value["properties"][name].get("default").is_some()) {
            faults.push(format!("{way}: {name} is required and has a default"));
        }
        for (name, property) in value["properties"].as_object().into_iter().flatten() {
            let is_described = |one: &Value| one["description"].as_str().is_some_and(|text| !text.is_empty());
            let variants = property["oneOf"].as_array();
            if way.starts_with("/components/schemas/")
                && !is_described(property)
                && !variants.is_some_and(|variants| variants.iter().any(is_described))
            {
                faults.push(format!("{way}: {name} has no description"));
            }
        }
    });
    for (method, path, operation) in operations(&document) {
        let ways = operation["security"].as_array().expect("security");
        if ways.iter().any(|way| way.get("bearer").is_some()) && ways[0].get("bearer").is_none() {
            faults.push(format!("{method} {path} offers another way before a token"));
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if !is_bounded(&document, &parameter["schema"]) {
                faults.push(format!("{method} {path}: {} may be anything", parameter["name"]));
            }
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{method} {path}: {} has no description", parameter["name"]));
            }
        }
        let answers = operation["responses"].as_object().expect("responses").values();
        for body in answers.chain(operation.get("requestBody")) {
            for (kind, content) in body["content"].as_object().into_iter().flatten() {
                let is_named = content["schema"].get("$ref").is_some() || kind.starts_with("text/");
                if is_named
                    && kind != "application/zip"
                    && content.get("example").is_none()
                    && content.get("examples").is_none()
                {
                    faults.push(format!("{method} {path}: {} has no example", content["schema"]["$ref"]));
                }
            }
            for (name, header) in body["headers"].as_object().into_iter().flatten() {
                if header["$ref"] != format!("#/components/headers/{name}") {
                    faults.push(format!("{method} {path}: {name} is described in place"));
                }
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

/// Whether a schema says more than the type.
fn is_bounded(document: &Value, schema: &Value) -> bool {
    if let Some(target) = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        return document.pointer(target).is_some_and(|schema| is_bounded(document, schema));
    }
    let parts = schema["oneOf"].as_array().into_iter().flatten();
    let bounds = ["enum", "pattern", "format", "maxLength", "maximum", "minimum"];
    let is_small = |kind: &Value| kind == "boolean" || kind == "null";
    bounds.iter().any(|bound| schema.get(bound).is_some())
        || is_small(&schema["type"])
        || schema["type"].as_array().is_some_and(|kinds| kinds.iter().all(is_small))
        || (schema.get("oneOf").is_some() && parts.into_iter().all(|part| is_bounded(document, part)))
}

/// Every code of the catalogue is told by some operation, and every error answer names its codes.
#[test]
fn errors_are_told_by_their_codes() {
    let document = document();
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().expect("codes").clone();
    let mut told = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let Some(problem) = response["content"].get("application/problem+json") else { continue };
            let names: Vec<_> = problem["examples"].as_object().expect("examples").keys().cloned().collect();
            assert!(!names.is_empty(), "{method} {path} {status} names no code");
            told.extend(names);
        }
    }
    let silent: Vec<_> =
        codes.iter().filter_map(Value::as_str).filter(|code| !told.contains(*code)).collect();
    // Pages alone answer with these, and addresses that are none.
    assert_eq!(silent, ["bad_upload", "unknown_route", "method_not_allowed", "link_over", "sudo_refused"]);
}

#[test]
fn every_operation_tells_its_errors() {
    for (method, path, operation) in operations(&document()) {
        let told: BTreeSet<&str> =
            operation["responses"].as_object().expect("responses").keys().map(String::as_str).collect();
        let mut wanted = BTreeSet::from(["400", "421", "429", "500", "503"]);
        if method != "get" || operation["security"] != serde_json::json!([]) {
            wanted.extend(["401", "403"]);
        }
        if operation.get("requestBody").is_some() {
            wanted.extend(["408", "413", "415", "422"]);
        }
        let body = &operation["requestBody"];
        if body["content"].get("application/json").is_some() {
            assert_eq!(body["description"], "At most 1 MiB of JSON.", "{method} {path}");
        }
        if path.contains("{id}") || path.ends_with("/lookup") {
            wanted.insert("404");
        }
        let header = |name: &str| {
            operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name))
        };
        if header("If-Match") {
            wanted.insert("412");
        }
        if header("If-None-Match") {
            wanted.insert(if method == "get" { "304" } else { "412" });
        }
        let silent: Vec<_> = wanted.difference(&told).collect();
        assert!(silent.is_empty(), "{method} {path} says nothing of {silent:?}");
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert!(
                status.starts_with(['2', '3']) || problem == "#/components/schemas/Problem",
                "{method} {path} {status}"
            );
        }
    }
}

on_both_engines!(the_server_and_the_command_hand_out_the_document);
async fn the_server_and_the_command_hand_out_the_document(app: App) {
    let served =
        app.visitor().get("/api/v1/openapi.json").await.ok().header_is("content-type", "application/json");
    assert_eq!(served.json(), document());
    let known = served.header("etag");
    app.visitor().get("/api/v1/openapi.json").header("if-none-match", &known).await.is(304);
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_coffer"))
        .arg("openapi")
        .output()
        .expect("coffer runs");
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).ok(), Some(document()));
}

// The headers that answers have, beside those that every answer has.
on_both_engines!(what_answers_have_is_described);
async fn what_answers_have_is_described(app: App) {
    let document = document();
    let owner = app.signed_in("owner").await;
    let link = serde_json::json!({ "url": "https://tides.example/", "title": "Tides" });
    let saves = || {
        let ask = owner.json(Method::POST, "/api/v1/resources", link.clone());
        ask.header("idempotency-key", "a")
    };
    let (made, again) = (saves().await.is(201), saves().await.is(201));
    let path = format!("/api/v1/resources/{}", made.json()["id"].as_str().expect("an id"));
    let found = owner.get("/api/v1/resources/lookup?url=https://tides.example/").await.ok();
    let restore = owner.json(Method::POST, &format!("{path}/revisions/1/restore"), serde_json::json!({}));
    let restored = restore.if_match("*").await.ok();
    let one = owner.get(&path).await.ok();
    let tags = owner.get("/api/v1/tags").await.ok();
    for (answer, method, path) in [
        (made, "post", "/resources"),
        (again, "post", "/resources"),
        (found, "get", "/resources/lookup"),
        (restored, "post", "/resources/{id}/revisions/{version}/restore"),
        (one, "get", "/resources/{id}"),
        (tags, "get", "/tags"),
    ] {
        let status = answer.status().to_string();
        let described = &document["paths"][format!("/api/v1{path}")][method]["responses"][status]["headers"];
        for name in ["ETag", "Location", "Link", "Idempotency-Replayed"] {
            let is_there = !answer.header(&name.to_ascii_lowercase()).is_empty();
            assert!(!is_there || described.get(name).is_some(), "{method} {path}: {name}");
        }
    }
}

on_both_engines!(the_reference_page_tells_of_every_operation);
async fn the_reference_page_tells_of_every_operation(app: App) {
    let visitor = app.visitor();
    let bare = visitor.get("/api/docs/").await;
    assert_eq!((bare.status(), bare.header("location").as_str()), (308, "/api/docs"));
    let page = visitor.get("/api/docs").await.ok().has("h1", "API reference");
    let shown = page.texts(".operation h3");
    for (method, path, operation) in operations(&document()) {
        let heading = format!("{} {path}", method.to_uppercase());
        assert!(shown.contains(&heading), "{heading} is not among {shown:?}");
        let summary = operation["summary"].as_str().expect("a summary");
        assert!(page.text().contains(&summary.replace('\'', "&#39;")), "{summary}");
    }
    let described = page.attributes("article[id]", "id");
    for link in page.attributes(".operation a[href^='#']", "href") {
        assert!(described.contains(&link[1..].to_owned()), "{link} leads nowhere");
    }
}
