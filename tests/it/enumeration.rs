//! Nobody learns which addresses and names have an account: status, headers, body and time are the same.

use std::time::{Duration, Instant};

use coffer::accounts::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::on_both_engines;
use crate::support::site::routes;

const WRONG: &str = "wrong horse battery";
/// Headers that tell one request from the next anyway.
const OF_THE_REQUEST: [&str; 2] = ["date", "x-request-id"];

/// All of an answer but what differs from one request to the next anyway, and what was typed.
fn seen(answer: &Answer, typed: &[&str]) -> (u16, Vec<(String, String)>, String) {
    let hide = |text: &str| {
        let text = text.replace(&answer.header("x-request-id"), "");
        typed.iter().fold(text, |text, typed| text.replace(typed, ""))
    };
    let headers = answer.headers().iter().filter(|(name, _)| !OF_THE_REQUEST.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        // A new session's id is chance; its length and the rest of the line are not.
        let value = match value.split_once('=') {
            Some((cookie, rest)) if name == "set-cookie" => {
                let (id, rest) = rest.split_once(';').unwrap_or((rest, ""));
                format!("{cookie}={}; {rest}", id.len())
            }
            _ => value,
        };
        (name.to_string(), value)
    });
    let mut headers: Vec<_> = headers.collect();
    headers.sort_unstable();
    (answer.status(), headers, hide(&answer.text()))
}

/// A way in, to be tried with somebody who has an account and with nobody of the same length.
#[derive(Clone, Copy, Debug)]
enum Door {
    LogIn,
    Token,
    Forgot,
    Register,
    Resend,
}

/// Everything that is sent has the same length, so that the answers have.
async fn knocks(app: &App, door: Door, name: &str, turn: usize) -> (Answer, Duration) {
    let visitor = app.visitor();
    let email = format!("{name}@example.org");
    let username = format!("new-{turn:05}");
    let form = match door {
        Door::LogIn => vec![("login", name), ("password", WRONG)],
        Door::Forgot => vec![("email", email.as_str())],
        _ => vec![("email", email.as_str()), ("username", &username), ("password", PASSWORD)],
    };
    if let Door::Resend = door {
        visitor.post_form("/register", &form).await.redirects_to("/resources");
        visitor.learns_token().await;
    }
    let token = json!({ "login": name, "password": WRONG });
    let started = Instant::now();
    let answer = match door {
        Door::LogIn => visitor.post_form("/login", &form).await.is(422),
        Door::Token => visitor.json(Method::POST, "/api/v1/auth/token", token).await.is(401),
        Door::Forgot => visitor.post_form("/password/forgot", &form).await.ok(),
        Door::Register => visitor.post_form("/register", &form).await.redirects_to("/resources"),
        Door::Resend => {
            visitor.post_form("/settings/email/resend", &[]).await.redirects_to("/settings/profile")
        }
    };
    (answer, started.elapsed())
}

async fn doors(app: &App) -> Vec<Door> {
    let mut doors = vec![Door::LogIn, Door::Forgot, Door::Register, Door::Resend];
    if routes(app).await.iter().any(|route| route.path == "/api/v1/auth/token") {
        doors.push(Door::Token);
    }
    doors
}

on_both_engines!(an_answer_does_not_tell_who_has_an_account, "--signup=open");
async fn an_answer_does_not_tell_who_has_an_account(app: App) {
    app.has_account("known", Role::Member).await;
    app.has_account("taken", Role::Admin).await;
    app.coffer.accounts.create_without_password("mutes").await.expect("an account nobody logs in to");
    let mut turn = 0;
    for door in doors(&app).await {
        let mut answers = Vec::new();
        for name in ["known", "nobod", "taken", "mutes"] {
            turn += 1;
            let (answer, _) = knocks(&app, door, name, turn).await;
            answers.push(seen(&answer, &[name, &format!("new-{turn:05}")]));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{door:?}: {answers:#?}");
    }
}

/// Times of both, one after the other, so that what else the machine does falls on both.
async fn times(app: &App, door: Door, tries: usize) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..tries * 2 {
        // Known first in one pair, unknown first in the next.
        let which = (turn + turn / 2) % 2;
        let (_, time) = knocks(app, door, ["known", "nobod"][which], turn).await;
        times[which].push(time);
    }
    for of_one in &mut times {
        of_one.sort_unstable();
    }
    times
}

fn apart(one: Duration, other: Duration) -> f64 {
    (one.as_secs_f64() - other.as_secs_f64()).abs() / one.max(other).as_secs_f64()
}

// Other work on the machine only ever adds time, so the quickest of a few tries are compared: a hash that is left
// out shows at once. `bin/test --long` compares the medians of 200.
on_both_engines!(no_door_skips_the_password_hash, "--signup=open");
async fn no_door_skips_the_password_hash(app: App) {
    app.has_account("known", Role::Member).await;
    let mut doors = doors(&app).await;
    doors.retain(|door| matches!(door, Door::LogIn | Door::Register | Door::Token));
    for door in doors {
        let [known, unknown] = times(&app, door, 8).await;
        let apart = apart(known[0], unknown[0]);
        assert!(apart < 0.4, "{door:?}: known {:?}, unknown {:?}", known[0], unknown[0]);
    }
}

async fn takes_the_same_time(engine: Engine) {
    // Letters to the known address go out meanwhile, as they do in life.
    let app = App::with(engine, &["--signup=open"]).await;
    app.has_account("known", Role::Member).await;
    let all = doors(&app).await;
    for door in all {
        let tries = if std::env::var_os("COFFER_TEST_LONG").is_some() { 200 } else { 20 };
        let [known, unknown] = times(&app, door, tries).await;
        let medians = [known[tries / 2], unknown[tries / 2]];
        let apart = apart(medians[0], medians[1]);
        println!(
            "{engine:?} {door:?}: {tries} tries each, medians {medians:?}, {:.1} % apart",
            apart * 100.0
        );
        let bound = if tries == 200 { 0.25 } else { 0.6 };
        assert!(apart < bound, "{door:?}: {medians:?}, quickest {:?} {:?}", known[0], unknown[0]);
    }
}

mod every_door_takes_the_same_time {
    use super::{Engine, takes_the_same_time};

    #[tokio::test]
    async fn sqlite() {
        takes_the_same_time(Engine::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        takes_the_same_time(Engine::Postgres).await;
    }
}
