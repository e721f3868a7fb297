//! Sessions with a Redis that dies, freezes, forgets and comes back: no one is signed out by it, and no one
//! who has logged out is signed in again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coffer::db::{Engine as Engines, Tx};
use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::enumeration::statements;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::on_both_engines;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(15);

/// Another node than that which has changed something: it hears within milliseconds, and on a busy machine a little later.
async fn known_within_two_seconds(is_known: impl AsyncFn() -> bool) {
    let known = eventually(Duration::from_secs(2), async || {
        if is_known().await { Ok(()) } else { Err("what stood before is believed") }
    });
    known.await.unwrap_or_else(|error| panic!("{error}"));
}

/// `name::sqlite` and `name::postgres`, each with a Redis of its own.
macro_rules! with_redis {
    ($name:ident) => {
        mod $name {
            use crate::support::app::{App, Engine};

            #[tokio::test]
            async fn sqlite() {
                super::$name(App::with_redis(Engine::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name(App::with_redis(Engine::Postgres).await).await;
            }
        }
    };
}

/// Asks until Redis holds so many sessions.
async fn redis_holds(app: &App, actor: &Actor, count: usize) {
    let held = eventually(LIMIT, async || {
        actor.get("/api/v1/me").await;
        let size = app.redis().sessions().map_err(|error| error.to_string())?;
        if size == count { Ok(()) } else { Err(format!("{size} sessions")) }
    });
    held.await.unwrap_or_else(|error| panic!("{count} sessions in Redis: {error}"));
}

/// Signed in, with a copy of the session in Redis.
async fn signed_in(app: &App) -> Actor {
    let ada = app.signed_in("ada").await;
    redis_holds(app, &ada, 1).await;
    ada
}

with_redis!(losing_redis_signs_nobody_out);
async fn losing_redis_signs_nobody_out(app: App) {
    let ada = signed_in(&app).await;
    app.redis().kill();
    for _ in 0..10 {
        assert!(ada.is_signed_in().await);
    }
    ada.get("/resources").await.ok().has(".account-name", "ada");
    ada.post_form("/resources", &[("kind", "note"), ("title", "Saved meanwhile")]).await.is(303);
    app.redis().restart().await;
    assert!(ada.is_signed_in().await);
    redis_holds(&app, &ada, 1).await;
    assert!(ada.is_signed_in().await);
}

with_redis!(an_emptied_redis_signs_nobody_out);
async fn an_emptied_redis_signs_nobody_out(app: App) {
    let ada = signed_in(&app).await;
    for _ in 0..3 {
        app.redis().flush();
        assert!(ada.is_signed_in().await);
        redis_holds(&app, &ada, 1).await;
    }
}

with_redis!(a_frozen_redis_holds_nobody_up);
async fn a_frozen_redis_holds_nobody_up(app: App) {
    let ada = signed_in(&app).await;
    app.redis().freeze();
    for _ in 0..8 {
        let asked = Instant::now();
        assert!(ada.is_signed_in().await);
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    }
    let asked = Instant::now();
    let eve = app.signed_in("eve").await;
    eve.post_form("/logout", &[]).await.redirects_to("/login");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    app.redis().thaw();
    assert!(ada.is_signed_in().await && !eve.is_signed_in().await);
    redis_holds(&app, &ada, 1).await;
}

with_redis!(readiness_names_the_missing_redis_and_goes_on);
async fn readiness_names_the_missing_redis_and_goes_on(app: App) {
    let ada = signed_in(&app).await;
    let redis_up = async |up: bool| {
        let told = eventually(LIMIT, async || {
            let ready = ada.get("/readyz").await.ok().json();
            let redis = json!({ "name": "redis", "up": up, "required": false });
            if ready["dependencies"][1] == redis && ready["ready"] == true {
                Ok(())
            } else {
                Err(ready.to_string())
            }
        });
        told.await.unwrap_or_else(|error| panic!("{error}"));
    };
    redis_up(true).await;
    app.redis().kill();
    redis_up(false).await;
    app.redis().restart().await;
    redis_up(true).await;
}

with_redis!(one_can_log_in_and_out_without_redis);
async fn one_can_log_in_and_out_without_redis(app: App) {
    app.redis().kill();
    let ada = app.signed_in("ada").await;
    assert!(ada.is_signed_in().await);
    let stolen = ada.copied_cookies();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    assert!(!stolen.is_signed_in().await);
    app.redis().restart().await;
    assert!(!stolen.is_signed_in().await);
    let eve = app.signed_in("eve").await;
    redis_holds(&app, &eve, 1).await;
}

/// While Redis comes back, until it holds a copy that is none of `before`, and afterwards: these are not signed in.
async fn stay_out(app: &App, everywhere: &[Actor], before: &[String]) {
    let eve = app.signed_in("eve").await;
    let back = eventually(LIMIT, async || {
        for actor in everywhere {
            assert!(!actor.is_signed_in().await, "a session that was ended came back to life");
        }
        assert!(eve.is_signed_in().await);
        let copies = app.redis().copies().map_err(|error| error.to_string())?;
        copies.iter().find(|copy| !before.contains(copy)).map(drop).ok_or_else(|| "no new copy".to_owned())
    });
    back.await.unwrap_or_else(|error| panic!("Redis is used again in the end: {error}"));
    for actor in everywhere {
        assert!(!actor.is_signed_in().await);
    }
}

with_redis!(a_session_that_ended_without_redis_stays_dead);
async fn a_session_that_ended_without_redis_stays_dead(app: App) {
    let ada = signed_in(&app).await;
    let (stolen, before) = (ada.copied_cookies(), app.redis().copies().expect("redis answers"));
    assert_eq!(app.redis().command("SAVE").expect("redis answers"), "+OK");
    app.redis().kill();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    assert!(!stolen.is_signed_in().await);
    // It comes back as it was: the old session's copy is in it until that is deleted, and is never found again.
    app.redis().restart().await;
    stay_out(&app, &[stolen], &before).await;
}

with_redis!(a_session_that_ended_while_redis_was_frozen_stays_dead);
async fn a_session_that_ended_while_redis_was_frozen_stays_dead(app: App) {
    let ada = signed_in(&app).await;
    let (stolen, before) = (ada.copied_cookies(), app.redis().copies().expect("redis answers"));
    app.redis().freeze();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    assert!(!stolen.is_signed_in().await);
    app.redis().thaw();
    stay_out(&app, &[stolen], &before).await;
    let copies = app.redis().copies().expect("redis answers");
    assert!(!copies.contains(&before[0]), "the ended session's copy is left");
}

#[tokio::test]
async fn a_redis_that_is_down_at_the_start_is_found_later() {
    let app = App::with_dead_redis(Engine::Sqlite).await;
    let ada = app.signed_in("ada").await;
    assert_eq!(ada.get("/readyz").await.ok().json()["dependencies"][1]["up"], false);
    app.redis().restart().await;
    redis_holds(&app, &ada, 1).await;
    assert!(ada.is_signed_in().await);
}

with_redis!(redis_knows_no_session_id);
async fn redis_knows_no_session_id(app: App) {
    let ada = signed_in(&app).await;
    let cookie = ada.cookie("__Host-coffer").expect("a session");
    assert_eq!(app.redis().command(&format!("EXISTS {cookie}")).expect("redis answers"), ":0");
}

// The store makes a second copy under another name where there is one already.
with_redis!(a_copy_that_is_none_is_never_made_twice);
async fn a_copy_that_is_none_is_never_made_twice(app: App) {
    let ada = signed_in(&app).await;
    let copies = app.redis().copies().expect("redis answers");
    app.redis().command(&format!("SET {} none", copies[0])).expect("redis answers");
    for _ in 0..3 {
        assert!(ada.is_signed_in().await);
        assert_eq!(app.redis().copies().expect("redis answers"), copies);
    }
    app.redis().command(&format!("DEL {}", copies[0])).expect("redis answers");
    redis_holds(&app, &ada, 1).await;
    assert_eq!(app.redis().copies().expect("redis answers"), copies);
}

#[tokio::test]
async fn nodes_share_their_sessions() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    let ada = signed_in(&app).await;
    let there = ada.at(&other);
    there.get("/resources").await.ok().has(".account-name", "ada");
    there.post_form("/resources", &[("kind", "note"), ("title", "Written there")]).await.is(303);
    // The other node is told within milliseconds; a busy machine takes its time.
    let told = eventually(LIMIT, async || {
        let page = ada.get("/resources").await.ok().text();
        if page.contains("Written there") { Ok(()) } else { Err("not there yet") }
    });
    told.await.expect("the note is seen on the other node");
    let stolen = ada.copied_cookies();
    there.post_form("/logout", &[]).await.redirects_to("/login");
    assert!(!stolen.at(&other).is_signed_in().await);
    let ended =
        eventually(LIMIT, async || if stolen.is_signed_in().await { Err("still signed in") } else { Ok(()) });
    ended.await.expect("the session ends on every node");
}

#[tokio::test]
async fn pages_go_on_from_node_to_node() {
    let app = App::with(Engine::Postgres, &[]).await;
    let other = app.another_node().await;
    let ada = app.signed_in("ada").await;
    ada.saves(json!({ "title": "One" })).await;
    ada.saves(json!({ "title": "Two" })).await;
    let cursor = ada.get("/api/v1/resources?limit=1").await.ok().json()["next_cursor"].clone();
    let next = format!("/api/v1/resources?limit=1&cursor={}", cursor.as_str().expect("a second page"));
    ada.at(&other).get(&next).await.ok().text_has("One");
}

/// The other node hears nothing of the end and must not believe the Redis that comes back.
#[tokio::test]
async fn a_session_that_ended_without_redis_stays_dead_on_every_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    let ada = signed_in(&app).await;
    redis_holds(&app, &ada.at(&other), 1).await;
    let (stolen, before) = (ada.copied_cookies(), app.redis().copies().expect("redis answers"));
    assert_eq!(app.redis().command("SAVE").expect("redis answers"), "+OK");
    app.redis().kill();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    app.redis().restart().await;
    stay_out(&app, &[stolen.at(&other), stolen.clone(), stolen.at(&other)], &before).await;
}

