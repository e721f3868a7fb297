//! No one learns which addresses and names have an account: status, headers, body, work and time are the same.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;
use crate::support::site::routes;

const WRONG: &str = "wrong horse battery";
/// How far apart two times may be, as a part of the longer one.
const BOUND: f64 = 0.25;
/// On a busy machine times may be apart by this anyway; it is less than half of a password hash.
const NOISE: Duration = Duration::from_millis(5);
const ROUNDS: usize = 8;
/// Headers that tell one request from the next anyway.
const OF_THE_REQUEST: [&str; 2] = ["date", "x-request-id"];

/// All of an answer but what differs from one request to the next anyway, and what was typed.
pub fn seen(answer: &Answer, typed: &[&str]) -> (u16, Vec<(String, String)>, String) {
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

/// A way in, to be tried with an account and with an unknown name of the same length.
#[derive(Clone, Copy, Debug)]
enum Door {
    LogIn,
    Token,
    Forgot,
    Register,
    Resend,
}

/// Everybody new is called something else.
fn username(door: Door, turn: usize) -> String {
    format!("{door:?}-{turn:05}").to_lowercase()
}

/// Everything that is sent has the same length, so that the answers have.
async fn knocks(app: &App, door: Door, name: &str, turn: usize) -> (Answer, Duration) {
    let visitor = app.visitor();
    let email = format!("{name}@example.org");
    let username = username(door, turn);
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
    people(&app).await;
    app.has_account("taken", Role::Admin).await;
    app.coffer.accounts.create_without_password("mutes").await.expect("an account nobody logs in to");
    let mut turn = 0;
    for door in doors(&app).await {
        let mut answers = Vec::new();
        for name in ["known", "nobod", "taken", "mutes", "coded", "ended"] {
            turn += 1;
            let (answer, _) = knocks(&app, door, name, turn).await;
            answers.push(seen(&answer, &[name, &username(door, turn)]));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{door:?}: {answers:#?}");
    }
}

/// What coffer asks of its stores now and then for any client. The sender of mails has transactions of its own, which can't be told from
/// those of requests by their names; what runs inside them can.
const BACKGROUND: [&str; 11] = [
    "\"db.ping\"", "\"db.clock\"", "\"cache.outbox.", "\"sessions.count\"", "\"mail.count\"",
    "\"mail.is_any_due\"", "\"mail.claim\"", "\"mail.remove\"", "\"mail.remove_in\"", "\"db.begin\"",
    "\"db.commit\"",
];

/// How often each statement has run by now.
pub fn statements(app: &App) -> BTreeMap<String, u64> {
    let text = app.coffer.metrics.text();
    let counts = text.lines().filter(|line| line.starts_with("db_client_operation_duration_seconds_count"));
    counts
        .filter(|line| !BACKGROUND.iter().any(|name| line.contains(name)))
        .map(|line| line.rsplit_once(' ').expect("a sample"))
        .map(|(series, count)| (series.to_owned(), count.parse().expect("a count")))
        .collect()
}

/// How often each statement runs for this knock.
async fn work(app: &App, door: Door, name: &str, turn: usize) -> BTreeMap<String, u64> {
    let before = statements(app);
    knocks(app, door, name, turn).await;
    let mut after = statements(app);
    after.retain(|series, count| {
        *count -= before.get(series).unwrap_or(&0);
        *count > 0
    });
    after
}

on_both_engines!(the_same_statements_run_for_whoever_has_an_account, "--signup=open");
async fn the_same_statements_run_for_whoever_has_an_account(app: App) {
    people(&app).await;
    for (turn, door) in doors(&app).await.into_iter().enumerate() {
        let of_nobody = work(&app, door, "nobod", turn * 10).await;
        assert!(!of_nobody.is_empty(), "{door:?}");
        for (i, name) in ["known", "coded", "ended"].into_iter().enumerate() {
            assert_eq!(work(&app, door, name, turn * 10 + i + 1).await, of_nobody, "{door:?}: {name}");
        }
    }
}

/// An account like others, one with a second factor and one that is disabled.
async fn people(app: &App) {
    for name in ["known", "coded", "ended"] {
        app.has_account(name, Role::Member).await;
    }
    app.another_browser_of("coded").await.sets_up_second_factor(app).await;
    let admin = app.admin("admin").await;
    let ended = app.viewer("ended").await.id().expect("an account");
    let change = json!({ "disabled": true });
    admin.json(Method::PATCH, &format!("/api/v1/admin/users/{ended}"), change).await.ok();
}

fn apart(one: Duration, other: Duration) -> f64 {
    (one.as_secs_f64() - other.as_secs_f64()).abs() / one.max(other).as_secs_f64()
}

/// Tries both, one after the other, so that what else the machine does falls on both; their times in order.
async fn times(app: &App, door: Door, known: &str, turns: Range<usize>, times: &mut [Vec<Duration>; 2]) {
    for turn in turns.start * 2..turns.end * 2 {
        // Known first in one pair, unknown first in the next.
        let which = (turn + turn / 2) % 2;
        let (_, time) = knocks(app, door, [known, "nobod"][which], turn).await;
        times[which].push(time);
    }
    for of_one in times {
        of_one.sort_unstable();
    }
}

/// Other work on the machine only ever adds time: tried often enough, the quickest of each show what the work takes,
/// and only work that is the same gets as quick. A hash that one of them is spared shows at any load.
async fn gets_as_quick(app: &App, door: Door, name: &str) {
    let mut found = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        times(app, door, name, round * 10..(round + 1) * 10, &mut found).await;
        let [known, unknown] = [found[0][0], found[1][0]];
        if apart(known, unknown) < BOUND || known.abs_diff(unknown) < NOISE {
            return;
        }
    }
    panic!("{door:?}: {name} {:?}, unknown {:?} at best", found[0][0], found[1][0]);
}

/// Needs a machine with nothing else to do: `bin/test --long`.
async fn takes_the_same_time(app: &App, door: Door, name: &str) {
    let mut found = [Vec::new(), Vec::new()];
    times(app, door, name, 0..200, &mut found).await;
    let [known, unknown] = [found[0][100], found[1][100]];
    println!("{:?} {door:?}: medians of 200: {name} {known:?}, unknown {unknown:?}", app.engine);
    assert!(apart(known, unknown) < BOUND, "{door:?}: {name} {known:?}, unknown {unknown:?}");
}

on_both_engines!(time_does_not_tell_who_has_an_account, "--signup=open");
async fn time_does_not_tell_who_has_an_account(app: App) {
    people(&app).await;
    for door in doors(&app).await {
        let names: &[&str] = match door {
            Door::Register | Door::Resend => &["known"],
            _ => &["known", "coded", "ended"],
        };
        for name in names {
            if std::env::var_os("COFFER_TEST_LONG").is_some() {
                takes_the_same_time(&app, door, name).await;
            } else {
                gets_as_quick(&app, door, name).await;
            }
        }
    }
}
