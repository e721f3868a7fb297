//! The pages in a real browser, with and without JavaScript, by mouse and by keyboard, wide and narrow.

use std::path::Path;
use std::time::Duration;

use coffer::accounts::people::By;
use coffer::identity::RequestMeta;
use fantoccini::key::Key;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{App, Engine, PASSWORD};
use crate::support::browser::Browser;
use crate::support::wait::eventually;

const CHECKS: &str = include_str!("support/accessible.js");
const BOOKMARKS: &str = "tests/fixtures/bookmarks-ragged.html";
/// As narrow as the narrowest telephone, or a page enlarged four times (WCAG 2.2, 1.4.10).
const NARROW: u32 = 320;
/// Where an admin can go before anything is kept.
const ROOMS: [&str; 21] = [
    "/resources", "/searches", "/tags", "/trash", "/import", "/settings/profile", "/settings/display",
    "/settings/security", "/settings/sessions", "/settings/capture", "/settings/tokens",
    "/settings/webhooks", "/settings/shares", "/settings/activity", "/settings/data", "/admin/metrics",
    "/admin", "/admin/users", "/admin/invites", "/admin/audit", "/admin/limits",
];

#[tokio::test]
async fn a_first_day_with_javascript() {
    let app = App::with(Engine::Postgres, &[]).await;
    first_day(&app, &app.origin(), true).await;
}

#[tokio::test]
async fn a_first_day_without_javascript() {
    let app = App::with(Engine::Sqlite, &[]).await;
    first_day(&app, &app.origin(), false).await;
}

/// At this address, which leads to the app.
pub async fn first_day(app: &App, address: &str, javascript: bool) {
    let browser = Browser::open(address, javascript, 1280, 900).await;
    browser.goto("/").await;
    browser.sees("Open the setup link").await;
    sets_up(app, &browser).await;
    browser.sees("Welcome. Your library is ready.").await;

    browser.follow("Import bookmarks").await;
    browser.upload("Bookmarks file", Path::new(BOOKMARKS)).await;
    browser.press("Preview").await;
    browser.has("h1", "Nothing imported yet").await;
    browser.press("Import").await;
    browser.has("h1", "Bookmarks imported").await;
    browser.follow("View imported entries").await;

    browser.fill("Search the library", "moon -harbor").await;
    browser.press("Search").await;
    browser.has("mark", "moon").await;
    browser.doesnt_see("Unquoted").await;
    browser.follow("Details of “Tide tables & moon”").await;
    browser.follow("Edit").await;
    browser.fill("Title", "Tide tables").await;
    browser.press("Save").await;
    browser.sees("Saved.").await;
    browser.has("h1", "Tide tables").await;

    edits_in_two_tabs(&browser).await;
    cannot_restore_what_was_saved_again(&browser).await;

    browser.press("Move to trash").await;
    browser.sees("Moved to trash.").await;
    browser.press("Undo").await;
    browser.sees("Restored from the trash.").await;
    browser.goto("/resources").await;
    browser.follow("Details of “Tide tables”").await;
    browser.press("Move to trash").await;
    browser.follow("Trash").await;
    browser.has("h2", "Tide tables").await;
    for _ in 0..2 {
        browser.press("Delete permanently…").await;
        browser.press("Delete permanently").await;
        browser.sees("Deleted permanently.").await;
    }
    browser.sees("The trash is empty.").await;

    browser.press("Log out").await;
    browser.sees("You are logged out.").await;
    browser.back().await;
    browser.has("h1", "Log in").await;
    has_complained_only_of(&browser, &["status of 409", "status of 412"]).await;
}

async fn edits_in_two_tabs(browser: &Browser) {
    browser.follow("Edit").await;
    browser.fill("Notes", "High at noon").await;
    let entry = browser.url().await;
    browser.opens_a_tab().await;
    browser.goto(browser.path_of(&entry)).await;
    browser.fill("Notes", "High at midnight").await;
    browser.press("Save").await;
    browser.sees("Saved.").await;
    browser.closes_the_tab().await;

    browser.press("Save").await;
    browser.has("h1", "Two versions of “Tide tables”").await;
    browser.field_holds("Notes", "High at noon").await;
    browser.has(".saved-side", "High at midnight").await;
    browser.fill("Notes", "High at noon and at midnight").await;
    browser.press("Save mine as version 4").await;
    browser.has(".prose", "High at noon and at midnight").await;
    browser.follow("all versions").await;
    browser.sees("Version 3").await;
    browser.follow("Back to entry").await;
}

