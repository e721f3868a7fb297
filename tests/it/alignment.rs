//! What stands on one line in a browser, what folds on a phone, and what a page on paper leaves out.

use serde_json::json;

use crate::browser::logs_in;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;

const DESK: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (390, 844);

async fn opened(app: &App, (width, height): (u32, u32)) -> Browser {
    let browser = Browser::open(&app.origin(), true, width, height).await;
    logs_in(&browser, "root").await;
    browser
}

#[tokio::test]
async fn the_tables_of_the_api_reference_read_as_sentences() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.admin("root").await;
    let wide = "return [...document.querySelectorAll('.reference .scroll')]
        .filter(table => table.scrollWidth > table.clientWidth).length";
    let height = "return document.querySelector('#listResources .fields tbody tr').offsetHeight";
    for screen in [DESK, PHONE] {
        let browser = opened(&app, screen).await;
        browser.goto("/api/docs").await;
        let (wide, height): (usize, u32) = (browser.run(wide).await, browser.run(height).await);
        assert!(wide == 0 && height < 600, "{wide} tables scroll, {height} px at {screen:?}");
    }
}

#[tokio::test]
async fn events_begin_where_their_table_does() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.admin("root").await;
    let indent = "const text = document.createRange();
        text.selectNodeContents(document.querySelector('td.card-title'));
        return text.getBoundingClientRect().left - document.querySelector('.cards').getBoundingClientRect().left";
    for screen in [DESK, PHONE] {
        let browser = opened(&app, screen).await;
        browser.goto("/admin/audit").await;
        let indent: f64 = browser.run(indent).await;
        assert!(indent.abs() < 2.0, "{indent} px at {screen:?}");
    }
}

#[tokio::test]
async fn rows_keep_to_their_lines() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.admin("root").await;
    let tags = ["sea", "moon", "a-very-long-name-of-a-tag-that-goes-on-and-on-and-on"];
    let link = json!({ "title": "Tide", "url": "https://tides.example/", "tags": tags, "pinned": true, "visibility": "public" });
    owner.saves(link).await;
    let browser = opened(&app, DESK).await;
    let offset = "const centre = (css) => {
            const { top, height } = document.querySelector(css).getBoundingClientRect();
            return top + height / 2;
        };
        return centre('.entry-title') - centre('.entry .act')";
    let offset: f64 = browser.run(offset).await;
    assert!(offset.abs() < 2.0, "{offset} px");
    browser.press("Compact list").await;
    browser.has(".found", "Comfortable list").await;
    let cut = "return [...document.querySelectorAll('.dense .entry :is(.tag, .entry-source)')]
        .filter(part => part.scrollWidth > part.clientWidth).map(part => part.textContent)";
    assert_eq!(browser.run::<Vec<String>>(cut).await, [tags[2]]);
    let phone = opened(&app, PHONE).await;
    phone.press("Compact list").await;
    phone.has(".found", "Comfortable list").await;
    assert_eq!(
        phone.run::<Vec<String>>(&cut.replace(":is(.tag, .entry-source)", ".entry-source")).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_search_that_is_saved_stays_where_it_is() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.admin("root").await.saves(json!({ "title": "Tide" })).await;
    let place =
        "const { left, top } = document.querySelector('.save-search summary').getBoundingClientRect();
        return [left, top].map(Math.round)";
    for screen in [DESK, PHONE] {
        let browser = opened(&app, screen).await;
        browser.goto("/resources?q=tide").await;
        let before: [i64; 2] = browser.run(place).await;
        let _: () = browser.run("document.querySelector('.save-search').open = true").await;
        assert_eq!(browser.run::<[i64; 2]>(place).await, before, "{screen:?}");
        browser.fill("Name of this search", &format!("Tides {}", screen.0)).await;
        browser.press("Save search").await;
        browser.has(".toast", "Search saved.").await;
        browser.goto("/searches").await;
        browser.press("Delete…").await;
        browser.press("Delete").await;
        browser.has(".toast", "Saved search deleted.").await;
    }
}

#[tokio::test]
async fn pages_on_paper_have_nothing_to_press() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.admin("root").await.saves(json!({ "title": "Tide", "tags": ["sea", "moon"] })).await;
    let browser = opened(&app, DESK).await;
    let controls = "return [...document.querySelectorAll('main :is(button, input, summary, .tag-order, .tag-change, .share-search)')]
        .filter(control => control.checkVisibility()).length";
    for page in ["/resources?q=tide", "/tags", "/trash"] {
        browser.goto(page).await;
        browser.shows_paper().await;
        assert_eq!(browser.run::<usize>(controls).await, 0, "{page}");
        browser.doesnt_see("Back to library").await;
    }
    browser.goto("/tags").await;
    browser.shows_paper().await;
    let columns: String =
        browser.run("return getComputedStyle(document.querySelector('.tag-list')).columnWidth").await;
    assert_eq!(columns, "auto");
}
