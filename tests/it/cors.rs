//! Pages of other sites: those that are listed use the API with a token, and none with the cookie.

use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::actor::{Actor, Ask};
use crate::support::app::App;
use crate::support::on_both_engines;
use crate::tokens::token;

const RESOURCES: &str = "/api/v1/resources";
const SITE: &str = "https://app.example.org";

fn preflight<'a>(program: &'a Actor, origin: &str) -> Ask<'a> {
    Ask::new(program, Method::OPTIONS, RESOURCES)
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization,if-match")
}

on_both_engines!(
    a_listed_site_uses_the_api_with_a_token,
    "--cors-origins=https://app.example.org,https://b.example"
);
async fn a_listed_site_uses_the_api_with_a_token(app: App) {
    app.has_account("ada", Role::Member).await;
    let token = token(&app, "ada", &["resources:read", "resources:write"]).await;
    let program = app.visitor();
    let asked = preflight(&program, SITE).await.is(204).header_is("access-control-allow-origin", SITE);
    for name in ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key"] {
        assert!(asked.header("access-control-allow-headers").contains(name), "{asked}");
    }
    assert!(
        asked.header("access-control-allow-methods").contains("PATCH")
            && asked.header("vary").contains("origin")
    );
    assert_eq!(asked.header("access-control-max-age"), "7200");
    let made = Ask::new(&program, Method::POST, RESOURCES)
        .with_body(json!({ "title": "Tides" }).to_string())
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .header("sec-fetch-site", "cross-site")
        .header("origin", SITE);
    let made = made.await.is(201).header_is("access-control-allow-origin", SITE);
    for name in [
        "etag", "location", "content-disposition", "www-authenticate", "ratelimit", "retry-after",
        "x-request-id",
    ] {
        assert!(made.header("access-control-expose-headers").contains(name), "{made}");
    }
    let refused = Ask::new(&program, Method::GET, "/api/v1/me").header("origin", SITE);
    refused.await.is(401).header_is("access-control-allow-origin", SITE);
}

on_both_engines!(the_cookie_is_for_no_other_site, "--cors-origins=*");
async fn the_cookie_is_for_no_other_site(app: App) {
    let owner = app.signed_in("owner").await;
    let read = owner.get("/api/v1/me").header("origin", SITE).await;
    read.ok().header_is("access-control-allow-origin", "*").header_is("access-control-allow-credentials", "");
    let made = owner.json(Method::POST, RESOURCES, json!({ "title": "Taken" }));
    made.header("origin", SITE).header("sec-fetch-site", "cross-site").await.is(403).problem("cross_site");
    owner.get("/resources").header("origin", SITE).await.ok().header_is("access-control-allow-origin", "");
}

on_both_engines!(other_sites_are_told_nothing);
async fn other_sites_are_told_nothing(app: App) {
    let program = app.visitor();
    preflight(&program, SITE).await.is(405).header_is("access-control-allow-origin", "");
    let read = program.get(RESOURCES).header("origin", SITE).await.ok();
    assert_eq!(read.header("access-control-allow-origin"), "");
}

on_both_engines!(a_site_that_is_not_listed_is_told_nothing, "--cors-origins=https://app.example.org");
async fn a_site_that_is_not_listed_is_told_nothing(app: App) {
    let program = app.visitor();
    for other in [
        "https://app.example.org.evil.example",
        "http://app.example.org",
        "null",
        "https://app.example.org:444",
    ] {
        preflight(&program, other).await.is(405).header_is("access-control-allow-origin", "");
        let read = program.get(RESOURCES).header("origin", other).await.ok();
        read.header_is("access-control-allow-origin", "");
    }
}