async fn runs(tx: &mut Tx, statement: &str) {
    let ran = match tx.conn() {
        Engines::Postgres(conn) => sqlx::query(AssertSqlSafe(statement)).execute(conn).await.map(drop),
        Engines::Sqlite(conn) => sqlx::query(AssertSqlSafe(statement)).execute(conn).await.map(drop),
    };
    ran.expect("the statement runs");
}

/// `GET`s that Redis was asked since its counts began.
fn looks(app: &App) -> u64 {
    app.redis().calls().get("get").copied().unwrap_or_default()
}

with_redis!(a_session_check_is_no_query_and_seldom_a_look);
async fn a_session_check_is_no_query_and_seldom_a_look(app: App) {
    let ada = signed_in(&app).await;
    // Whatever asks the database for sessions or people fails from here on.
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    for table in ["sessions", "users"] {
        runs(&mut tx, &format!("ALTER TABLE {table} RENAME TO {table}_away")).await;
    }
    tx.commit().await.expect("they are away");
    app.redis().command("CONFIG RESETSTAT").expect("redis answers");
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(ada.get("/api/v1/me").await.ok().json()["username"], "ada");
    }
    // A look is believed for two seconds at most, ten per cent of jitter included.
    let most = 1 + began.elapsed().as_millis() / 1600;
    assert!(u128::from(looks(&app)) <= most, "{} looks, {most} at most", looks(&app));
}