async fn cannot_restore_what_was_saved_again(browser: &Browser) {
    browser.press("Move to trash").await;
    browser.fill("Save a link", "tides.example").await;
    browser.press("Save").await;
    browser.press("Save as new").await;
    browser.has("h1", "tides.example").await;
    browser.follow("Trash").await;
    browser.press("Restore “Tide tables”").await;
    browser.sees("Not restored, because you have since saved this link again.").await;
    browser.has("h1", "tides.example").await;
    browser.press("Move to trash").await;
    browser.follow("Trash").await;
    browser.press("Restore “Tide tables”").await;
    browser.has("h1", "Tide tables").await;
}

#[tokio::test]
async fn the_list_follows_the_search() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    for tide in 1..=60 {
        owner.saves(json!({ "title": format!("Tide {tide}"), "body": "high water" })).await;
    }
    owner.saves(json!({ "title": "Moon phases" })).await;
    let browser = signed_in(&app, "owner").await;

    let _: () = browser.run("window.since = 'the first page'").await;
    browser.has("h2", "Moon phases").await;
    browser.types("/").await;
    browser.types("wat").await;
    browser.is_at("/resources?q=wat").await;
    browser.has(".entry mark", "wat").await;
    browser.doesnt_see("Moon phases").await;

    browser.follow("More").await;
    browser.sees("Tide 2").await;
    browser.has_no(".more").await; // nor a way back to where the list still begins
    assert_eq!(browser.run::<usize>("return document.querySelectorAll('.entry').length").await, 60);
    assert_eq!(
        browser.run::<String>("return window.since").await,
        "the first page",
        "nothing was loaded anew"
    );

    browser.press("Search").await;
    browser.fill("Search the library", "tag:").await;
    browser.has("[data-query-error]", "tag").await;
    browser.press("Search").await;
    browser.fill("Search the library", "++").await;
    browser.sees("“++” contains no letters, digits or symbols that can be searched for").await;
    browser.press("Search").await;
    browser.fill("Search the library", "moon").await;
    browser.is_at("?q=moon").await;
    browser.has(".entries", "Moon phases").await;
    for earlier in ["?q=%2B%2B", "?q=tag%3A", "?q=wat"] {
        browser.back().await;
        browser.is_at(earlier).await;
    }
    browser.field_holds("Search the library", "wat").await;
    browser.has(".entries", "high water").await;
    browser.doesnt_see("Moon phases").await;
    has_complained_only_of(&browser, &["status of 400", "Response Status Error Code 400"]).await;
}

/// Where the focus is, after `/` was pressed in the library.
async fn focus_after_slash(browser: &Browser) -> String {
    browser.goto("/resources").await;
    browser.types("/").await;
    browser.run("return document.activeElement.id || document.activeElement.localName").await
}

#[tokio::test]
async fn the_key_that_goes_to_the_search_box_can_be_switched_off() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await.saves(json!({ "title": "Tide tables" })).await;
    let browser = signed_in(&app, "owner").await;
    for expected in ["q", "body", "q"] {
        assert_eq!(focus_after_slash(&browser).await, expected);
        browser.goto("/settings/display").await;
        browser.tick("Keyboard shortcuts").await;
        browser.press("Save for this browser").await;
        browser.sees("Saved.").await;
    }
    assert_eq!(focus_after_slash(&browser).await, "body");
}

#[tokio::test]
async fn a_row_is_edited_where_it_stands() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables", "tags": ["sea"] })).await;
    let browser = signed_in(&app, "owner").await;

    browser.follow("Edit “Tide tables”").await;
    browser.fill("Tags, separated by commas", "sea, moon").await;
    browser.hits(Key::Enter).await;
    browser.has(".toast", "Saved.").await;
    browser.has(".entry .tags", "moon").await;
    browser.is_at("/resources").await;

    browser.follow("Edit “Tide tables”").await;
    browser.fill("Title", "High water").await;
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Low water" })).if_match("\"2\"").await.ok();
    browser.hits(Key::Enter).await;
    browser.has(".entry [role=alert]", "This entry was changed in the meantime.").await;
    browser.field_holds("Title", "High water").await;
    browser.follow("Cancel").await;
    browser.has(".entry h2", "Low water").await;
    has_complained_only_of(&browser, &["status of 409"]).await;
}

