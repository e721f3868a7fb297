//! What visitors meet of the limits: headers, a calm page, problem+json, and the same on every node.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use coffer::limiter::policy::Policy;
use coffer::limiter::verdict::Tier;
use futures::stream::{self, StreamExt as _};
use sfv::{BareItem, List, ListEntry, Parser};

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, Engine, Node};
use crate::support::on_both_engines;
use crate::support::wait::eventually;

/// A policy's name and a parameter of it, as an independent parser of structured fields reads them.
pub fn told(answer: &Answer, header: &str, parameter: &str) -> Vec<(String, i64)> {
    let text = answer.all_of_header(header).join(", ");
    let list: List = Parser::new(&text).parse().unwrap_or_else(|error| panic!("{header}: {text}: {error}"));
    let item = |entry: &ListEntry| {
        let ListEntry::Item(item) = entry else { panic!("{text}: an inner list") };
        let BareItem::String(name) = &item.bare_item else { panic!("{text}: no string") };
        let value = item.params.iter().find(|(key, _)| key.as_str() == parameter).map(|(_, value)| value);
        let Some(BareItem::Integer(number)) = value else { panic!("{text}: no {parameter}") };
        (name.as_str().to_owned(), i64::from(*number))
    };
    list.iter().map(item).collect()
}

fn one(name: &str, number: i64) -> Vec<(String, i64)> {
    vec![(name.to_owned(), number)]
}

/// Asks as a client behind a proxy.
pub async fn from(actor: &Actor, address: &str, path: &str) -> Answer {
    actor.get(path).header("x-forwarded-for", address).await
}

on_both_engines!(answers_say_what_is_left, "--rate-limit-pages=3/h", "--rate-limit-api=7/min");
async fn answers_say_what_is_left(app: App) {
    let visitor = app.visitor();
    for left in [2, 1, 0] {
        let answer = visitor.get("/login").await.ok();
        assert_eq!(told(&answer, "ratelimit-policy", "q"), one("pages", 3));
        assert_eq!(told(&answer, "ratelimit-policy", "w"), one("pages", 3600));
        assert_eq!(told(&answer, "ratelimit", "r"), one("pages", left));
    }
    let answer = visitor.get("/api/v1/resources").await.ok();
    assert_eq!(told(&answer, "ratelimit", "r"), one("api", 6));
}

on_both_engines!(a_refusal_is_a_calm_page, "--rate-limit-pages=2/h");
async fn a_refusal_is_a_calm_page(app: App) {
    let visitor = app.visitor();
    visitor.get("/login").await.ok();
    visitor.get("/login").await.ok();
    let refused =
        visitor.get("/login?next=%2Ftags").await.error_page(429).header_is("cache-control", "no-store");
    assert_eq!(told(&refused, "ratelimit", "r"), one("pages", 0));
    let wait = told(&refused, "ratelimit", "t")[0].1;
    let later: i64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1799..=1800).contains(&wait) && (wait..wait + 16).contains(&later), "{wait} {later}");
    assert_eq!(refused.attributes("[data-countdown]", "data-countdown"), [later.to_string()]);
    assert!(refused.attributes("a.button", "href").contains(&"/login?next=%2Ftags".to_owned()));
    refused.has("main", "You can try again in").has("main", "minutes");
    app.later(Duration::from_mins(31));
    visitor.get("/login").await.ok();
}

on_both_engines!(what_was_typed_is_kept, "--rate-limit-pages=1/h");
async fn what_was_typed_is_kept(app: App) {
    let visitor = app.visitor();
    visitor.get("/login").await.ok();
    let form = [("title", "High water"), ("body", "Every word of it"), ("password", "secret words")];
    let refused = visitor.post_form("/resources", &form).await.error_page(429);
    refused.has("textarea", "High water").has("textarea", "Every word of it").lacks("secret words");
}

on_both_engines!(the_api_is_told_by_a_problem, "--rate-limit-api=1/min");
async fn the_api_is_told_by_a_problem(app: App) {
    let visitor = app.visitor();
    visitor.get("/api/v1/resources").await.ok();
    let refused = visitor.get("/api/v1/resources").await.is(429).problem("too_many_requests");
    assert_eq!(refused.json()["violated-policies"], serde_json::json!(["api"]));
    refused.header_is("cache-control", "no-store").text_has("Try again in");
}

on_both_engines!(what_is_the_same_for_all_is_free, "--rate-limit-pages=1/h", "--rate-limit-api=1/h");
async fn what_is_the_same_for_all_is_free(app: App) {
    let visitor = app.visitor();
    visitor.get("/login").await.ok();
    visitor.get("/login").await.is(429);
    for path in ["/healthz", "/readyz", "/static/coffer.js"] {
        visitor.get(path).await.ok();
    }
}