with_redis!(what_may_change_something_looks_each_time);
async fn what_may_change_something_looks_each_time(app: App) {
    let root = app.admin("root").await;
    redis_holds(&app, &root, 1).await;
    app.redis().command("CONFIG RESETSTAT").expect("redis answers");
    for round in 1..=5 {
        root.json(Method::POST, "/api/v1/resources", json!({ "title": "" })).await.is(422);
        root.get("/api/v1/admin/users").await.ok();
        root.get("/admin/users").await.ok();
        assert_eq!(looks(&app), 3 * round);
    }
}

/// From here on no session's row is made or changed.
async fn writes_no_sessions(app: &App) {
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    match app.engine {
        Engine::Postgres => {
            runs(&mut tx, "ALTER TABLE sessions ADD CONSTRAINT no CHECK (false) NOT VALID").await;
        }
        Engine::Sqlite => {
            for event in ["INSERT", "UPDATE"] {
                let refuse = "ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END";
                runs(&mut tx, &format!("CREATE TRIGGER no_{event} BEFORE {event} {refuse}")).await;
            }
        }
    }
    tx.commit().await.expect("it stays");
}

on_both_engines!(a_session_that_cannot_be_written_is_a_503);
async fn a_session_that_cannot_be_written_is_a_503(app: App) {
    let ada = app.signed_in("ada").await;
    writes_no_sessions(&app).await;
    // The next visit moves the session's end.
    app.later(Duration::from_mins(6));
    let page = ada.get("/trash").expecting_trouble().await.error_page(503);
    assert!(page.header_is("retry-after", "5").all_of_header("set-cookie").is_empty());
    let problem = ada.get("/api/v1/me").expecting_trouble().await.is(503);
    problem.header_is("retry-after", "5").problem("unavailable");
    let form = [("login", "ada"), ("password", PASSWORD)];
    let visitor = app.visitor();
    let refused = visitor.post_form("/login", &form).expecting_trouble().await.error_page(503);
    assert!(refused.all_of_header("set-cookie").iter().all(|cookie| !cookie.starts_with("__Host-coffer=")));
}

