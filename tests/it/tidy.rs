//! In a browser: tags are completed and merged, entries are ticked and changed, with and without JavaScript.

use std::time::Duration;

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{has_complained_only_of, logs_in};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::wait::eventually;

async fn signed_in(app: &App, javascript: bool, width: u32) -> Browser {
    let browser = Browser::open(&app.origin(), javascript, width, 900).await;
    logs_in(&browser, "owner").await;
    browser
}

async fn tides(owner: &Actor, count: usize) {
    for tide in 1..=count {
        owner.saves(json!({ "title": format!("Tide {tide}"), "tags": ["sea", "sea/deep water"] })).await;
    }
}

#[tokio::test]
async fn a_tag_is_completed_by_keyboard() {
    let app = App::with(Engine::Sqlite, &[]).await;
    tides(&app.signed_in("owner").await, 1).await;
    for width in [1280, 390] {
        let browser = signed_in(&app, true, width).await;
        browser.goto("/resources/new?kind=note").await;
        browser.fill("Title", "A note").await;
        browser.fill("Tags", "moon, se").await;
        browser.has("[role=option]", "sea/deep water").await;
        browser.hits(Key::Down).await;
        browser.has("[role=option][aria-selected=true]", "sea").await;
        browser.hits(Key::Down).await;
        browser.hits(Key::Enter).await;
        browser.field_holds("Tags", "moon, sea/deep water, ").await;
        browser.has_no("[role=option]").await;
        browser.types("se").await;
        browser.has("[role=option]", "sea").await;
        browser.hits(Key::Escape).await;
        browser.has_no("[role=option]").await;
        browser.hits(Key::Enter).await;
        browser.has("h1", "A note").await;
        has_complained_only_of(&browser, &[]).await;
    }
}

#[tokio::test]
async fn a_tag_is_completed_in_a_search_and_becomes_a_chip() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    tides(&owner, 1).await;
    owner.saves(json!({ "title": "Moon" })).await;
    let browser = signed_in(&app, true, 1280).await;
    browser.types("/").await;
    browser.types("tag:dee").await;
    browser.has("[role=option]", "sea/deep water").await;
    browser.hits(Key::Down).await;
    browser.hits(Key::Enter).await;
    browser.field_holds("q", "tag:\"sea/deep water\" ").await;
    browser.has(".chips", "sea/deep water").await;
    browser.has(".entries", "Tide 1").await;
    browser.doesnt_see("Moon").await;
}

#[tokio::test]
async fn entries_are_ticked_and_changed_at_once() {
    let app = App::with(Engine::Sqlite, &[]).await;
    tides(&app.signed_in("owner").await, 6).await;
    for width in [1280, 390] {
        let browser = signed_in(&app, true, width).await;
        browser.has_no("#many").await;
        assert!(browser.run::<bool>("return document.getElementById('many-tags').list === null").await);
        browser.tick("Select “Tide 5”").await;
        browser.has("#many", "1 entry selected").await;
        let shift = "const target = document.querySelector('[aria-label=\"Select “Tide 2”\"]');
            target.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: true }))";
        let _: () = browser.run(shift).await;
        browser.has("#many", "4 entries selected").await;
        browser.press("Move to trash").await;
        browser.has(".toast", "Moved to trash: 4 entries.").await;
        browser.doesnt_see("Tide 3").await;
        browser.press("Undo").await;
        browser.has(".toast", "Undone: 4 entries.").await;
        browser.has(".entries", "Tide 3").await;
        has_complained_only_of(&browser, &[]).await;
    }
}

#[tokio::test]
async fn entries_are_ticked_without_javascript() {
    let app = App::with(Engine::Postgres, &[]).await;
    tides(&app.signed_in("owner").await, 3).await;
    let browser = signed_in(&app, false, 390).await;
    let offered =
        "return [...document.getElementById('many-tags').list.options].map((option) => option.value)";
    assert_eq!(browser.run::<Vec<String>>(offered).await, ["sea", "sea/deep water"]);
    browser.tick("Select “Tide 2”").await;
    browser.tick("Select “Tide 3”").await;
    browser.fill("tags", "moon").await;
    browser.press("Add tags").await;
    browser.has(".toast", "Tags added: 2 entries.").await;
    browser.has(".entry .tag", "moon").await;
    browser.tick("All 3 entries").await;
    browser.press("Remove").await;
    browser.has(".status", "422").await;
    browser.goto("/resources").await;
    browser.press("Move “Tide 1” to trash").await;
    browser.has(".toast", "Moved to trash.").await;
    browser.press("Pin “Tide 2”").await;
    browser.has(".toast", "Pinned.").await;
    browser.has(".entry", "Unpin").await;
}

#[tokio::test]
async fn a_row_is_pinned_and_thrown_away_where_it_stands() {
    let app = App::with(Engine::Sqlite, &[]).await;
    tides(&app.signed_in("owner").await, 3).await;
    let browser = signed_in(&app, true, 1280).await;
    let _: () = browser.run("window.since = 'the first page'").await;
    browser.press("Pin “Tide 2”").await;
    browser.has(".toast", "Pinned.").await;
    browser.has("#results button", "Unpin “Tide 2”").await;
    browser.press("Move “Tide 2” to trash").await;
    browser.has(".toast", "Moved to trash.").await;
    browser.doesnt_see("Tide 2").await;
    let focused = async || match browser.run::<String>("return document.activeElement.innerText").await {
        text if text == "Tide 1" => Ok(()),
        text => Err(text),
    };
    eventually(Duration::from_secs(20), focused).await.expect("the next entry has the focus");
    assert_eq!(browser.run::<String>("return window.since").await, "the first page");
}
