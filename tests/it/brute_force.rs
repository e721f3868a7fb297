//! Guessing passwords, codes and links: few guesses pass, no one is locked out by another person's guesses, and no answer tells
//! who has an account.

use std::time::Duration;

use coffer::identity::Role;
use coffer::limiter::verdict::Tier;
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt as _};
use reqwest::Method;
use serde_json::json;

use crate::enumeration::seen;
use crate::invites::invited_by;
use crate::limits::{from, told};
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, Engine, Node, PASSWORD};
use crate::support::on_both_engines;
use crate::support::wait::eventually;
use crate::tokens::token;

const WRONG: &str = "wrong horse battery";
/// The first delay is long enough for a busy machine.
const BY_ACCOUNT: &str = "--rate-limit-login-account=5 then 1min to 15min";
const BEHIND_PROXY: &str = "--trusted-proxies=127.0.0.1";

async fn guesses(visitor: &Actor, name: &str) -> Answer {
    visitor.post_form("/login", &[("login", name), ("password", WRONG)]).await
}

/// How many of these guesses were looked at.
async fn looked_at(app: &App, name: &str, times: usize) -> usize {
    let mut passed = 0;
    for _ in 0..times {
        passed += usize::from(guesses(&app.visitor(), name).await.status() == 422);
    }
    passed
}

/// Failed logins in the trail: each was a password that was verified.
async fn verified(app: &App) -> usize {
    let root = app.admin("root").await;
    let events = root.get("/api/v1/admin/audit?action=login&outcome=refused&limit=200").await.ok().json();
    events["items"].as_array().expect("a list").len()
}

