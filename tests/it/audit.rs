//! The audit trail: written with what it tells of, read by those it concerns, and it can't be changed unnoticed.

use std::fs;
use std::io::Read as _;

use coffer::accounts::actions::LOG_IN;
use coffer::audit::verify::Fault;
use coffer::audit::{Event, Outcome};
use coffer::identity::RequestMeta;
use coffer::tokens::actions::TOKEN_REVOKE;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::startup::Place;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::on_both_engines;
use crate::tokens::token;

/// Runs SQL past coffer, all of it or nothing.
async fn past_coffer(app: &App, statements: &[&str]) -> sqlx::Result<()> {
    let mut tx = app.coffer.db.begin().await?;
    for sql in statements {
        let sql = sqlx::AssertSqlSafe((*sql).to_owned());
        match tx.conn() {
            coffer::db::Engine::Postgres(conn) => sqlx::query(sql).execute(conn).await.map(drop)?,
            coffer::db::Engine::Sqlite(conn) => sqlx::query(sql).execute(conn).await.map(drop)?,
        }
    }
    tx.commit().await
}

/// As an attacker with the database would: first the triggers go.
async fn tamper(app: &App, statements: &[&str]) {
    let triggers: &[&str] = match app.engine {
        Engine::Sqlite => &["DROP TRIGGER audit_events_no_update", "DROP TRIGGER audit_events_no_delete"],
        Engine::Postgres => &["DROP TRIGGER audit_events_append_only ON audit_events"],
    };
    past_coffer(app, &[triggers, statements].concat()).await.expect("the database obeys its owner");
}

/// Six events, and an admin to look at them.
async fn six_events(app: &App) -> Actor {
    let admin = app.admin("root").await;
    app.signed_in("ada").await;
    app.signed_in("bob").await;
    let verified = app.coffer.audit_reader.verify().await.expect("a trail");
    assert_eq!((verified.events, verified.fault), (6, None));
    admin
}

/// Everything an admin sees of the trail, as JSON, the newest first.
async fn events(admin: &Actor, query: &str) -> Vec<Value> {
    let page = admin.get(&format!("/api/v1/admin/audit{query}")).await.ok().json();
    page["items"].as_array().expect("a list").clone()
}