on_both_engines!(a_request_that_fails_changes_no_session);
async fn a_request_that_fails_changes_no_session(app: App) {
    let ada = app.signed_in("ada").await;
    let rename = async |from: &str, to: &str| {
        let mut tx = app.coffer.db.begin().await.expect("a transaction");
        runs(&mut tx, &format!("ALTER TABLE {from} RENAME TO {to}")).await;
        tx.commit().await.expect("it stays");
    };
    app.later(Duration::from_mins(6));
    rename("resources", "away").await;
    let failed = ada.get("/trash").expecting_trouble().await;
    assert!(failed.status() >= 500 && failed.all_of_header("set-cookie").is_empty(), "{failed}");
    rename("away", "resources").await;
    assert!(!ada.get("/trash").await.ok().all_of_header("set-cookie").is_empty(), "now its end is moved");
    assert!(ada.get("/trash").await.ok().all_of_header("set-cookie").is_empty(), "once");
}

/// A change of the account, as the verbs that change it do it.
async fn becomes(app: &App, person: Uuid, assignment: &str) {
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let key = format!("'{person}'");
    let key = if app.engine == Engine::Sqlite { format!("x{}", key.replace('-', "")) } else { key };
    runs(&mut tx, &format!("UPDATE users SET {assignment} WHERE id = {key}")).await;
    let stale = app.coffer.sessions.refresh_user(&mut tx, person).await.expect("the database answers");
    tx.commit().await.expect("it stays");
    app.coffer.sessions.settle(stale).await.expect("the database answers");
}

async fn id_of(app: &App, username: &str) -> Uuid {
    app.viewer(username).await.id().expect("an account")
}

with_redis!(a_changed_role_counts_at_once);
async fn a_changed_role_counts_at_once(app: App) {
    let ada = signed_in(&app).await;
    for (role, status) in [("admin", 200), ("member", 404), ("admin", 200)] {
        becomes(&app, id_of(&app, "ada").await, &format!("role = '{role}'")).await;
        assert_eq!(ada.get("/api/v1/me").await.ok().json()["role"], role);
        ada.get("/admin/invites").await.is(status);
    }
}

