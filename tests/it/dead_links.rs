//! Links that lead nowhere, as the slow check finds them; the test's clock makes the weeks pass.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;
use crate::support::pages::{Pages, Reply};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(20);
const HALF_A_WEEK: Duration = Duration::from_hours(84);

on_both_engines!(a_link_is_broken_after_a_week, "--check-links=on", "--fetch-allow=127.0.0.0/8");
async fn a_link_is_broken_after_a_week(app: App) {
    let (owner, site) = (app.signed_in("owner").await, Pages::start().await);
    site.has("/there", "here");
    let there = owner.saves(json!({ "url": site.url("/there"), "title": "There" })).await;
    let gone =
        owner.saves(json!({ "url": site.url("/gone"), "title": "Gone", "visibility": "public" })).await;
    app.coffer.library.resources.enrol_links().await.expect("they are taken in");
    asked(&app, &site, &["GET /gone", "HEAD /gone", "HEAD /there"]).await;
    breaks(&app, &owner, &site, &gone).await;
    assert_eq!(owner.get(&there.api()).await.json()["broken_since"], Value::Null);
    let found = owner.get("/resources?q=is%3Abroken").await.ok().has(".entry", "Broken since");
    assert_eq!(found.texts(".entry-title"), ["Gone"]);
    let archived = found.attributes(".entry-source a[href*='web.archive.org']", "href").remove(0);
    assert!(archived.ends_with(&site.url("/gone")), "{archived}");
    app.visitor().get(&gone.page()).await.ok().text_has("Broken since");
    assert!(owner.get(&gone.api()).await.header("etag").contains("-broken"));

    site.has("/gone", "back");
    app.later(HALF_A_WEEK);
    asked(&app, &site, &["HEAD /gone"]).await;
    let is_whole = async || match owner.get(&gone.api()).await.json()["broken_since"] {
        Value::Null => Ok(()),
        _ => Err("it is still broken"),
    };
    eventually(LIMIT, is_whole).await.expect("it leads somewhere again");
}

on_both_engines!(a_site_says_when_it_may_be_asked_again, "--check-links=on", "--fetch-allow=127.0.0.0/8");
async fn a_site_says_when_it_may_be_asked_again(app: App) {
    let (owner, site) = (app.signed_in("owner").await, Pages::start().await);
    let busy = Reply { status: 503, headers: vec![("retry-after", "3600".to_owned())], body: Vec::new() };
    site.replies("/busy", busy);
    owner.saves(json!({ "url": site.url("/busy"), "title": "Busy" })).await;
    app.coffer.library.resources.enrol_links().await.expect("they are taken in");
    asked(&app, &site, &["HEAD /busy"]).await;
    let waits = async || {
        let soonest = app.now().plus(Duration::from_mins(50));
        if next_at(&app).await > soonest { Ok(()) } else { Err("it may be asked") }
    };
    eventually(LIMIT, waits).await.expect("an hour");
    app.later(Duration::from_hours(1));
    asked(&app, &site, &["HEAD /busy"]).await;
}

on_both_engines!(no_link_is_checked_by_default, "--fetch-allow=127.0.0.0/8");
async fn no_link_is_checked_by_default(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "url": "https://tides.example/", "title": "Tides" })).await;
    app.coffer.library.resources.enrol_links().await.expect("they are taken in");
    let app = app.with_redis_again().await;
    let forgotten = async || match count(&app).await {
        0 => Ok(()),
        left => Err(format!("{left} are left")),
    };
    eventually(LIMIT, forgotten).await.expect("what was known is forgotten");
}

/// Two more failures of `/gone` make a week.
pub async fn breaks(app: &App, owner: &Actor, site: &Pages, gone: &Entry) {
    for failure in 2..=3 {
        assert_eq!(owner.get(&gone.api()).await.json()["broken_since"], Value::Null, "{failure}");
        app.later(HALF_A_WEEK);
        asked(app, site, &["GET /gone", "HEAD /gone"]).await;
    }
    let is_broken = async || match owner.get(&gone.api()).await.json()["broken_since"] {
        Value::Null => Err("it is not broken"),
        _ => Ok(()),
    };
    eventually(LIMIT, is_broken).await.expect("three failures over a week");
}

/// Waits until the site was asked this, in any order, ten seconds apart.
pub async fn asked(app: &App, site: &Pages, expected: &[&str]) {
    for count in 1..=expected.len() {
        let enough = async || match site.requests().len() {
            seen if seen == count => Ok(()),
            seen => Err(format!("{seen} requests")),
        };
        eventually(LIMIT, enough).await.expect("the site is asked");
        app.later(Duration::from_secs(11));
    }
    let mut requests = site.forgets_requests();
    requests.sort();
    assert_eq!(requests, expected);
}

async fn next_at(app: &App) -> coffer::timestamp::Timestamp {
    let sql = "SELECT next_at FROM link_sites";
    match &app.coffer.db {
        coffer::db::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(&**read).await,
        coffer::db::Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(&**pool).await,
    }
    .expect("a site")
}

async fn count(app: &App) -> i64 {
    let sql = "SELECT COUNT(*) FROM link_checks";
    match &app.coffer.db {
        coffer::db::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(&**read).await,
        coffer::db::Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(&**pool).await,
    }
    .expect("a number")
}