#[tokio::test]
async fn what_was_typed_outlives_the_session() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await.saves(json!({ "title": "Tide tables" })).await;
    let browser = signed_in(&app, "owner").await;
    browser.follow("Edit “Tide tables”").await;
    browser.fill("Title", "High water").await;
    ends_all_sessions(&app, "owner").await;

    browser.hits(Key::Enter).await;
    logs_in_to_go_on(&browser, "owner").await;
    browser.has(".entry h2", "High water").await;

    browser.goto("/resources/new?kind=note").await;
    browser.fill("Text", "Nobody else knows this").await;
    ends_all_sessions(&app, "owner").await;
    browser.press("Save").await;
    browser.has("h1", "Log in to continue").await;
    browser.field_holds("Text", "Nobody else knows this").await;
    logs_in_to_go_on(&browser, "owner").await;
    browser.has("h1", "Nobody else knows this").await;
    has_complained_only_of(&browser, &["status of 401"]).await;
}

async fn logs_in_to_go_on(browser: &Browser, username: &str) {
    browser.has("h1", "Log in to continue").await;
    browser.fill("Email or username", username).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in and continue").await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Moon phases" })).await;
    let browser = Browser::open(&app.origin(), true, 1280, 900).await;
    browser.goto("/login").await;
    browser.has(".field:focus-within label", "Email or username").await;
    browser.types("owner").await;
    browser.tabs_to("Password").await;
    browser.types(PASSWORD).await;
    browser.tabs_to("Log in").await;
    browser.hits(Key::Enter).await;
    browser.has("h1", "Library").await;

    browser.tabs_to("Skip to content").await;
    browser.hits(Key::Enter).await;
    browser.tabs_to("Save a link").await;
    browser.types("tides.example").await;
    browser.tabs_to("Save").await;
    browser.hits(Key::Enter).await;
    browser.has(".entry:focus-within h2", "tides.example").await;
    browser.tabs_to("Details of “tides.example”").await;
    browser.hits(Key::Enter).await;
    browser.has("h1", "tides.example").await;
    browser.tabs_to("Edit").await;
    browser.hits(Key::Enter).await;
    browser.tabs_to("Notes").await;
    browser.types("High at noon").await;
    browser.tabs_to("Tags").await;
    browser.types("sea").await;
    browser.hits(Key::Enter).await;
    browser.has(".tags", "sea").await;

    browser.goto("/resources").await;
    browser.tabs_to("Edit “tides.example”").await;
    browser.hits(Key::Enter).await;
    browser.has(".entry-edit .field:focus-within label", "Title").await;
    browser.types(" at noon").await;
    browser.hits(Key::Enter).await;
    browser.has(".entry h2", "tides.example at noon").await;
}

const FOR_VISITORS: [&str; 6] =
    ["/setup", "/login", "/register", "/password/forgot", "/password/reset/x", "/nowhere"];

