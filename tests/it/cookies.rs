//! Cookies: those of other programs do not matter, and ours live no longer than was asked for.

use coffer::identity::Role;

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::{App, PASSWORD};
use crate::support::on_both_engines;

const SESSION: &str = "__Host-coffer";
const STAY: &str = "__Host-coffer-stay";

/// What other programs on the same host may have set.
const FOREIGN: [&[u8]; 6] = [
    "name=J\u{fc}rgen".as_bytes(),
    b"name=J\xfcrgen",
    b"\xff\xfe=\x80\x81",
    b"prefs=\"a; b=\xc3\"",
    b"flag; =x; ;;",
    b"__Host-coffer=somebody-else's; __Host-coffer-stay=; __Host-coffer-notice=\xf0\x9f",
];

fn beside(foreign: &[u8], name: &str, value: &str) -> Vec<u8> {
    [foreign, format!("; {name}={value}").as_bytes()].concat()
}

on_both_engines!(foreign_cookies_keep_nobody_out);
async fn foreign_cookies_keep_nobody_out(app: App) {
    app.has_account("ada", Role::Member).await;
    for foreign in FOREIGN {
        let ada = Actor::new("ada", &app);
        let form = [("login", "ada"), ("password", PASSWORD), ("next", "/resources/new"), ("stay", "yes")];
        ada.post_form("/login", &form).header("cookie", foreign).await.redirects_to("/resources/new");
        let (session, stay) = (ada.cookie(SESSION).expect("a session"), ada.cookie(STAY).expect("a device"));
        ada.get("/resources/new").header("cookie", beside(foreign, SESSION, &session)).await.ok();
        let quoted = format!("\"{session}\"");
        ada.get("/resources/new").header("cookie", beside(foreign, SESSION, &quoted)).await.ok();
        ada.get("/resources/new").header("cookie", beside(foreign, STAY, &stay)).await.ok();
    }
}

on_both_engines!(cookies_may_come_in_several_lines);
async fn cookies_may_come_in_several_lines(app: App) {
    let ada = app.signed_in("ada").await;
    let host = app.origin().replace("http://", "");
    let session = ada.cookie(SESSION).expect("a session");
    let mut request =
        format!("GET /resources/new HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n").into_bytes();
    request.extend_from_slice(b"Cookie: a=1; name=J\xfcrgen\r\nCookie: b=2; ");
    request.extend_from_slice(format!("{SESSION}={session}; c=3\r\nCookie: d=4\r\n\r\n").as_bytes());
    let answer = app.raw(request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

on_both_engines!(a_cookie_of_no_session_is_taken_back);
async fn a_cookie_of_no_session_is_taken_back(app: App) {
    for named in ["AAAAAAAAAAAAAAAAAAAAAA", "none-of-ours", ""] {
        let visitor = app.visitor();
        let asked = visitor.get("/login").header("cookie", format!("a=1; {SESSION}={named}"));
        let cookie = session_cookie(&asked.await.ok());
        let taken =
            ["; Secure", "; Path=/", "; Max-Age=0"].iter().all(|attribute| cookie.contains(attribute));
        assert!(taken && cookie.starts_with("__Host-coffer=;"), "{cookie}");
    }
}

on_both_engines!(a_session_has_the_cookie_of_this_host_alone);
async fn a_session_has_the_cookie_of_this_host_alone(app: App) {
    let ada = app.signed_in("ada").await;
    let session = ada.cookie(SESSION).expect("a session");
    for name in ["coffer", "%5F%5FHost-coffer", "__Host-coffer%20", "__host-coffer"] {
        // A device that may be kept logged in is looked at more closely.
        let cookies = format!("{name}={session}; {STAY}=none-of-ours");
        app.visitor().get("/trash").header("cookie", cookies).await.redirects_to("/login?next=%2Ftrash");
    }
}

/// The attributes of the session's cookie that an answer sets.
#[track_caller]
fn session_cookie(answer: &Answer) -> String {
    let lines = answer.all_of_header("set-cookie");
    lines.into_iter().find(|line| line.starts_with("__Host-coffer=")).unwrap_or_else(|| panic!("{answer}"))
}

on_both_engines!(who_is_not_kept_logged_in_is_out_with_the_browser, "--signup=open");
async fn who_is_not_kept_logged_in_is_out_with_the_browser(app: App) {
    app.has_account("ada", Role::Member).await;
    let ada = Actor::new("ada", &app);
    let form = [("login", "ada"), ("password", PASSWORD)];
    let mut answers = vec![ada.post_form("/login", &form).await.is(303)];
    ada.learns_token().await;
    answers.push(ada.post_form("/sudo", &[("sudo_password", PASSWORD)]).await.is(303));
    app.later(std::time::Duration::from_mins(11));
    // A visit moves the session's end.
    answers.push(ada.get("/trash").await.ok());
    answers.push(ada.post_form("/sudo", &[("sudo_password", PASSWORD)]).await.is(303));
    let change = [("current_password", PASSWORD), ("password", "quiet harbour at nine o'clock")];
    answers.push(ada.post_form("/settings/password", &change).await.is(303));
    let note = [("title", "Typed"), ("kind", "note"), ("signin_login", "ada")];
    let note = [&note[..], &[("signin_password", "quiet harbour at nine o'clock")]].concat();
    answers.push(app.visitor().post_form("/resources", &note).await);
    let account = [("email", "eve@example.org"), ("username", "eve"), ("password", "a walk along the mole")];
    answers.push(app.visitor().post_form("/register", &account).await.is(303));
    for answer in answers.iter().filter(|answer| !answer.header("set-cookie").is_empty()) {
        let cookie = session_cookie(answer);
        assert!(!cookie.contains("Max-Age") && !cookie.contains("Expires"), "{cookie}\n{answer}");
    }
}

on_both_engines!(who_is_kept_logged_in_is_in_when_the_browser_opens_again);
async fn who_is_kept_logged_in_is_in_when_the_browser_opens_again(app: App) {
    app.has_account("ada", Role::Member).await;
    let ada = Actor::new("ada", &app);
    let form = [("login", "ada"), ("password", PASSWORD), ("stay", "yes")];
    let answer = ada.post_form("/login", &form).await.is(303);
    assert!(session_cookie(&answer).contains("; Max-Age=604"), "{answer}");
    app.later(std::time::Duration::from_hours(8 * 24));
    assert!(session_cookie(&ada.get("/trash").await.ok()).contains("; Max-Age=604"));
}