on_both_engines!(the_database_itself_refuses_to_rewrite_the_trail);
async fn the_database_itself_refuses_to_rewrite_the_trail(app: App) {
    six_events(&app).await;
    for sql in [
        "UPDATE audit_events SET outcome = 'done'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE seq = 2",
    ] {
        let refused = past_coffer(&app, &[sql]).await.expect_err(sql);
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    assert_eq!(app.coffer.audit_reader.verify().await.expect("a trail").fault, None);
}

/// `name::sqlite` and `name::postgres`: after these statements this fault is found, and the page tells it.
macro_rules! finds {
    ($name:ident, $fault:expr, $($sql:expr),+) => {
        on_both_engines!($name);
        async fn $name(app: App) {
            let admin = six_events(&app).await;
            tamper(&app, &[$($sql),+]).await;
            let verified = app.coffer.audit_reader.verify().await.expect("a trail");
            assert_eq!(verified.fault, Some($fault));
            admin.get("/admin/audit").await.ok().has(".notice.alarm h2", &format!("broken: {}", $fault));
        }
    };
}

finds!(a_changed_outcome, Fault::Changed(3), "UPDATE audit_events SET outcome = 'refused' WHERE seq = 3");
finds!(a_changed_actor, Fault::Changed(2), "UPDATE audit_events SET actor_id = NULL WHERE seq = 2");
finds!(a_changed_target, Fault::Changed(1), "UPDATE audit_events SET target = '' WHERE seq = 1");
finds!(a_changed_request, Fault::Changed(6), "UPDATE audit_events SET request_id = 'x' WHERE seq = 6");
finds!(a_changed_network, Fault::Changed(2), "UPDATE audit_events SET network = NULL WHERE seq = 2");
finds!(
    a_changed_time,
    Fault::Changed(5),
    "UPDATE audit_events SET at = (SELECT at FROM audit_events WHERE seq = 1) WHERE seq = 5"
);
finds!(a_removed_event, Fault::Missing(4), "DELETE FROM audit_events WHERE seq = 4");
finds!(a_removed_beginning, Fault::Missing(1), "DELETE FROM audit_events WHERE seq <= 2");
finds!(
    two_events_in_each_others_place,
    Fault::Changed(2),
    "UPDATE audit_events SET seq = 100 WHERE seq = 2",
    "UPDATE audit_events SET seq = 2 WHERE seq = 3",
    "UPDATE audit_events SET seq = 3 WHERE seq = 100"
);
finds!(
    a_gap_closed_by_renumbering,
    Fault::Changed(2),
    "DELETE FROM audit_events WHERE seq = 2",
    "UPDATE audit_events SET seq = 2 WHERE seq = 6"
);
// Each event is as it was written and in its place, but one is of another past: of the time before a backup was restored.
on_both_engines!(an_event_of_another_past);
async fn an_event_of_another_past(app: App) {
    six_events(&app).await;
    let sixth = "CREATE TABLE kept AS SELECT * FROM audit_events WHERE seq = 6";
    let back = "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit_events WHERE seq = 5)";
    tamper(&app, &[sixth, "DELETE FROM audit_events WHERE seq = 6", back]).await;
    app.another_browser_of("ada").await;
    app.another_browser_of("bob").await;
    assert_eq!(app.coffer.audit_reader.verify().await.expect("a trail").fault, None);
    let swap = [
        "DELETE FROM audit_events WHERE seq = 6",
        "INSERT INTO audit_events SELECT * FROM kept",
        "DROP TABLE kept",
    ];
    past_coffer(&app, &swap).await.expect("the database obeys its owner");
    assert_eq!(app.coffer.audit_reader.verify().await.expect("a trail").fault, Some(Fault::Changed(7)));
}

finds!(a_trail_cut_short, Fault::Cut(5), "DELETE FROM audit_events WHERE seq >= 5");
finds!(an_empty_trail, Fault::Cut(1), "DELETE FROM audit_events");
finds!(
    a_cut_with_the_head_set_back,
    Fault::Changed(4),
    "DELETE FROM audit_events WHERE seq >= 5",
    "UPDATE audit_head SET seq = 4"
);
finds!(a_head_set_back, Fault::Added(5), "UPDATE audit_head SET seq = 4");
finds!(
    an_invented_event,
    Fault::Changed(7),
    "INSERT INTO audit_events (seq, at, actor_id, action, target, outcome, network, request_id, previous, hash)
        SELECT 7, at, actor_id, action, target, outcome, network, request_id, hash, hash FROM audit_events WHERE seq = 6"
);

on_both_engines!(twenty_failed_logins_at_once_are_one_chain);
async fn twenty_failed_logins_at_once_are_one_chain(app: App) {
    let admin = app.admin("root").await;
    let tries = (0..20).map(|_| async {
        app.visitor()
            .post_form("/login", &[("login", "root"), ("password", "not the password")])
            .await
            .is(422)
    });
    join_all(tries).await;
    let refused = events(&admin, "?outcome=refused&limit=200").await;
    let numbers: Vec<i64> = refused.iter().map(|event| event["seq"].as_i64().expect("a number")).collect();
    assert_eq!(numbers, (3..=22).rev().collect::<Vec<_>>());
    assert!(refused.iter().all(|event| event["actor"].is_null() && event["target_name"] == "root"));
    let verified = app.coffer.audit_reader.verify().await.expect("a trail");
    assert_eq!((verified.events, verified.fault), (22, None));
}

on_both_engines!(admins_filter_by_action_person_outcome_and_day);
async fn admins_filter_by_action_person_outcome_and_day(app: App) {
    let admin = six_events(&app).await;
    app.visitor().post_form("/login", &[("login", "ada"), ("password", "wrong")]).await.is(422);
    let today = app.now().rfc3339()[..10].to_owned();
    for (query, count) in [
        (String::new(), 7),
        ("?action=login".to_owned(), 4),
        ("?action=login&outcome=refused".to_owned(), 1),
        ("?person=ada".to_owned(), 3),
        ("?person=Ada%40Example.org&outcome=done".to_owned(), 2),
        (format!("?from={today}&to={today}"), 7),
        ("?to=2020-01-01".to_owned(), 0),
        ("?from=9000-01-01".to_owned(), 0),
    ] {
        assert_eq!(events(&admin, &query).await.len(), count, "{query}");
        let page = admin.get(&format!("/admin/audit{query}")).await.ok();
        assert_eq!(page.texts("tbody tr").len(), count, "{query}");
    }
}

on_both_engines!(what_an_event_is_about_is_a_noun_that_leads_to_its_history);
async fn what_an_event_is_about_is_a_noun_that_leads_to_its_history(app: App) {
    let admin = app.admin("root").await;
    token(&app, "root", &["account:read"]).await;
    let page = admin.get("/admin/audit?action=token.create").await.ok();
    let about = page.texts("td[data-label=About]").remove(0);
    assert!(about.starts_with("API token ") && about.len() == "API token 0123abcd".len(), "{about}");
    let history = page.attributes("td[data-label=About] a", "href").remove(0);
    let history = admin.get(&history).await.ok();
    assert_eq!(history.texts("td.card-title"), ["Created an API token"]);
    app.visitor().post_form("/login", &[("login", "ghost"), ("password", "wrong")]).await.is(422);
    let refused = admin.get("/admin/audit?outcome=refused").await.ok();
    refused.has("td", "not logged in").has("td", "no known account");
}

on_both_engines!(a_filter_that_makes_no_sense_is_named_and_kept);
async fn a_filter_that_makes_no_sense_is_named_and_kept(app: App) {
    let admin = app.admin("root").await;
    for (field, value) in [
        ("action", "fly"),
        ("outcome", "perhaps"),
        ("person", "nobody%00"),
        ("from", "yesterday"),
        ("to", "2026-13-01"),
    ] {
        let query = format!("?{field}={value}");
        admin.get(&format!("/admin/audit{query}")).await.is(422).has(&format!("#{field}-error"), ".");
        admin.get(&format!("/api/v1/admin/audit{query}")).await.invalid(field);
    }
    admin.get("/admin/audit?person=ghost").await.is(422).holds("person", "ghost");
    admin.get("/api/v1/admin/audit?limit=0").await.invalid("limit");
    admin.get("/api/v1/admin/audit?cursor=x").await.is(400).problem("bad_cursor");
    admin.get("/api/v1/admin/audit?color=red").await.is(400).problem("bad_parameter");
}

on_both_engines!(every_event_is_on_exactly_one_page);
async fn every_event_is_on_exactly_one_page(app: App) {
    let admin = six_events(&app).await;
    let (mut seen, mut query) = (Vec::new(), "?limit=4".to_owned());
    loop {
        let page = admin.get(&format!("/api/v1/admin/audit{query}")).await.ok().json();
        seen.extend(page["items"].as_array().expect("a list").iter().map(|event| event["seq"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=4&cursor={cursor}");
    }
    assert_eq!(json!(seen), json!([6, 5, 4, 3, 2, 1]));
    let page = admin.get("/admin/audit?limit=4").await.ok();
    let next = page.attributes("a[rel=next]", "href").remove(0);
    assert_eq!(admin.get(&next).await.ok().texts("tbody tr").len(), 2);
}

on_both_engines!(the_download_holds_everything_and_no_formula);
async fn the_download_holds_everything_and_no_formula(app: App) {
    let admin = six_events(&app).await;
    let event = Event {
        action: TOKEN_REVOKE,
        actor: None,
        target: "=cmd|' /C calc'!\"A1\"".into(),
        outcome: Outcome::Done,
    };
    app.coffer.accounts.note(&RequestMeta::default(), &event).await.expect("a seventh event");
    let file = admin.get("/admin/audit.csv").await.ok().header_is("content-type", "text/csv; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"coffer-audit.csv\"");
    let text = file.text();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!((lines.len(), lines[8]), (9, ""), "a head and seven events, each with its end");
    assert!(lines[0].starts_with("\"event\",\"at\",\"action\""));
    assert!(lines[1].contains(",\"'=cmd|' /C calc'!\"\"A1\"\"\","), "{}", lines[1]);
    admin.get("/admin/audit.csv?person=ada").await.ok().text_has("\"ada\"").lacks("\"bob\"");
    admin.get("/admin/audit.csv?from=never").await.is(422);

    let program = |token: String| {
        let asks = app.visitor();
        async move {
            let path = "/api/v1/admin/audit.csv?person=ada";
            asks.get(path).header("authorization", format!("Bearer {token}")).await
        }
    };
    let reads = token(&app, "root", &["admin:read"]).await;
    program(reads)
        .await
        .ok()
        .header_is("content-type", "text/csv; charset=utf-8")
        .text_has("\"ada\"")
        .lacks("\"bob\"");
    program(token(&app, "root", &["account:read"]).await).await.is(403);
}

on_both_engines!(a_download_arrives_whole_however_it_is_packed);
async fn a_download_arrives_whole_however_it_is_packed(app: App) {
    let admin = six_events(&app).await;
    let all_empty = "/api/v1/admin/audit.csv?action=&person=&outcome=&from=&to=";
    let plain = admin.get(all_empty).await.ok().bytes().to_vec();
    assert_eq!(String::from_utf8_lossy(&plain).lines().count(), 7, "a head and six events");
    admin.get("/api/v1/admin/audit.csv?limit=1").await.is(400).problem("bad_parameter");
    for path in [all_empty, "/admin/audit.csv", "/api/v1/export?format=json", "/api/v1/export?format=html"] {
        let packed = admin.get(path).header("accept-encoding", "br, gzip").await.ok();
        packed.header_is("content-encoding", "gzip");
    }
    let packed = admin.get(all_empty).header("accept-encoding", "gzip").await.ok();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(packed.bytes()).read_to_end(&mut text).expect("a whole file");
    assert_eq!(text, plain);
}

on_both_engines!(an_exported_trail_is_verified_elsewhere);
async fn an_exported_trail_is_verified_elsewhere(app: App) {
    six_events(&app).await;
    let mut text = Vec::new();
    app.coffer.audit_reader.export(&mut text).await.expect("a trail");
    let text = String::from_utf8(text).expect("text");
    assert_eq!(text.lines().count(), 8, "a head, six events and the end");
    let key = fs::read_to_string(app.data_dir().join("secret.key")).expect("a key");
    let verify = |text: &str, key: &str| {
        let elsewhere = Place::new();
        fs::write(elsewhere.path("trail"), text).expect("a file");
        let output =
            elsewhere.run(&["audit", "verify", "--file", "trail"], &[("COFFER_SECRET_KEY", key.trim())]);
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    assert!(verify(&text, &key).contains("intact: 6 events"), "{}", verify(&text, &key));
    let lines: Vec<&str> = text.lines().collect();
    let without = |left_out: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, line)| *line);
        kept.collect::<Vec<_>>().join("\n")
    };
    for (forged, sentence) in [
        (without(2), "event 2 was removed"),
        (without(6), "the trail was cut off from event 6 on"),
        (without(7), "is incomplete"),
        (without(0), "is not from `coffer audit export`"),
        (text.replacen("\"outcome\":\"done\"", "\"outcome\":\"refused\"", 1), "event 1 was changed"),
        (
            text.replacen(&format!("{}\n{}", lines[3], lines[4]), &format!("{}\n{}", lines[4], lines[3]), 1),
            "event 3 was removed",
        ),
    ] {
        assert!(verify(&forged, &key).contains(sentence), "{sentence}: {}", verify(&forged, &key));
    }
    assert!(verify(&text, &"ab".repeat(32)).contains("was exported with the key"));
}

on_both_engines!(what_is_private_is_nowhere_in_the_trail, "--signup=open");
async fn what_is_private_is_nowhere_in_the_trail(app: App) {
    let admin = app.admin("root").await;
    let ada = app.signed_in("ada").await;
    ada.saves(json!({ "title": "Canary-title", "body": "Canary-body", "visibility": "private" })).await;
    app.visitor()
        .post_form("/login", &[("login", "Canary-login"), ("password", "Canary-password")])
        .await
        .is(422);
    app.visitor().post_form("/login", &[("login", "ada"), ("password", "Canary-password")]).await.is(422);
    for path in
        ["/admin/audit", "/admin/audit.csv", "/api/v1/admin/audit", "/admin/users", "/api/v1/admin/users"]
    {
        admin.get(path).await.ok().lacks("Canary").lacks("127.0.0.1").lacks(PASSWORD);
    }
}

on_both_engines!(only_admins_read_the_trail);
async fn only_admins_read_the_trail(app: App) {
    let member = app.signed_in("member").await;
    for path in ["/admin/audit", "/admin/audit.csv", "/admin/audit?check=now"] {
        member.get(path).await.error_page(404);
        assert_eq!(app.visitor().get(path).await.status(), 303, "{path}");
    }
    member.get("/api/v1/admin/audit").await.is(404).problem("not_found");
    app.visitor().get("/api/v1/admin/audit").await.is(401).problem("sign_in_required");
}

on_both_engines!(everybody_sees_what_happened_to_their_own_account, "--trusted-proxies=127.0.0.1");
async fn everybody_sees_what_happened_to_their_own_account(app: App) {
    app.signed_in("bob").await;
    let ada = app.signed_in("ada").await;
    let wrong = [("login", "ada@example.org"), ("password", "wrong")];
    app.visitor().post_form("/login", &wrong).header("x-forwarded-for", "198.51.100.7").await.is(422);
    let page = ada.get("/settings/activity").await.ok();
    let rows = page.texts(".events li");
    assert_eq!(rows.len(), 3, "{rows:?}");
    for (row, words) in rows.iter().zip([
        ["Failed to log in", "Not logged in", "another network"],
        ["Logged in", "You", "this network"],
        ["Created an account for someone", "The operator, on the server", "UTC"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{row}");
    }
    page.lacks("bob");
    app.visitor().get("/settings/activity").await.redirects_to("/login?next=%2Fsettings%2Factivity");
}

on_both_engines!(an_admins_doing_is_told_without_their_whereabouts);
async fn an_admins_doing_is_told_without_their_whereabouts(app: App) {
    let admin = app.admin("root").await;
    let ada = app.signed_in("ada").await;
    let id = ada.get("/api/v1/me").await.ok().json()["id"].as_str().expect("an id").to_owned();
    admin.post_form(&format!("/admin/users/{id}/role"), &[("role", "admin")]).await.is(303);
    let rows = ada.get("/settings/activity").await.ok().texts(".events li");
    assert!(rows[0].contains("Changed a role") && rows[0].contains("An administrator"), "{rows:?}");
    assert!(!rows[0].contains("network") && !rows[0].contains("root"), "{rows:?}");
}

on_both_engines!(a_long_trail_is_checked_when_asked);
async fn a_long_trail_is_checked_when_asked(app: App) {
    let admin = app.admin("root").await;
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    let event = Event { action: LOG_IN, actor: None, target: String::new(), outcome: Outcome::Refused };
    for _ in 0..2_500 {
        app.coffer.auth.audit.record(&mut tx, &RequestMeta::default(), &event).await.expect("an event");
    }
    tx.commit().await.expect("they stay");
    admin.get("/admin/audit").await.ok().has("button", "Check now").lacks("intact");
    admin.get("/admin/audit?check=now").await.ok().has(".notice", "The chain is intact: 2502 events");
    let lines = admin.get("/admin/audit.csv").await.ok().text().lines().count();
    assert_eq!(lines, 2_503);
}