with_redis!(a_role_that_was_lowered_without_redis_stays_low);
async fn a_role_that_was_lowered_without_redis_stays_low(app: App) {
    let ada = signed_in(&app).await;
    becomes(&app, id_of(&app, "ada").await, "role = 'admin'").await;
    redis_holds(&app, &ada, 1).await;
    app.redis().freeze();
    becomes(&app, id_of(&app, "ada").await, "role = 'member'").await;
    assert_eq!(ada.get("/api/v1/me").await.ok().json()["role"], "member");
    app.redis().thaw();
    let back = eventually(LIMIT, async || {
        assert_eq!(ada.get("/api/v1/me").await.ok().json()["role"], "member");
        let before = app.redis().calls().get("get").copied().unwrap_or(0);
        // Administration looks each time.
        ada.get("/admin/users").await.is(404);
        let asked = app.redis().calls().get("get").copied().unwrap_or(0) > before;
        if asked { Ok(()) } else { Err("Redis is not asked yet") }
    });
    back.await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ada.get("/api/v1/me").await.ok().json()["role"], "member");
}

with_redis!(a_disabled_account_is_out_at_once);
async fn a_disabled_account_is_out_at_once(app: App) {
    let ada = signed_in(&app).await;
    let now = if app.engine == Engine::Sqlite { "1" } else { "now()" };
    let person = id_of(&app, "ada").await;
    becomes(&app, person, &format!("disabled_at = {now}")).await;
    assert!(!ada.is_signed_in().await);
    becomes(&app, person, "disabled_at = NULL").await;
    assert!(!ada.is_signed_in().await, "its session ended with it");
}

#[tokio::test]
async fn a_changed_role_counts_soon_on_every_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    let ada = signed_in(&app).await;
    redis_holds(&app, &ada.at(&other), 1).await;
    becomes(&app, id_of(&app, "ada").await, "role = 'admin'").await;
    known_within_two_seconds(async || ada.at(&other).get("/api/v1/me").await.ok().json()["role"] == "admin")
        .await;
}

/// Everybody's sessions, ended one person after the other while Redis is away.
#[tokio::test]
async fn many_sessions_ended_without_redis_stay_dead() {
    let app = App::with_redis(Engine::Postgres).await;
    let other = app.another_node().await;
    app.has_account("ada", Role::Member).await;
    let mut everywhere = Vec::new();
    for _ in 0..12 {
        everywhere.push(app.another_browser_of("ada").await);
    }
    let before = app.redis().copies().expect("redis answers");
    app.redis().freeze();
    app.coffer.sessions.end_all(id_of(&app, "ada").await).await.expect("they end");
    app.redis().thaw();
    for ada in &everywhere {
        assert!(!ada.is_signed_in().await && !ada.at(&other).is_signed_in().await);
    }
    stay_out(&app, &everywhere, &before).await;
}

/// A node whose way to Redis is slow changes what another node, whose way is not, reads there.
#[tokio::test]
async fn what_a_node_far_from_redis_changes_holds_soon_on_every_node() {
    let app = App::with_redis(Engine::Postgres).await;
    let tap = app.redis().tap().await;
    let far = app.another_node_behind(&tap).await;
    let root = app.admin("root").await;
    for round in 0..2 {
        for change in ["role", "disable", "log out", "password", "end"] {
            let name = format!("{}{round}", change.replace(' ', ""));
            app.redis().flush();
            let person = app.signed_in(&name).await;
            let there = person.copied_cookies().at(&far);
            let stolen = person.copied_cookies();
            redis_holds(&app, &stolen, 1).await;
            assert!(there.is_signed_in().await && root.at(&far).is_signed_in().await);
            let page = format!("/admin/users/{}", id_of(&app, &name).await);
            tap.delay(Duration::from_millis(700));
            let asked = Instant::now();
            match change {
                "role" => {
                    let role = json!({ "role": "admin" });
                    root.at(&far).json(Method::PATCH, &format!("/api/v1{page}"), role).await.ok();
                    known_within_two_seconds(async || {
                        stolen.get("/api/v1/me").await.ok().json()["role"] == "admin"
                    })
                    .await;
                }
                "disable" => drop(root.at(&far).post_form(&format!("{page}/disable"), &[]).await.is(303)),
                "log out" => drop(there.post_form("/logout", &[]).await.is(303)),
                "end" => drop(there.json_free(Method::DELETE, "/api/v1/me/sessions").await.is(204)),
                _ => {
                    let form =
                        [("current_password", PASSWORD), ("password", "quiet harbour at nine o'clock")];
                    drop(there.post_form("/settings/password", &form).await.is(303));
                }
            }
            let gone = !matches!(change, "role" | "end");
            known_within_two_seconds(async || !gone || !stolen.is_signed_in().await).await;
            assert!(asked.elapsed() < Duration::from_secs(8), "{change} took {:?}", asked.elapsed());
            tap.delay(Duration::ZERO);
        }
    }
}