on_both_engines!(a_hundred_parallel_guesses_are_five_verified, super::BY_ACCOUNT);
async fn a_hundred_parallel_guesses_are_five_verified(app: App) {
    app.has_account("ada", Role::Member).await;
    let visitor = app.visitor();
    let answers = join_all((0..100).map(|_| guesses(&visitor, "ada"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 422).count(), 5);
    assert!(answers.iter().all(|answer| [422, 429].contains(&answer.status())));
    assert_eq!(verified(&app).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_verify_five_guesses_together() {
    let app = App::with_limits(Engine::Postgres, &[BY_ACCOUNT, "--rate-limit-patience=10000"]).await;
    app.has_account("ada", Role::Member).await;
    let (second, third) = (app.another_node().await, app.another_node().await);
    let nodes: [&Node; 3] = [&app, &second, &third];
    for node in nodes {
        let exact = async || match (node.coffer.limiter.tier(), node.coffer.limiter.nodes()) {
            (Tier::Exact, 3) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        eventually(Duration::from_secs(20), exact).await.expect("three nodes that know of each other");
    }
    let visitors = nodes.map(Node::visitor);
    join_all((0..90).map(|n| guesses(&visitors[n % 3], "ada"))).await;
    assert_eq!(verified(&app).await, 5);
}

on_both_engines!(
    a_success_costs_nothing,
    super::BY_ACCOUNT,
    "--rate-limit-login-address=5/15min",
    "--rate-limit-login-pair=5/15min",
    "--rate-limit-login-accounts=2/h"
);
async fn a_success_costs_nothing(app: App) {
    app.has_account("ada", Role::Member).await;
    let form = [("login", "ada"), ("password", PASSWORD)];
    for _ in 0..12 {
        app.visitor().post_form("/login", &form).await.redirects_to("/resources");
    }
    let token = json!({ "login": "ada", "password": PASSWORD });
    for _ in 0..12 {
        app.visitor().json(Method::POST, "/api/v1/auth/token", token.clone()).await.ok();
    }
    assert_eq!(looked_at(&app, "ada", 7).await, 5);
}

on_both_engines!(a_refused_login_does_not_tell_who_has_an_account, super::BY_ACCOUNT);
async fn a_refused_login_does_not_tell_who_has_an_account(app: App) {
    app.has_account("known", Role::Member).await;
    let mut heard = Vec::new();
    for name in ["known", "nobod"] {
        let mut of_name = Vec::new();
        for _ in 0..8 {
            let answer = guesses(&app.visitor(), name).await;
            // How long to wait has some chance in it.
            let wait = [answer.header("retry-after"), words_of_wait(&answer)];
            let (status, headers, text) = seen(&answer, &[name, &wait[1]]);
            let headers: Vec<_> = headers
                .into_iter()
                .filter(|(name, _)| name != "retry-after" && name != "ratelimit")
                .collect();
            let left = told(&answer, "ratelimit", "r");
            of_name.push((status, headers, left, text.replace(&format!("\"{}\"", wait[0]), "")));
        }
        heard.push(of_name);
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0].iter().filter(|(status, ..)| *status == 429).count(), 3);
}

/// The words that say how long to wait.
fn words_of_wait(answer: &Answer) -> String {
    answer.texts("[data-countdown]").concat()
}

on_both_engines!(names_are_counted_however_they_are_written, super::BY_ACCOUNT);
async fn names_are_counted_however_they_are_written(app: App) {
    app.has_account("ada", Role::Member).await;
    let mut passed = 0;
    for name in ["ada", "ADA", " Ada ", "\u{ff21}da", "aDa", "adA", "AdA"] {
        passed += looked_at(&app, name, 1).await;
    }
    assert_eq!(passed, 5);
}

on_both_engines!(
    an_attack_keeps_nobody_out_of_their_own_browser,
    super::BY_ACCOUNT,
    "--rate-limit-login-device=5/15min"
);
async fn an_attack_keeps_nobody_out_of_their_own_browser(app: App) {
    let ada = app.signed_in("ada").await;
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    assert_eq!(looked_at(&app, "ada", 50).await, 5);
    let form = [("login", "ada"), ("password", PASSWORD)];
    app.visitor().post_form("/login", &form).await.error_page(429);
    ada.post_form("/login", &form).await.redirects_to("/resources");
    ada.learns_token().await;
    let mut own = 0;
    while guesses(&ada, "ada").await.status() == 422 {
        own += 1;
    }
    assert_eq!(own, 5, "her browser's own allowance");
    app.later(Duration::from_mins(4));
    ada.post_form("/login", &form).await.redirects_to("/resources");
}

on_both_engines!(a_browser_is_known_only_to_those_who_have_used_it, super::BY_ACCOUNT);
async fn a_browser_is_known_only_to_those_who_have_used_it(app: App) {
    let eve = app.signed_in("eve").await;
    app.has_account("ada", Role::Member).await;
    let mut passed = 0;
    for _ in 0..8 {
        passed += usize::from(guesses(&eve, "ada").await.status() == 422);
    }
    assert_eq!(passed, 5, "eve's cookie is nothing to ada's account");
    let forged = app.visitor();
    forged.sets_cookie("__Host-coffer-device", "made-up");
    guesses(&forged, "ada").await.error_page(429);
}

on_both_engines!(the_delay_doubles_and_is_told, super::BY_ACCOUNT);
async fn the_delay_doubles_and_is_told(app: App) {
    assert_eq!(looked_at(&app, "ada", 5).await, 5);
    for delay in [60, 120, 240, 480, 900, 900] {
        let refused = guesses(&app.visitor(), "ada").await.error_page(429);
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((delay - 10..delay + 16).contains(&wait), "{wait} for {delay}");
        app.later(Duration::from_secs(delay));
        assert_eq!(looked_at(&app, "ada", 1).await, 1, "after {delay} s");
    }
    app.later(Duration::from_mins(31));
    assert_eq!(looked_at(&app, "ada", 9).await, 5, "forgotten");
}

on_both_engines!(one_address_tries_few_names, super::BEHIND_PROXY, "--rate-limit-login-accounts=10/h");
async fn one_address_tries_few_names(app: App) {
    let spray = async |address: &str, name: &str| {
        let form = [("login", name), ("password", WRONG)];
        let visitor = app.visitor();
        visitor.post_form("/login", &form).header("x-forwarded-for", address).await.status()
    };
    for name in 0..10 {
        assert_eq!(spray("198.51.100.7", &format!("name{name}")).await, 422);
    }
    assert_eq!(spray("198.51.100.7", "one-more").await, 429);
    assert_eq!(spray("198.51.100.7", "name3").await, 422, "one of the ten");
    assert_eq!(spray("198.51.100.8", "one-more").await, 422, "from elsewhere");
}

on_both_engines!(programs_are_told_by_a_problem, "--rate-limit-login-pair=2/15min");
async fn programs_are_told_by_a_problem(app: App) {
    let program = app.visitor();
    let token = json!({ "login": "ada", "password": WRONG });
    for _ in 0..2 {
        program.json(Method::POST, "/api/v1/auth/token", token.clone()).await.is(401);
    }
    let refused =
        program.json(Method::POST, "/api/v1/auth/token", token).await.is(429).problem("too_many_requests");
    assert_eq!(refused.json()["violated-policies"], json!(["login-pair"]));
    let left = told(&refused, "ratelimit", "r");
    assert!(left.contains(&("login-pair".to_owned(), 0)), "{left:?}");
    assert!(left.iter().any(|(name, left)| name == "api" && *left > 0), "{left:?}");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((430..=466).contains(&wait), "{wait}");
}

on_both_engines!(codes_are_guessed_slowly, "--rate-limit-second-factor=7/15min");
async fn codes_are_guessed_slowly(app: App) {
    let ada = app.signed_in("ada").await;
    let (phone, recovery) = ada.sets_up_second_factor(&app).await;
    app.later(Duration::from_mins(2));
    let mut looked_at = 0;
    for kind in ["000000", "AAAA-BBBB-CCCC"] {
        let thief = Actor::new("ada", &app);
        thief.gives_password().await;
        for _ in 0..4 {
            looked_at += usize::from(thief.gives_code(kind).await.status() == 422);
        }
    }
    assert_eq!(looked_at, 7, "over all logins, recovery codes too");
    let late = Actor::new("ada", &app);
    late.gives_password().await;
    late.gives_code(&phone.code(app.now()))
        .await
        .error_page(429)
        .has("[data-countdown]", "You can try again in");
    app.later(Duration::from_mins(3));
    late.gives_code(&recovery[0]).await.redirects_to("/tags");
}

on_both_engines!(whoever_sits_at_an_open_session_guesses_no_password, "--rate-limit-sudo=3/15min");
async fn whoever_sits_at_an_open_session_guesses_no_password(app: App) {
    let ada = app.admin("ada").await;
    app.later(Duration::from_mins(11));
    ada.post_form("/settings/password", &[("current_password", WRONG), ("password", "staple orbit lantern")])
        .await
        .is(422);
    for _ in 0..2 {
        ada.post_form("/sudo", &[("next", "/tags"), ("sudo_password", WRONG)]).await.is(422);
    }
    let right = [("next", "/tags"), ("sudo_password", PASSWORD)];
    ada.post_form("/sudo", &right).await.error_page(429).lacks(PASSWORD);
    app.later(Duration::from_mins(6));
    ada.post_form("/sudo", &right).await.redirects_to("/tags");
}

const OPEN: &str = "--signup=open";

async fn registers(visitor: &Actor, path: &str, name: &str, address: &str) -> u16 {
    let email = format!("{name}@example.org");
    let form = [("email", email.as_str()), ("username", name), ("password", PASSWORD)];
    visitor.without_cookies().post_form(path, &form).header("x-forwarded-for", address).await.status()
}

on_both_engines!(
    accounts_are_made_slowly,
    super::OPEN,
    super::BEHIND_PROXY,
    "--rate-limit-register-address=2/h",
    "--rate-limit-register-network=3/h"
);
async fn accounts_are_made_slowly(app: App) {
    let visitor = app.visitor();
    let weak = [("email", "a@example.org"), ("username", "ada"), ("password", "short")];
    for _ in 0..4 {
        visitor.post_form("/register", &weak).header("x-forwarded-for", "198.51.100.7").await.is(422);
    }
    let from = async |name: &str, address: &str| registers(&visitor, "/register", name, address).await;
    assert_eq!(from("ada", "198.51.100.7").await, 303, "what is not right yet costs nothing");
    assert_eq!(from("bob", "198.51.100.7").await, 303);
    assert_eq!(from("carol", "198.51.100.7").await, 429);
    let link = invited_by(&app.admin("root").await).await;
    assert_eq!(registers(&visitor, &link, "dave", "198.51.100.7").await, 429, "by invitation too");
    assert_eq!(registers(&visitor, &link, "dave", "198.51.100.8").await, 303);
    for house in 1..4 {
        assert_eq!(from(&format!("six-{house}"), &format!("2001:db8:0:{house}::1")).await, 303);
    }
    assert_eq!(from("six-4", "2001:db8:0:4::1").await, 429, "one /48");
}

on_both_engines!(
    an_address_gets_few_letters,
    super::BEHIND_PROXY,
    "--rate-limit-reset-email=3/h",
    "--rate-limit-reset-address=5/h"
);
async fn an_address_gets_few_letters(app: App) {
    app.has_account("ada", Role::Member).await;
    let visitor = app.visitor();
    let asks = async |email: &str, address: &str| {
        let ask = visitor.post_form("/password/forgot", &[("email", email)]);
        ask.header("x-forwarded-for", address).await
    };
    for email in ["ada@example.org", "nobody@example.org"] {
        for n in 0..3 {
            asks(email, &format!("198.51.100.{n}")).await.ok();
        }
        let refused = asks(&email.to_uppercase(), "198.51.100.9").await.error_page(429);
        refused.has("button", "Try again").holds("email", &email.to_uppercase());
    }
    for n in 0..3 {
        asks(&format!("n{n}@example.org"), "198.51.100.0").await.ok();
    }
    asks("n4@example.org", "198.51.100.0").await.error_page(429);
    app.all_is_sent().await;
    assert_eq!(app.letters_to("ada@example.org").await.len(), 3);
}

on_both_engines!(confirmations_are_asked_for_slowly, "--rate-limit-letter-account=3/h");
async fn confirmations_are_asked_for_slowly(app: App) {
    let ada = app.signed_in("ada").await;
    for n in 0..3 {
        let email = format!("new{n}@example.org");
        ada.post_form("/settings/email", &[("email", email.as_str())])
            .await
            .redirects_to("/settings/profile");
    }
    ada.post_form("/settings/email/resend", &[]).await.error_page(429);
    ada.post_form("/settings/email", &[("email", "new9@example.org")]).await.error_page(429);
}

on_both_engines!(a_token_has_a_pace_of_its_own, "--rate-limit-token=1/min burst 20", "--rate-limit-api=1/h");
async fn a_token_has_a_pace_of_its_own(app: App) {
    app.has_account("ada", Role::Member).await;
    let token = token(&app, "ada", &["resources:read"]).await;
    let program = app.visitor();
    let asks = || program.get("/api/v1/resources").header("authorization", format!("Bearer {token}"));
    let answers = join_all((0..30).map(|_| async { asks().await })).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 20);
    let refused = answers.iter().find(|answer| answer.status() == 429).expect("one too many");
    assert_eq!(refused.json()["violated-policies"], json!(["token"]));
    app.later(Duration::from_mins(1));
    asks().await.ok();
}

on_both_engines!(administration_has_a_pace_of_its_own, "--rate-limit-admin=3/h");
async fn administration_has_a_pace_of_its_own(app: App) {
    let root = app.admin("root").await;
    root.get("/admin/users").await.ok();
    root.get("/api/v1/admin/users").await.ok();
    let last = root.post_form("/admin/invites", &[]).await.redirects_to("/admin/invites");
    assert!(told(&last, "ratelimit", "r").contains(&("admin".to_owned(), 0)));
    root.get("/admin/users").await.error_page(429);
    root.get("/api/v1/admin/users").await.is(429).problem("too_many_requests");
    root.get("/resources").await.ok();
    app.another_browser_of("root").await.get("/admin/users").await.ok();
    let member = app.signed_in("ada").await;
    for _ in 0..5 {
        member.get("/admin/users").await.error_page(404);
    }
}

/// More than the hashes that run and those that may wait for them, each of which takes half a second, so that no
/// machine ends them as fast as they come.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_logins_is_told_to_come_back() {
    let app = App::with(Engine::Sqlite, &["--password-memory=65536", "--password-passes=20"]).await;
    let visitor = app.visitor();
    let guess = async |n: usize| {
        let name = format!("name{n}");
        visitor.post_form("/login", &[("login", &name), ("password", WRONG)]).expecting_trouble().await
    };
    let mut storm: FuturesUnordered<_> = (0..300).map(&guess).collect();
    let busy = loop {
        let answer = storm.next().await.expect("one too many");
        if answer.status() != 422 {
            break answer;
        }
    };
    assert_eq!((busy.status(), busy.header("retry-after").as_str()), (503, "5"));
    // Whoever goes away waits no longer.
    drop(storm);
    let answered = eventually(Duration::from_secs(30), async || match guess(300).await.status() {
        422 => Ok(()),
        status => Err(status),
    });
    answered.await.expect("an answer to whoever comes later");
}

on_both_engines!(what_was_refused_can_be_sent_again, super::BEHIND_PROXY, "--rate-limit-session=20/h");
async fn what_was_refused_can_be_sent_again(app: App) {
    let ada = app.signed_in("ada").await;
    while from(&ada, "198.51.100.7", "/tags").await.status() == 200 {}
    let form = [("title", "High water"), ("body", "Every <b> word\nof it"), ("kind", "note")];
    let refused =
        ada.post_form("/resources", &form).header("x-forwarded-for", "198.51.100.7").await.error_page(429);
    let names = refused.attributes("main form input", "name");
    let values = refused.attributes("main form input", "value");
    assert_eq!(refused.attributes("main form", "action"), ["/resources"]);
    let held: Vec<_> = names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
    let without_token: Vec<_> = held.iter().filter(|(name, _)| *name != "csrf").copied().collect();
    app.later(Duration::from_mins(7));
    let saved =
        ada.post_form("/resources", &without_token).header("x-forwarded-for", "198.51.100.7").await.is(303);
    ada.get(&saved.header("location")).await.ok().has("h1", "High water").text_has("word");
}

on_both_engines!(a_form_from_elsewhere_is_not_given_back, "--rate-limit-pages=1/h");
async fn a_form_from_elsewhere_is_not_given_back(app: App) {
    let visitor = app.visitor();
    visitor.get("/login").await.ok();
    let form = [("title", "Planted"), ("body", "by another site")];
    let refused = visitor.post_form("/resources", &form).header("sec-fetch-site", "cross-site").await;
    refused.error_page(429).lacks("Planted").has_no("main form");
}
