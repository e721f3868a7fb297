//! In a browser: what is typed comes back, and so does the place in the list.

use std::time::Duration;

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{has_complained_only_of, logs_in};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::wait::eventually;

const PHONE: u32 = 390;
const DESK: u32 = 1280;
const HAS_DRAFT: &str = "return Object.values(localStorage).join().includes('\"visibility\":\"members\"')";

async fn signed_in(app: &App, javascript: bool, width: u32) -> Browser {
    let browser = Browser::open(&app.origin(), javascript, width, 900).await;
    logs_in(&browser, "owner").await;
    browser
}

async fn sixty_tides(owner: &Actor) {
    for tide in 1..=60 {
        owner.saves(json!({ "title": format!("Tide {tide}"), "body": "high water" })).await;
    }
}

#[tokio::test]
async fn what_is_typed_is_offered_after_a_reload_and_dropped_once_it_is_saved() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    for width in [DESK, PHONE] {
        let browser = signed_in(&app, true, width).await;
        browser.goto("/resources/new?kind=note").await;
        browser.fill("Title", "Written for an hour").await;
        browser.fill("Text", "Every word").await;
        browser.fill("Tags", "sea").await;
        browser.tick("Members").await;
        let asks = "const leaving = new Event('beforeunload', { cancelable: true }); dispatchEvent(leaving); return leaving.defaultPrevented";
        assert!(browser.run::<bool>(asks).await, "leaving asks");
        let kept =
            async || browser.run::<bool>(HAS_DRAFT).await.then_some(()).ok_or("the last change isn't kept");
        eventually(Duration::from_secs(20), kept).await.expect("a draft");
        // Another tab, as after a crash: the fields are empty, the draft is there, for this form alone.
        browser.opens_a_tab().await;
        browser.goto("/resources/new?kind=link").await;
        browser.doesnt_see("You have an unsaved draft").await;
        browser.goto("/resources/new?kind=note").await;
        browser.sees("You have an unsaved draft").await;
        browser.press("Restore draft").await;
        browser.field_holds("Text", "Every word").await;
        browser.field_holds("Tags", "sea").await;
        browser.press("Save").await;
        browser.has("h1", "Written for an hour").await;
        browser.has("dd", "Members").await;
        browser.goto("/resources/new?kind=note").await;
        browser.has("h1", "Write a note").await;
        browser.doesnt_see("You have an unsaved draft").await;
        assert!(!browser.run::<bool>(asks).await, "nothing is lost by leaving");
        has_complained_only_of(&browser, &[]).await;
    }
}

#[tokio::test]
async fn back_fills_a_form_that_the_browser_does_not_restore() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    let browser = signed_in(&app, true, DESK).await;
    browser.goto("/resources/new?kind=note").await;
    let _: () = browser.run("document.getElementById('body').form.autocomplete = 'off'").await;
    browser.fill("Title", "Tide tables").await;
    browser.fill("Text", "High at noon").await;
    browser.tick("Members").await;
    browser.goto("/trash").await;
    browser.back().await;
    browser.has("h1", "Write a note").await;
    browser.field_holds("Title", "Tide tables").await;
    browser.field_holds("Text", "High at noon").await;
    browser.doesnt_see("You have an unsaved draft").await;
    // A link to the form is a new start, and what another tab wrote is not filled in unasked.
    browser.goto("/resources/new?kind=note").await;
    browser.sees("You have an unsaved draft").await;
    browser.field_holds("Title", "").await;
    let _: () = browser.run("sessionStorage.setItem('coffer.written', '1')").await;
    browser.goto("/trash").await;
    browser.back().await;
    browser.has("h1", "Write a note").await;
    browser.sees("You have an unsaved draft").await;
    browser.field_holds("Title", "").await;
    browser.press("Restore draft").await;
    browser.press("Save").await;
    browser.has("h1", "Tide tables").await;
    browser.has("dd", "Members").await;
}