on_both_engines!(clients_are_told_apart, "--trusted-proxies=127.0.0.1", "--rate-limit-pages=2/h");
async fn clients_are_told_apart(app: App) {
    let visitor = app.visitor();
    let spent = async |address: &str| from(&visitor, address, "/login").await.status() == 429;
    assert!(
        !spent("198.51.100.7").await && !spent("::ffff:198.51.100.7").await && spent("198.51.100.7").await
    );
    assert!(spent("10.1.1.1, 198.51.100.7").await, "what a client forges on the left");
    assert!(!spent("198.51.100.8").await);
    assert!(
        !spent("2001:db8:0:1::1").await
            && !spent("2001:db8:0:1:ffff::2").await
            && spent("2001:db8:0:1::3").await
    );
    assert!(!spent("2001:db8:0:2::1").await, "another household");
}

on_both_engines!(nobody_escapes_by_a_forged_header, "--rate-limit-pages=2/h");
async fn nobody_escapes_by_a_forged_header(app: App) {
    let visitor = app.visitor();
    let mut passed = 0;
    for n in 0..10 {
        passed += usize::from(from(&visitor, &format!("198.51.100.{n}"), "/login").await.status() == 200);
    }
    assert_eq!(passed, 2);
}

on_both_engines!(guessing_tokens_is_limited, "--rate-limit-unknown-token=5/h", "--rate-limit-token=1000/s");
async fn guessing_tokens_is_limited(app: App) {
    let visitor = app.visitor();
    let mut heard = Vec::new();
    for n in 0..8 {
        let guess = visitor.get("/api/v1/resources").header("authorization", format!("Bearer cof_{n:049}"));
        heard.push(guess.await.status());
    }
    assert_eq!(heard, [401, 401, 401, 401, 401, 429, 429, 429]);
}

on_both_engines!(lists_show_twelve_digits, "--rate-limit-pages=1/h");
async fn lists_show_twelve_digits(app: App) {
    let visitor = app.visitor();
    visitor.get("/login").await.ok();
    visitor.get("/login").await.is(429);
    let blocked = app.coffer.limiter.overview().await.blocked;
    let name = blocked[0].key.today.short();
    assert!(name.len() == 12 && !format!("{blocked:?}").contains("127.0.0.1"));
    assert!(app.coffer.limiter.release(&name).await);
    visitor.get("/login").await.ok();
}

on_both_engines!(a_clock_that_is_set_back_refuses_nobody, "--rate-limit-pages=60/h burst 30");
async fn a_clock_that_is_set_back_refuses_nobody(app: App) {
    // Noon: at midnight everyone has another name.
    let micros = u64::try_from(app.now().micros()).expect("after 1970") % 86_400_000_000;
    app.later(Duration::from_micros(36 * 3_600_000_000 - micros));
    let visitor = app.visitor();
    let mut left = 30;
    for back in
        [Duration::from_secs(20), Duration::from_mins(20), Duration::from_hours(2), Duration::from_hours(5)]
    {
        left -= 2;
        visitor.get("/login").await.ok();
        app.sets_clock_back(back);
        assert_eq!(told(&visitor.get("/login").await.ok(), "ratelimit", "r"), one("pages", left), "{back:?}");
    }
    for _ in 0..left {
        visitor.get("/login").await.ok();
    }
    visitor.get("/login").await.is(429);
    app.sets_clock_back(Duration::from_hours(1));
    visitor.get("/login").await.is(429);
    app.later(Duration::from_secs(61));
    visitor.get("/login").await.ok();
}

async fn asks(node: &Node) -> u16 {
    let answer = node.http().get(format!("{}/api/v1/resources", node.origin())).send().await;
    answer.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_coffers_allow_exactly_the_burst() {
    let limits = ["--rate-limit-api=10/h burst 100", "--rate-limit-patience=10000"];
    let app = App::with_limits(Engine::Postgres, &limits).await;
    let (second, third) = (app.another_node().await, app.another_node().await);
    let nodes: [&Node; 3] = [&app, &second, &third];
    for node in nodes {
        let tier = async || match (node.coffer.limiter.tier(), node.coffer.limiter.nodes()) {
            (Tier::Exact, 3) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        eventually(Duration::from_secs(10), tier).await.expect("three nodes that know of each other");
    }
    // So many connections at once as this process, which is server and clients, answers without a pause.
    let all = (0..400).flat_map(|_| nodes.iter().map(|node| asks(node)));
    let mut answers = stream::iter(all).buffer_unordered(96);
    let mut heard = BTreeMap::new();
    while let Some(status) = answers.next().await {
        *heard.entry(status).or_insert(0) += 1;
    }
    let lost = nodes.map(|node| node.coffer.redis.as_ref().expect("Redis").connection_epoch());
    assert_eq!(heard, BTreeMap::from([(200, 100), (429, 1_100)]), "failures and new connections: {lost:?}");
    let address: IpAddr = [127, 0, 0, 1].into();
    for node in nodes {
        assert!(node.coffer.limiter.known_refusal_of(Policy::Api, address).is_some(), "every node knows");
    }
}
