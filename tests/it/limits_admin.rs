//! `/admin/limits` and its JSON twin: how the limits stand, who is held back, and letting them go on.

use std::time::Duration;

use coffer::limiter::verdict::Tier;
use reqwest::Method;
use serde_json::{Value, json};

use crate::limits::from;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::on_both_engines;
use crate::support::wait::eventually;
use crate::tokens::token;

const PAGE: &str = "/admin/limits";
const API: &str = "/api/v1/admin/limits";
const BEHIND_PROXY: &str = "--trusted-proxies=127.0.0.1";
const FEW: &str = "--rate-limit-network=off";

/// Asks until it is refused.
async fn is_held_back(visitor: &Actor, address: &str) {
    while from(visitor, address, "/login").await.status() != 429 {}
}

fn policy<'a>(limits: &'a Value, name: &str) -> &'a Value {
    let policies = limits["policies"].as_array().expect("a list");
    policies.iter().find(|policy| policy["name"] == name).unwrap_or_else(|| panic!("{name} in {limits}"))
}

on_both_engines!(
    who_is_held_back_is_listed_and_let_go_on,
    super::BEHIND_PROXY,
    super::FEW,
    "--rate-limit-pages=20/h"
);
async fn who_is_held_back_is_listed_and_let_go_on(app: App) {
    let (root, visitor) = (app.admin("root").await, app.visitor());
    root.get(PAGE).await.ok().has("h1", "Limits").text_has("No one is blocked.");
    is_held_back(&visitor, "198.51.100.7").await;
    let page = root
        .get(PAGE)
        .await
        .ok()
        .has(".clients", "Page views without a login, per address")
        .has(".clients", "blocked 1 time");
    let client = page.texts(".clients code").remove(0);
    assert!(client.len() == 12 && client.bytes().all(|digit| digit.is_ascii_hexdigit()), "{client}");
    page.has("td", "20 per hour")
        .has("th code", "COFFER_RATE_LIMIT_LOGIN_ACCOUNT")
        .lacks("198.51.100")
        .lacks("LOGIN_SEEN");
    root.post_form("/admin/limits/release", &[("client", &client)]).await.redirects_to(PAGE);
    root.get(PAGE).await.ok().text_has("Client unblocked").text_has("No one is blocked.");
    from(&visitor, "198.51.100.7", "/login").await.ok();
    let trail = root.get("/admin/audit?action=limit.release").await.ok();
    trail.has("td", "Unblocked a client").has("td code", &client);
    root.post_form("/admin/limits/release", &[("client", &client)]).await.redirects_to(PAGE);
    root.get(PAGE).await.ok().text_has("no longer blocked");
}

on_both_engines!(
    programs_read_limits_and_let_clients_go_on,
    super::BEHIND_PROXY,
    super::FEW,
    "--rate-limit-pages=20/h"
);
async fn programs_read_limits_and_let_clients_go_on(app: App) {
    let (root, visitor) = (app.admin("root").await, app.visitor());
    is_held_back(&visitor, "198.51.100.7").await;
    let limits = root.get(API).await.ok().json();
    let pages = policy(&limits, "pages");
    assert_eq!(
        (&pages["limit"], &pages["by"], &pages["shadow"]),
        (&json!("20/h"), &json!("address"), &json!(false))
    );
    assert_eq!((&pages["refused"], &policy(&limits, "network")["limit"]), (&json!(1), &json!("off")));
    assert_eq!(
        (&limits["mode"], &limits["nodes"], &limits["unknown_proxy"]),
        (&json!("local"), &json!(1), &json!(null))
    );
    let client = limits["blocked"][0]["client"].as_str().expect("a client").to_owned();
    let place = format!("{API}/blocked/{client}");
    let reads = token(&app, "root", &["admin:read"]).await;
    let program = app.visitor();
    let bearer = format!("Bearer {reads}");
    program.get(API).header("authorization", &bearer).await.ok();
    program.json_free(Method::DELETE, &place).header("authorization", &bearer).await.is(403);
    root.json_free(Method::DELETE, &place).await.is(204);
    root.json_free(Method::DELETE, &place).await.is(404).problem("not_found");
    from(&visitor, "198.51.100.7", "/login").await.ok();
}