#[tokio::test]
async fn a_form_that_was_too_large_comes_back() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    let browser = signed_in(&app, true, DESK).await;
    browser.goto("/resources/new?kind=note").await;
    browser.fill("Title", "A whole book").await;
    let _: () =
        browser.run("document.getElementById('body').value = ('語'.repeat(60) + '\\n').repeat(5000)").await;
    browser.press("Save").await;
    browser.has(".status", "413").await;
    browser.back().await;
    browser.has("h1", "Write a note").await;
    let came_back = async || {
        let offered = browser.run::<bool>("return Boolean(document.querySelector('.notice'))").await;
        let length: usize = browser.run("return document.getElementById('body').value.length").await;
        (offered || length == 305_000).then_some(()).ok_or(length)
    };
    eventually(Duration::from_secs(20), came_back).await.expect("the text, or the offer of it");
}

#[tokio::test]
async fn a_draft_is_its_writers_and_no_older_than_a_month() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    let browser = signed_in(&app, true, DESK).await;
    browser.goto("/resources/new?kind=note").await;
    let keep = |name: &str, days: u32| {
        format!(
            "localStorage.setItem('coffer.draft {name} /resources note',
                JSON.stringify({{ at: Date.now() - {days} * 864e5, fields: {{ body: 'An old thought' }} }}))"
        )
    };
    for (name, days, is_offered) in [("owner", 29, true), ("owner", 31, false), ("other", 1, false)] {
        let _: () = browser.run(&keep(name, days)).await;
        browser.goto("/resources/new?kind=note").await;
        browser.has("h1", "Write a note").await;
        if is_offered {
            browser.sees("You have an unsaved draft").await;
        } else {
            browser.doesnt_see("You have an unsaved draft").await;
        }
        let _: () = browser.run("localStorage.clear()").await;
    }
}

#[tokio::test]
async fn logging_out_removes_drafts() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    let browser = signed_in(&app, true, DESK).await;
    browser.goto("/resources/new?kind=note").await;
    browser.fill("Text", "Nobody else may read this").await;
    browser.goto("/resources").await;
    browser.goto("/resources/new?kind=note").await;
    browser.press("Restore draft").await;
    let kept = "return Object.entries({ ...localStorage, ...sessionStorage }).join().includes('Nobody else')";
    assert!(browser.run::<bool>(kept).await);
    browser.press("Log out").await;
    browser.has("h1", "Log in").await;
    assert!(!browser.run::<bool>(kept).await);
}

#[tokio::test]
async fn a_search_is_one_step_of_the_history() {
    for width in [DESK, PHONE] {
        let app = App::with(Engine::Sqlite, &[]).await;
        let owner = app.signed_in("owner").await;
        owner.saves(json!({ "title": "Tide tables" })).await;
        owner.saves(json!({ "title": "Moon phases" })).await;
        let browser = signed_in(&app, true, width).await;
        for (letters, end) in [("t", "?q=t"), ("i", "?q=ti"), ("de", "?q=tide")] {
            browser.has("h1", "Library").await;
            let _: () = browser.run("document.getElementById('q').focus()").await;
            browser.types(letters).await;
            browser.is_at(end).await;
        }
        assert_eq!(browser.run::<String>("return document.title").await, "tide · Library · coffer");
        browser.hits(Key::Enter).await;
        browser.fill("Search the library", "moon").await;
        browser.is_at("?q=moon").await;
        browser.back().await;
        browser.is_at("?q=tide").await;
        browser.has(".entries", "Tide tables").await;
        browser.back().await;
        browser.is_at("/resources").await;
        browser.has(".entries", "Moon phases").await;
    }
}

/// As long as it was, and where it was.
#[tokio::test]
async fn the_list_comes_back_as_it_was() {
    let app = App::with(Engine::Sqlite, &[]).await;
    sixty_tides(&app.signed_in("owner").await).await;
    for width in [DESK, PHONE] {
        let browser = signed_in(&app, true, width).await;
        browser.follow("More").await;
        browser.sees("Tide 2").await;
        browser.follow("Tide 3").await;
        browser.has("h1", "Tide 3").await;
        browser.back().await;
        browser.has("h2", "Tide 3").await;
        let in_view = "const { top } = document.activeElement.getBoundingClientRect();
            return document.activeElement.innerText === 'Tide 3' && top > 0 && top < innerHeight";
        let back = async || if browser.run::<bool>(in_view).await { Ok(()) } else { Err("elsewhere") };
        eventually(Duration::from_secs(20), back).await.expect("the entry is in view and has the focus");
    }
}

