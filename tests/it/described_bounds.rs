//! Lengths, numbers and lists of the API are bounded as its description says: characters count as they were sent, also
//! white space and what coffer drops.

use coffer::identity::Role;
use coffer::web::forms::encode;
use reqwest::Method;
use serde_json::{Value, json};

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

/// Fields of a request's body with values that it may not have.
fn wrong_bodies(document: &Value, operation: &Value) -> Vec<(String, Value)> {
    let content = &operation["requestBody"]["content"]["application/json"];
    let Some(name) = content["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next()) else {
        return Vec::new();
    };
    let draft = &document["components"]["schemas"][name];
    let properties = draft["properties"].as_object().expect("fields");
    let mut bodies = Vec::new();
    for (field, schema) in properties {
        for value in beyond(schema, &content["example"][field]) {
            // A share is of one thing: where nothing is required, another field than the example's stands alone.
            let is_part = draft.get("required").is_some() || content["example"].get(field).is_some();
            let mut body = if is_part { content["example"].clone() } else { json!({}) };
            body[field] = value;
            bodies.push((field.clone(), body));
        }
    }
    bodies
}

on_both_engines!(what_is_beyond_the_described_bounds_is_refused, "--fetch=on");
async fn what_is_beyond_the_described_bounds_is_refused(app: App) {
    let owner = Owner::new(&app, "owner", Role::Admin).await;
    let document = coffer::app::openapi("");
    let (mut bodies, mut parameters) = (0, 0);
    for route in routes(&app).await.into_iter().filter(Route::is_api) {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        let address = owner.address(&route);
        for (field, mut body) in wrong_bodies(&document, operation) {
            bodies += 1;
            if body.get("password").is_some() {
                (body["login"], body["password"]) = (json!("owner"), json!(PASSWORD));
            }
            let ask = owner.actor.json(route.method.clone(), &address, body);
            let ask = match route.method {
                Method::PATCH => ask.if_match("*"),
                Method::PUT => ask.header("if-none-match", "*"),
                _ => ask,
            };
            ask.await.invalid(&field);
        }
        let described = operation["parameters"].as_array().into_iter().flatten();
        for parameter in described.filter(|one| one["in"] == "query" && route.method == Method::GET) {
            for value in beyond(&parameter["schema"], &Value::Null) {
                parameters += 1;
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let query = format!("{}={}", parameter["name"].as_str().expect("a name"), encode(&value));
                let answer = owner.actor.get(&format!("{address}?{query}")).await;
                assert!([400, 422].contains(&answer.status()), "{route}?{query}: {}", answer.text());
            }
        }
    }
    assert!(bodies >= 30 && parameters >= 20, "{bodies} bodies, {parameters} parameters");
}
