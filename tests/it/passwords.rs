//! Passwords: what is refused, what is said while one types, and hashes that keep up with the parameters.

use std::time::{Duration, Instant};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use coffer::accounts::store;
use coffer::identity::Role;

use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;
use crate::support::wait::eventually;

fn account(password: &str) -> [(&str, &str); 4] {
    [
        ("email", "ada@example.org"),
        ("username", "ada-lovelace"),
        ("display_name", "Ada L."),
        ("password", password),
    ]
}

on_both_engines!(what_is_easy_to_guess_is_refused, "--signup=open");
async fn what_is_easy_to_guess_is_refused(app: App) {
    let ada = app.visitor();
    for (bad, why) in [
        ("elevenchars", "12 characters"),
        (&"x".repeat(257), "256 characters"),
        (&"e\u{301}".repeat(11), "12 characters"),
        ("1q2w3e4r5t6y", "too common"),
        ("QWERTYqwerty", "too common"),
        ("passwordpassword", "too common"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("ada-lovelace1", "your name"),
        ("coffercoffercoffer", "name of this site"),
        ("\0\0\0\0\0\0\0\0\0\0\0\0\0", "null character"),
    ] {
        ada.post_form("/register", &account(bad)).await.is(422).has("#password-error", why);
    }
    ada.post_form("/register", &account("žluťoučký kůň pěl")).await.redirects_to("/resources");
}

on_both_engines!(strength_is_said_while_one_types, "--signup=open");
async fn strength_is_said_while_one_types(app: App) {
    let visitor = app.visitor();
    let register = visitor.get("/register").await.ok().has("#password-help", "12 to 256 characters");
    assert_eq!(register.attributes("#password", "hx-post"), ["/password/strength"]);
    for (typed, score, said) in [
        ("short", "", "at least 12"),
        ("1q2w3e4r5t6y", "0", "too common"),
        ("quiet harbour at nine o'clock", "4", "Very strong"),
        ("ada-lovelace1", "0", "your name"),
    ] {
        let said =
            visitor.post_form("/password/strength", &account(typed)).by_htmx().await.ok().has("p", said);
        assert!(said.attributes("meter", "value").concat().contains(score), "{said}");
        assert!(!said.text().contains(typed), "it is not given back");
    }
    assert_eq!(visitor.post_form("/password/strength", &account("")).await.ok().text(), "");
    visitor
        .post_form("/password/strength", &account(PASSWORD))
        .header("sec-fetch-site", "cross-site")
        .await
        .is(403);
    let member = app.signed_in("member").await;
    member
        .post_form("/password/strength", &[("password", "member@example.org")])
        .await
        .ok()
        .has("p", "your name");
    member.post_form("/password/strength", &[("password", PASSWORD)]).with_form_token(None).await.is(403);
}

on_both_engines!(a_huge_password_costs_no_more_than_reading_it);
async fn a_huge_password_costs_no_more_than_reading_it(app: App) {
    app.has_account("ada", Role::Member).await;
    let marks = "\u{301}".repeat(300_000);
    let time = async |password: &str, unread: &str| {
        let form = [("login", "ada"), ("password", password), ("unread", unread)];
        let began = Instant::now();
        app.visitor().post_form("/login", &form).await.is(422);
        began.elapsed()
    };
    let (unread, huge) = (time("wrong horse battery", &marks).await, time(&marks, "").await);
    assert!(huge < 3 * unread + Duration::from_secs(1), "{huge:?} against {unread:?}");
}

/// A hash of the tests' password, cheaper than are made now.
fn cheap_hash() -> String {
    let params = Params::new(8_192, 1, 1, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).expect("a hash").to_string()
}

async fn stored_hash(app: &App) -> String {
    let found = store::credentials(&app.coffer.db, "ada", None).await.expect("the database answers");
    found.and_then(|found| found.password_hash).expect("a hash")
}

on_both_engines!(a_login_renews_a_hash_of_other_parameters);
async fn a_login_renews_a_hash_of_other_parameters(app: App) {
    app.has_account("ada", Role::Member).await;
    let (id, first) = (app.viewer("ada").await.id().expect("an account"), stored_hash(&app).await);
    store::profile::renew_hash(&app.coffer.db, id, &first, &cheap_hash()).await.expect("a cheap hash");
    app.another_browser_of("ada").await;
    let renewed = eventually(Duration::from_secs(10), async || {
        let hash = stored_hash(&app).await;
        if hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") { Ok(hash) } else { Err(hash) }
    });
    let renewed = renewed.await.expect("a hash with today's parameters");
    app.another_browser_of("ada").await;
    assert_eq!(stored_hash(&app).await, renewed, "not at every login");
}