#[tokio::test]
async fn every_page_is_for_everybody() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let browser = Browser::open(&app.origin(), true, NARROW, 700).await;
    let setup = app.coffer.accounts.begin_setup().await.expect("a token").expect("nobody is here yet");
    are_for_everybody(&browser, &[&format!("/setup/{setup}")]).await;
    are_for_everybody(&browser, &FOR_VISITORS).await;

    let owner = app.admin("owner").await;
    logs_in(&browser, "owner").await;
    are_for_everybody(&browser, &ROOMS).await;
    let invitation = app
        .coffer
        .people
        .invite(By::Admin(&app.viewer("owner").await), &RequestMeta::default())
        .await
        .expect("an invitation");

    let rtl = json!({ "title": "שלום עולם", "body": "مرحبا\n\n- واحد\n- اثنان\n\n> مرحبا", "pinned": true });
    let rtl = owner.saves(rtl).await;
    let note = owner.saves(awkward_note("Tide tables")).await;
    let link = owner.saves(awkward_link()).await;
    owner.json(Method::PATCH, &link.api(), json!({ "visibility": "public" })).if_match("\"1\"").await.ok();
    let trashed = owner.saves(awkward_note("To be thrown away")).await;
    for name in ["Tides", &"Donaudampf".repeat(10)] {
        let search = json!({ "name": name, "search": "q=tide" });
        owner.json(Method::POST, "/api/v1/searches", search).await.is(201);
    }
    owner.json_free(Method::DELETE, &trashed.api()).await.is(204);
    are_for_everybody(
        &browser,
        &[
            "/resources",
            "/resources?q=cell&tag=%C3%A4%2Fb&kind=note",
            "/resources?q=nothing+like+this",
            "/resources?q=tide",
            "/searches",
            "/resources?q=tag%3A",
            "/resources/new",
            "/resources/new?kind=note",
            &note.page(),
            &format!("{}/edit", note.page()),
            &format!("{}/revisions", note.page()),
            &link.page(),
            &rtl.page(),
            &format!("{}/revisions/1", link.page()),
            &trashed.page(),
            "/tags",
            "/trash",
        ],
    )
    .await;

    browser.goto("/resources").await;
    browser.follow("Edit “Tide tables”").await;
    browser.fill("Title", &"x".repeat(501)).await;
    browser.hits(Key::Enter).await;
    browser.has(".entry .field-error", "at most 500 are allowed").await;
    is_for_everybody(&browser, "a row being edited").await;

    browser.goto(&format!("{}/edit", note.page())).await;
    owner
        .json(Method::PATCH, &note.api(), json!({ "body": "- moon\n".repeat(9) }))
        .if_match("\"1\"")
        .await
        .ok();
    browser.fill("Tags", "sea").await;
    browser.press("Save").await;
    browser.has("h1", "Two versions").await;
    is_for_everybody(&browser, "a conflict").await;

    browser.goto("/import").await;
    browser.upload("Bookmarks file", Path::new(BOOKMARKS)).await;
    browser.press("Preview").await;
    browser.has("h1", "Nothing imported yet").await;
    browser.press("Import").await;
    browser.has("h1", "Bookmarks imported").await;
    is_for_everybody(&browser, "an import").await;

    browser.press("Log out").await;
    let invited = format!("/invite/{invitation}");
    are_for_everybody(&browser, &["/", "/u/owner", "/u/nobody", &link.page(), &invited, "/invite/nothing"])
        .await;
    browser.goto("/login").await;
    browser.fill("Email or username", "owner").await;
    browser.fill("Password", "guess").await;
    browser.press("Log in").await;
    browser.sees("Wrong username or password").await;
    is_for_everybody(&browser, "a failed log-in").await;
    logs_in(&browser, "owner").await;
    browser.goto("/admin/audit").await;
    browser.has("tr.refused", "refused").await;
    is_for_everybody(&browser, "a refused event").await;
    has_complained_only_of(
        &browser,
        &["the server responded with a status of 4", "Response Status Error Code 4"],
    )
    .await;
}

async fn are_for_everybody(browser: &Browser, paths: &[&str]) {
    for path in paths {
        browser.goto(path).await;
        is_for_everybody(browser, path).await;
    }
}

async fn is_for_everybody(browser: &Browser, page: &str) {
    let _: () =
        browser.run("for (const hidden of document.querySelectorAll('details')) hidden.open = true").await;
    for scheme in ["light", "dark"] {
        browser.prefers(scheme).await;
        let wrong: Vec<String> = browser.run(CHECKS).await;
        assert!(wrong.is_empty(), "{page}, {scheme}: {wrong:#?}");
    }
}

/// Everything that bursts a narrow page.
fn awkward_note(title: &str) -> Value {
    let long = "Donaudampfschifffahrtsgesellschaft".repeat(14);
    let table = format!("|{}\n|{}\n|{}", " a wide column |".repeat(9), "---|".repeat(9), " cell |".repeat(9));
    let code = "wide ".repeat(60);
    let body = format!("# {long}\n\n{long}\n\n{table}\n\n```\n{code}\n```\n\n- [ ] `{long}`\n\n> {long}");
    json!({ "title": title, "tags": ["a".repeat(60), "ä/b/c/d/e", "🦀🦀🦀"], "body": body, "visibility": "public" })
}

fn awkward_link() -> Value {
    let url = format!("https://{}example/{}", "sub.".repeat(20), "x".repeat(1_800));
    json!({ "title": "Donaudampf".repeat(50), "url": url })
}

async fn sets_up(app: &App, browser: &Browser) {
    let token = app.coffer.accounts.begin_setup().await.expect("a token").expect("nobody is here yet");
    browser.goto(&format!("/setup/{token}")).await;
    browser.fill("Email", "ada@example.org").await;
    browser.fill("Username", "ada").await;
    browser.fill("Display name", "Ada Lovelace").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Create account").await;
}

async fn signed_in(app: &App, username: &str) -> Browser {
    let browser = Browser::open(&app.origin(), true, 1280, 900).await;
    logs_in(&browser, username).await;
    browser
}

pub async fn logs_in(browser: &Browser, username: &str) {
    browser.goto("/login").await;
    browser.fill("Email or username", username).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.has("h1", "Library").await;
}