/// A refill on its way while the row changes, and while another node's refill with the old row comes in between.
#[tokio::test]
async fn a_refill_that_a_change_overtakes_leaves_no_old_copy() {
    let app = App::with_redis(Engine::Postgres).await;
    let tap = app.redis().tap().await;
    let far = app.another_node_behind(&tap).await;
    let ada = signed_in(&app).await;
    let person = id_of(&app, "ada").await;
    for role in ["admin", "member"] {
        redis_holds(&app, &ada, 1).await;
        assert!(ada.at(&far).is_signed_in().await);
        let key = app.redis().copies().expect("redis answers").pop().expect("a copy");
        let old = app.redis().bytes(&format!("GET {key}")).expect("a copy");
        app.redis().command(&format!("DEL {key}")).expect("redis answers");
        tap.delay(Duration::from_millis(100));
        let refilling = async { ada.at(&far).get("/api/v1/me").await.ok() };
        let overtaking = async {
            let filled = eventually(Duration::from_secs(1), async || match app.redis().sessions() {
                Ok(1) => Ok(()),
                other => Err(format!("{other:?}")),
            });
            // A busy machine may not fill in time: then nothing is overtaken.
            let _ = filled.await;
            becomes(&app, person, &format!("role = '{role}'")).await;
            // With the life that an unverified copy has.
            let old = data_encoding::HEXLOWER.encode(&old);
            let again = format!(
                "EVAL \"return redis.call('SET', KEYS[1], (ARGV[1]:gsub('..', function(b) return string.char(tonumber(b, 16)) end)), 'PX', 10000)\" 1 {key} {old}"
            );
            assert_eq!(app.redis().command(&again).expect("redis answers"), "+OK");
        };
        tokio::join!(refilling, overtaking);
        tap.delay(Duration::ZERO);
        let known = eventually(LIMIT, async || {
            let me = ada.get("/api/v1/me").await.ok().json();
            if me["role"] == role { Ok(()) } else { Err(format!("still {}", me["role"])) }
        });
        known.await.unwrap_or_else(|error| panic!("an old copy stays: {error}"));
    }
}

on_both_engines!(a_login_runs_seven_statements);
async fn a_login_runs_seven_statements(app: App) {
    app.has_account("ada", Role::Member).await;
    let before = statements(&app);
    let form = [("login", "ada"), ("password", PASSWORD)];
    app.visitor().post_form("/login", &form).await.redirects_to("/resources");
    let mut ran = BTreeMap::new();
    for (series, count) in statements(&app) {
        let name = series.split("db_query_summary=\"").nth(1).and_then(|rest| rest.split('"').next());
        let new = count - before.get(&series).unwrap_or(&0);
        *ran.entry(name.expect("a name").to_owned()).or_insert(0) += new;
    }
    // Upkeep may run meanwhile.
    let is_upkeep = |name: &str| ["forget", "delete_"].iter().any(|part| name.contains(part));
    let is_asked =
        |name: &str| ["accounts.", "audit.", "sessions."].iter().any(|room| name.starts_with(room));
    ran.retain(|name, count| *count > 0 && is_asked(name) && !is_upkeep(name));
    let expected = [
        ("accounts.credentials", 1),
        ("accounts.devices.known", 1),
        ("accounts.devices.remember", 1),
        ("audit.advance", 1),
        ("audit.append", 2),
        ("sessions.insert", 1),
    ];
    assert_eq!(ran, expected.map(|(name, count)| (name.to_owned(), count)).into());
}
