//! Lengths, numbers and lists of the API are bounded as its description says: characters count as they were sent, also
//! white space and what coffer drops. No text that is kept has a null character.

use coffer::identity::Role;
use coffer::web::forms::encode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;
use crate::support::owner::Owner;
use crate::support::site::{Route, routes};

/// Values just beyond what the schema allows, made of one that it allows.
fn beyond(schema: &Value, good: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    if let Some(most) = schema["maxLength"].as_u64() {
        let good = good.as_str().unwrap_or("a");
        let rest = usize::try_from(most).expect("a length") + 1 - good.chars().count();
        values.extend(
            [" ", "\u{82}", "\u{ad}"].map(|dropped| json!(format!("{good}{}", dropped.repeat(rest)))),
        );
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        values.push((0..=most).map(|_| good[0].clone()).collect());
    }
    values.extend(schema["maximum"].as_i64().map(|most| json!(most + 1)));
    values.extend(schema["minimum"].as_i64().map(|least| json!(least - 1)));
    values
}

/// Texts with a null character, which PostgreSQL can't keep.
fn with_null(schema: &Value, good: &Value) -> Vec<Value> {
    let is_text = |schema: &Value| schema["type"] == "string" || schema["type"][0] == "string";
    let text = |good: &Value| json!(format!("{}\0b", good.as_str().unwrap_or("a")));
    if is_text(schema) {
        return vec![text(good)];
    }
    if is_text(&schema["items"]) { vec![json!([text(&good[0])])] } else { Vec::new() }
}

/// Makes the wrong values of a field from its schema and a good value.
type Wrong = fn(&Value, &Value) -> Vec<Value>;

/// Fields of a request's body with values that it may not have.
fn wrong_bodies(document: &Value, operation: &Value, wrong: Wrong) -> Vec<(String, Value)> {
    let content = &operation["requestBody"]["content"]["application/json"];
    let Some(name) = content["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next()) else {
        return Vec::new();
    };
    let draft = &document["components"]["schemas"][name];
    let properties = draft["properties"].as_object().expect("fields");
    let mut bodies = Vec::new();
    for (field, schema) in properties {
        for value in wrong(schema, &content["example"][field]) {
            // A share is of one thing: where nothing is required, another field than the example's stands alone.
            let is_part = draft.get("required").is_some() || content["example"].get(field).is_some();
            let mut body = if is_part { content["example"].clone() } else { json!({}) };
            body[field] = value;
            bodies.push((field.clone(), body));
        }
    }
    bodies
}

/// A reader's parameters with values that they may not have.
fn wrong_queries(route: &Route, operation: &Value, wrong: Wrong) -> Vec<String> {
    let described = operation["parameters"].as_array().into_iter().flatten();
    let mut queries = Vec::new();
    for parameter in described.filter(|one| one["in"] == "query" && route.method == Method::GET) {
        for value in wrong(&parameter["schema"], &Value::Null) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            queries.push(format!("{}={}", parameter["name"].as_str().expect("a name"), encode(&value)));
        }
    }
    queries
}

/// Sends the body, otherwise a good one.
async fn sends(owner: &Owner, route: &Route, mut body: Value, field: &str) -> Answer {
    if body.get("password").is_some() {
        let password = if field == "password" { body["password"].clone() } else { json!(PASSWORD) };
        let login = if field == "login" { body["login"].clone() } else { json!("owner") };
        (body["login"], body["password"]) = (login, password);
    }
    let ask = owner.actor.json(route.method.clone(), &owner.address(route), body);
    let ask = match route.method {
        Method::PATCH => ask.if_match("*"),
        Method::PUT => ask.header("if-none-match", "*"),
        _ => ask,
    };
    ask.await
}

on_both_engines!(what_is_beyond_the_described_bounds_is_refused, "--fetch=on");
async fn what_is_beyond_the_described_bounds_is_refused(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let document = coffer::app::openapi("");
    let (mut bodies, mut parameters) = (0, 0);
    for route in routes(&app).await.into_iter().filter(Route::is_api) {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        let address = owner.address(&route);
        for (field, body) in wrong_bodies(&document, operation, beyond) {
            bodies += 1;
            sends(&owner, &route, body, &field).await.invalid(&field);
        }
        for query in wrong_queries(&route, operation, beyond) {
            parameters += 1;
            let answer = owner.actor.get(&format!("{address}?{query}")).await;
            assert!([400, 422].contains(&answer.status()), "{route}?{query}: {}", answer.text());
        }
    }
    assert!(bodies >= 30 && parameters >= 20, "{bodies} bodies, {parameters} parameters");
}

on_both_engines!(a_null_character_is_refused_at_its_field, "--fetch=on");
async fn a_null_character_is_refused_at_its_field(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let document = coffer::app::openapi("");
    let (mut bodies, mut parameters) = (0, 0);
    for route in routes(&app).await.into_iter().filter(Route::is_api) {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        for (field, body) in wrong_bodies(&document, operation, with_null) {
            bodies += 1;
            let answer = sends(&owner, &route, body, &field).await;
            // What is compared and not kept is wrong; an address keeps it as %00.
            if route.path.starts_with("/api/v1/auth/") || route.path.ends_with("/webhooks") {
                assert!(answer.status() < 500, "{route} {field}: {}", answer.text());
            } else {
                answer.invalid(&field);
            }
        }
        for query in wrong_queries(&route, operation, with_null) {
            parameters += 1;
            let answer = owner.actor.get(&format!("{}?{query}", owner.address(&route))).await;
            assert!(answer.status() < 500, "{route}?{query}: {}", answer.text());
        }
    }
    assert!(bodies >= 20 && parameters >= 20, "{bodies} bodies, {parameters} parameters");
}