async fn ends_all_sessions(app: &App, username: &str) {
    let person = app.viewer(username).await.id().expect("an account");
    app.coffer.sessions.end_all(person).await.expect("the sessions end");
}

/// What htmx says of a request that was under way when the page was left, or a newer one of the same field took its place.
const OVERTAKEN: [&str; 2] = ["htmx:sendAbort", "htmx:afterRequest"];

/// The console also names every answer of 400 and above, which some acts here ask for.
pub async fn has_complained_only_of(browser: &Browser, expected: &[&str]) {
    let mut complaints = browser.complaints().await;
    complaints.retain(|complaint| !expected.iter().chain(&OVERTAKEN).any(|known| complaint.contains(known)));
    // Asked while the page is being left, a password's strength may be refused: the session is another one by then.
    complaints.retain(|complaint| !complaint.contains("/password/strength"));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

pub fn path_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a scheme");
    &rest[rest.find('/').expect("a path")..]
}

/// Whoever was too fast sees the time run down, and sends the form again when it has; without JavaScript the words
/// stand still and the button works.
#[tokio::test]
async fn a_refused_form_waits_on_its_page() {
    let app = App::with(Engine::Sqlite, &["--rate-limit-reset-email=1/min"]).await;
    for javascript in [true, false] {
        let browser = Browser::open(&app.origin(), javascript, 390, 900).await;
        for _ in 0..2 {
            browser.goto("/password/forgot").await;
            browser.fill("Email", "ada@example.org").await;
            browser.press("Send reset link").await;
        }
        browser.has("h1", "Too many requests").await;
        browser.sees("You can try again in").await;
        browser.field_holds("Email", "ada@example.org").await;
        if javascript {
            let words = "return document.querySelector('[data-countdown]').textContent";
            let before: String = browser.run(words).await;
            let runs = async || match browser.run::<String>(words).await {
                same if same == before => Err(same),
                _ => Ok(()),
            };
            eventually(Duration::from_secs(10), runs).await.expect("the time runs down");
        }
        app.later(Duration::from_mins(2));
        browser.press("Try again").await;
        browser.has("h1", "Check your email").await;
        app.later(Duration::from_mins(2));
    }
}

/// Too many wrong passwords: the way back to the form is there when it works, and says when that is without JavaScript.
#[tokio::test]
async fn the_log_in_is_offered_again_when_it_may_be_tried() {
    let app = App::with(Engine::Sqlite, &["--rate-limit-login-pair=1/h"]).await;
    for javascript in [true, false] {
        let browser = Browser::open(&app.origin(), javascript, 390, 900).await;
        for _ in 0..2 {
            browser.goto("/login").await;
            browser.fill("Email or username", "ada").await;
            browser.fill("Password", "wrong horse battery").await;
            browser.press("Log in").await;
        }
        browser.sees("too many wrong passwords for “ada”").await;
        browser.sees("You can try again in").await;
        let offers = "return [...document.querySelectorAll('main a')].filter(a => a.checkVisibility()).map(a => a.textContent)";
        let offers: Vec<String> = browser.run(offers).await;
        let again = offers.iter().find(|offer| offer.starts_with("Try again in "));
        assert_eq!(again.is_none(), javascript, "{offers:?}");
        app.later(Duration::from_hours(2));
    }
}

/// What has moved under the reader's eyes, once the page and its fonts are there (<https://wicg.github.io/layout-instability>).
const SHIFTS: &str = "
    if (document.readyState !== 'complete' || document.fonts.status !== 'loaded') return null;
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: 'layout-shift', buffered: true });
    return observer.takeRecords().reduce((sum, shift) => sum + shift.value, 0);
";

#[tokio::test]
async fn nothing_moves_while_a_page_comes_in_for_the_first_time() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.admin("ada").await.saves(json!({ "title": "Tide tables" })).await;
    for width in [1280, 390] {
        let browser = Browser::open(&app.origin(), true, width, 900).await;
        logs_in(&browser, "ada").await;
        browser.keeps_nothing().await;
        for path in ["/settings/profile", "/settings/security", "/resources", "/tags", "/import"] {
            browser.goto(path).await;
            let shifts = eventually(Duration::from_secs(20), async || {
                browser.run::<Option<f64>>(SHIFTS).await.ok_or("it is still loading")
            });
            let shifts = shifts.await.unwrap_or_else(|error| panic!("{error}"));
            assert!(shifts < 0.01, "{path} at {width}: {shifts}");
        }
    }
}