#[tokio::test]
async fn after_the_trash_the_next_entry_has_the_focus() {
    for width in [DESK, PHONE] {
        let app = App::with(Engine::Sqlite, &[]).await;
        let owner = app.signed_in("owner").await;
        for title in ["Tide one", "Tide two", "Tide three"] {
            owner.saves(json!({ "title": title })).await;
        }
        let browser = signed_in(&app, true, width).await;
        browser.goto("/resources?q=tide&sort=newest").await;
        browser.follow("Tide two").await;
        browser.press("Move to trash").await;
        browser.has(".toast", "Moved to trash.").await;
        browser.is_at("/resources?q=tide&sort=newest").await;
        let focused = "return document.activeElement.innerText";
        let next = async || match browser.run::<String>(focused).await {
            text if text == "Tide one" => Ok(()),
            text => Err(text),
        };
        eventually(Duration::from_secs(20), next).await.expect("the next entry");
        browser.press("Undo").await;
        browser.has(".entries", "Tide two").await;
        browser.is_at("/resources?q=tide&sort=newest").await;
    }
}

/// Nothing under the toast: what is at the middle of a button is the button.
const COVERED: &str = "return [...document.querySelectorAll('main a, main button, main input')]
    .filter(element => element.checkVisibility()).filter(element => {
        const box = element.getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return false;
        return Boolean(document.elementFromPoint(x, y)?.closest('.toasts'));
    }).map(element => element.innerText)";

#[tokio::test]
async fn toasts_cover_nothing_and_contradict_nothing() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    sixty_tides(&owner).await;
    for width in [DESK, PHONE] {
        let browser = signed_in(&app, true, width).await;
        browser.follow("Tide 60").await;
        let pinned: bool = browser.run("return document.body.innerText.includes('Unpin')").await;
        browser.press(if pinned { "Unpin" } else { "Pin" }).await;
        browser.has(".toast", if pinned { "Unpinned." } else { "Pinned." }).await;
        assert_eq!(browser.run::<Vec<String>>(COVERED).await, [""; 0], "{width}");

        browser.goto("/resources").await;
        browser.follow("Edit “Tide 59”").await;
        browser.has(".entry-edit .field:focus-within label", "Title").await;
        browser.hits(Key::Enter).await;
        browser.has(".toast", "Saved.").await;
        assert_eq!(browser.run::<Vec<String>>(COVERED).await, [""; 0], "{width}");
        browser.follow("Edit “Tide 58”").await;
        browser.fill("Title", &"x".repeat(501)).await;
        browser.hits(Key::Enter).await;
        browser.has(".entry .field-error", "at most 500 are allowed").await;
        browser.has_no(".toast").await;
    }
}

/// The same without a script: the browser leads back, and forms say where they came from.
#[tokio::test]
async fn saving_leads_back_without_javascript() {
    for width in [DESK, PHONE] {
        let app = App::with(Engine::Sqlite, &[]).await;
        let owner = app.signed_in("owner").await;
        owner.saves(json!({ "title": "Tide tables", "url": "https://tides.example/" })).await;
        let browser = signed_in(&app, false, width).await;
        browser.goto("/resources?q=tide").await;
        browser.follow("Edit “Tide tables”").await;
        browser.fill("Title", "Tide tables of Leith").await;
        browser.press("Save").await;
        browser.has(".toast", "Saved.").await;
        browser.has(".entries", "Tide tables of Leith").await;
        assert!(browser.url().await.contains("/resources?q=tide#entry-"));

        browser.follow("Details of “Tide tables of Leith”").await;
        browser.press("Move to trash").await;
        browser.has(".toast", "Moved to trash.").await;
        browser.fill("Save a link", "tides.example").await;
        browser.press("Save").await;
        browser.has("h2", "This link is in your trash.").await;
        browser.press("Restore").await;
        browser.has(".toast", "Restored from the trash").await;
        browser.has("h1", "Tide tables of Leith").await;
    }
}