on_both_engines!(only_admins_see_the_limits);
async fn only_admins_see_the_limits(app: App) {
    let member = app.signed_in("member").await;
    member.get(PAGE).await.error_page(404);
    member.get(API).await.is(404).problem("not_found");
    member.post_form("/admin/limits/release", &[("client", "0123456789ab")]).await.error_page(404);
    member.json_free(Method::DELETE, &format!("{API}/blocked/0123456789ab")).await.is(404);
    app.visitor().get(API).await.is(401);
    let root = app.admin("root").await;
    for nobody in ["0123456789ab", "", "%00", "0123456789abcdef", "../x"] {
        root.json_free(Method::DELETE, &format!("{API}/blocked/{nobody}")).await.is(404);
        root.post_form("/admin/limits/release", &[("client", nobody)]).await.redirects_to(PAGE);
    }
    app.later(Duration::from_mins(11));
    root.post_form("/admin/limits/release", &[("client", "0123456789ab")]).await.is(403);
}

on_both_engines!(
    a_limit_on_trial_tells_what_it_would_do,
    super::BEHIND_PROXY,
    super::FEW,
    "--rate-limit-pages=shadow 3/h"
);
async fn a_limit_on_trial_tells_what_it_would_do(app: App) {
    let (root, visitor) = (app.admin("root").await, app.visitor());
    for _ in 0..8 {
        from(&visitor, "198.51.100.7", "/login").await.ok();
    }
    let page = root.get(PAGE).await.ok().has("h2", "Shadow limits");
    page.text_has("would have blocked").text_has("would be blocked 5 times").has("td", "3 per hour shadow");
    let limits = root.get(API).await.ok().json();
    assert_eq!(
        (&policy(&limits, "pages")["limit"], &policy(&limits, "pages")["shadow"]),
        (&json!("3/h"), &json!(true))
    );
}

on_both_engines!(an_unknown_proxy_is_noticed);
async fn an_unknown_proxy_is_noticed(app: App) {
    let root = app.admin("root").await;
    root.get(PAGE).await.ok().lacks("All visitors share one limit");
    from(&app.visitor(), "198.51.100.7", "/login").await.ok();
    root.get(PAGE).await.ok().has("[role=alert]", "COFFER_TRUSTED_PROXIES").has("code", "x-forwarded-for");
    assert_eq!(root.get(API).await.ok().json()["unknown_proxy"], "x-forwarded-for");
}

on_both_engines!(a_known_proxy_is_fine, super::BEHIND_PROXY);
async fn a_known_proxy_is_fine(app: App) {
    let root = app.admin("root").await;
    from(&app.visitor(), "198.51.100.7", "/login").await.ok();
    root.get(PAGE).await.ok().lacks("All visitors share one limit");
}

/// Who is refused at one node is let go on at another.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_reaches_every_node() {
    let settings = [BEHIND_PROXY, FEW, "--rate-limit-pages=2/h burst 20", "--rate-limit-patience=10000"];
    let app = App::with_limits(Engine::Postgres, &settings).await;
    let (second, third) = (app.another_node().await, app.another_node().await);
    let limit = Duration::from_secs(20);
    for node in [&*app, &second, &third] {
        let exact = async || match (node.coffer.limiter.tier(), node.coffer.limiter.nodes()) {
            (Tier::Exact, 3) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        eventually(limit, exact).await.expect("three nodes that know of each other");
    }
    let root = app.admin("root").await;
    for node in [&second, &third] {
        is_held_back(&node.visitor(), "198.51.100.7").await;
    }
    let listed = async || {
        let overview = app.coffer.limiter.overview().await;
        match &overview.blocked[..] {
            [only] if only.refusals == 2 && overview.heard == 3 => Ok(only.key.today.short()),
            _ => Err(format!("{overview:?}")),
        }
    };
    let client = eventually(limit, listed).await.expect("one list of all nodes");
    root.get(PAGE).await.ok().text_has("all 3 nodes").has(".clients code", &client);
    root.json_free(Method::DELETE, &format!("{API}/blocked/{client}")).await.is(204);
    for node in [&second, &third] {
        let visitor = node.visitor();
        let passes = async || match from(&visitor, "198.51.100.7", "/login").await.status() {
            200 => Ok(()),
            other => Err(other),
        };
        eventually(limit, passes).await.expect("let go on");
    }
}
