//! The library in a browser: how much one screen shows, filters as clicks, keys, themes and times.

use fantoccini::key::Key;
use fantoccini::wd::PrintOrientation;
use reqwest::Method;
use serde_json::json;
use url::form_urlencoded;

use crate::browser::{has_complained_only_of, logs_in};
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::on_both_engines;

const DESK: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (390, 844);

async fn twenty_links(owner: &Actor) {
    links(owner, 20).await;
}

async fn links(owner: &Actor, count: usize) {
    for tide in 1..=count {
        let url = format!("https://tides.example/{tide}");
        let text = "High water at noon, low water at six, and both an hour later on the next day. ".repeat(4);
        let tags = ["sea", "tides/tables"];
        owner.saves(json!({ "title": format!("Tide {tide}"), "url": url, "body": text, "tags": tags })).await;
    }
}

async fn signed_in(app: &App, javascript: bool, (width, height): (u32, u32)) -> Browser {
    let browser = Browser::open(&app.origin(), javascript, width, height).await;
    logs_in(&browser, "owner").await;
    browser
}

/// Entries that are whole in the first screen.
const WHOLE: &str = "return [...document.querySelectorAll('.entry')].filter(entry => {
    const { top, bottom, height } = entry.getBoundingClientRect();
    return height > 0 && top >= 0 && bottom <= innerHeight;
}).length";
const TALLEST: &str =
    "return Math.max(...[...document.querySelectorAll('.entry')].map(entry => entry.offsetHeight))";

#[tokio::test]
async fn the_first_screen_shows_many() {
    let app = App::with(Engine::Sqlite, &[]).await;
    twenty_links(&app.signed_in("owner").await).await;
    for javascript in [true, false] {
        for (screen, least) in [(DESK, 5), (PHONE, 3)] {
            let browser = signed_in(&app, javascript, screen).await;
            browser.has(".found", "20 entries").await;
            let whole: usize = browser.run(WHOLE).await;
            assert!(whole >= least, "{whole} at {screen:?}");
            browser.press("Compact list").await;
            browser.has(".found", "Comfortable list").await;
            browser.has_no(".entry-excerpt").await;
            let (dense, tallest): (usize, u32) = (browser.run(WHOLE).await, browser.run(TALLEST).await);
            assert!(dense > whole && tallest <= 66, "{dense} of {tallest} px at {screen:?}");
            browser.press("Comfortable list").await;
            browser.has(".entry-excerpt", "High water").await;
        }
    }
}

#[tokio::test]
async fn many_tags_and_a_long_title_fold_into_their_row() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    let tags: Vec<String> = (1..=8).map(|n| format!("harbours-of-scotland-{n}")).collect();
    owner.saves(json!({ "title": "Tide tables", "url": "https://tides.example", "tags": tags })).await;
    owner.saves(json!({ "title": "Tides ".repeat(83), "tags": ["sea"] })).await;
    let fits = "return document.documentElement.scrollWidth <= innerWidth
        && [...document.querySelectorAll('.entry .tag')].every((tag) => {
            const { left, right } = tag.getBoundingClientRect();
            return left >= 0 && right <= innerWidth && tag.scrollWidth <= tag.clientWidth;
        })";
    let lines = "const title = document.querySelector('.entry-title');
        return title.offsetHeight / parseFloat(getComputedStyle(title).lineHeight)";
    for (javascript, screen) in [(true, PHONE), (false, PHONE), (true, DESK)] {
        let browser = signed_in(&app, javascript, screen).await;
        browser.goto("/resources").await;
        assert!(browser.run::<bool>(fits).await, "{screen:?}");
        let lines: f64 = browser.run(lines).await;
        assert!(lines > 1.0 && lines < 4.0, "{lines} at {screen:?}");
        browser.follow("+5 more tags of “Tide tables”").await;
        browser.has(".record .tags", "harbours-of-scotland-8").await;
    }
}

#[tokio::test]
async fn filters_and_orders_are_clicks() {
    let app = App::with(Engine::Postgres, &[]).await;
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Private tide", "tags": ["sea"] })).await;
    owner.saves(json!({ "title": "Public tide", "visibility": "public", "tags": ["sea"] })).await;
    owner.saves(json!({ "title": "Untold tide", "unread": true })).await;
    other.saves(json!({ "title": "Foreign tide", "visibility": "members", "tags": ["sea"] })).await;
    for (javascript, screen) in [(true, PHONE), (false, PHONE), (true, DESK), (false, DESK)] {
        let browser = signed_in(&app, javascript, screen).await;
        for (filter, shown, hidden) in [
            ("Mine", "Private tide", "Foreign tide"),
            ("Public", "Public tide", "Private tide"),
            ("Untagged", "Untold tide", "Public tide"),
            ("Unread", "Untold tide", "Public tide"),
            ("Members", "Foreign tide", "Untold tide"),
            ("Past week", "Foreign tide", "nothing of the kind"),
        ] {
            browser.goto("/resources").await;
            if screen == PHONE {
                browser.tick("Filter and sort").await;
            }
            browser.follow(filter).await;
            browser.has(".entries", shown).await;
            browser.doesnt_see(hidden).await;
        }
        browser.goto("/resources").await;
        browser.has(".visibility", "Public").await;
        assert_eq!(browser.run::<usize>("return document.querySelectorAll('.visibility').length").await, 2);
    }
}

#[tokio::test]
async fn pinned_entries_come_first_where_the_order_is_by_date() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Pinned", "pinned": true })).await;
    for tide in 1..=60 {
        owner.saves(json!({ "title": format!("Tide {tide}") })).await;
    }
    for (list, first) in
        [("", "Pinned"), ("?sort=oldest", "Pinned"), ("?sort=title", "Pinned"), ("?q=tide", "Tide 60")]
    {
        let page = owner.get(&format!("/resources{list}")).await.ok();
        assert_eq!(page.texts(".entry-title")[0], first, "{list}");
    }
    for list in ["/resources", "/resources?sort=oldest"] {
        let first = owner.get(list).await.ok().has(".found", ", 50 shown");
        let second = owner.get(&first.attributes("a[rel=next]", "href").remove(0)).await.ok();
        let mut all = [first.texts(".entry-title"), second.texts(".entry-title")].concat();
        assert_eq!(all.len(), 61, "{list}");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 61, "{list}");
    }
}

#[tokio::test]
async fn an_entry_is_kept_to_be_read_later_and_marked_as_read() {
    let app = App::with(Engine::Postgres, &[]).await;
    app.signed_in("owner").await;
    for (javascript, screen) in [(true, PHONE), (false, DESK)] {
        let browser = signed_in(&app, javascript, screen).await;
        browser.goto("/resources/new?kind=note").await;
        let title = format!("Read with script {javascript}");
        browser.fill("title", &title).await;
        browser.tick("Read later").await;
        browser.press("Save").await;
        browser.has(".record .unread", "unread").await;
        browser.goto("/resources?q=is:unread").await;
        browser.press(&format!("Mark as read “{title}”")).await;
        browser.has(".toast", "Marked as read.").await;
        browser.goto("/resources").await;
        browser.has_no(".unread").await;
        browser.press(&format!("Read later “{title}”")).await;
        browser.has(".toast", "Saved to read later.").await;
        browser.has(".entry .unread", "Unread").await;
        browser.tick(&format!("Select “{title}”")).await;
        browser.press("Mark as read").await;
        browser.has(".toast", "Marked as read: 1 entry.").await;
        browser.press("Undo").await;
        browser.has(".entry .unread", "Unread").await;
        browser.press(&format!("Move “{title}” to trash")).await;
        browser.has(".toast", "Moved to trash.").await;
    }
}

#[tokio::test]
async fn a_title_opens_its_site_and_the_first_entry_is_a_few_tabs_away() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    let here = format!("{}/tags", app.origin());
    owner.saves(json!({ "title": "Tide tables", "url": here })).await;
    let browser = signed_in(&app, true, DESK).await;
    browser.goto("/resources").await;
    for _ in 0..2 {
        browser.hits(Key::Tab).await;
    }
    browser.hits(Key::Enter).await;
    for _ in 0..2 {
        browser.hits(Key::Tab).await;
    }
    assert_eq!(browser.run::<String>("return document.activeElement.innerText").await, "Tide tables");
    browser.hits(Key::Enter).await;
    browser.has("h1", "Tags").await;
}

#[tokio::test]
async fn keys_do_what_the_list_of_them_says() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    for title in ["Tide one", "Tide two", "Tide three"] {
        owner.saves(json!({ "title": title })).await;
    }
    for screen in [DESK, PHONE] {
        let browser = signed_in(&app, true, screen).await;
        browser.types("?").await;
        browser.has(".shortcuts", "Next entry").await;
        browser.press("Close").await;
        browser.has_no(".shortcuts").await;
        browser.types("jjk").await;
        browser.has(".entry:focus-within h2", "Tide three").await;
        browser.types("jx").await;
        browser.has(".many", "1 entry selected").await;
        browser.types("x").await;
        browser.types("kt").await;
        browser.has(".entry-edit .field:focus-within label", "Tags").await;
        browser.hits(Key::Escape).await;
        browser.has_no(".entry-edit").await;
        browser.has(".entry:focus-within h2", "Tide three").await;
        browser.types("je").await;
        browser.has(".entry-edit .field:focus-within label", "Title").await;
        browser.hits(Key::Escape).await;
        browser.has_no(".entry-edit").await;
        browser.has(".entry:focus-within h2", "Tide two").await;
        browser.types("#").await;
        browser.has(".toast", "Moved to trash.").await;
        browser.types("u").await;
        browser.sees("Restored from the trash").await;
        browser.goto("/resources").await;
        browser.types("/").await;
        browser.types("three").await;
        browser.is_at("?q=three").await;
        browser.hits(Key::Escape).await;
        browser.is_at("/resources").await;
        browser.has(".entries", "Tide one").await;
        browser.types("jo").await;
        browser.has("h1", "Tide").await;
        browser.types("t").await;
        browser.has("h1", "Edit").await;
        browser.has(".field:focus-within label", "Tags").await;
        browser.hits(Key::Escape).await;
        browser.has(".record", "Saved by").await;
        browser.types("e").await;
        browser.has("h1", "Edit").await;
        browser.hits(Key::Escape).await;
        browser.has(".record", "Saved by").await;
        browser.types("e").await;
        browser.has("h1", "Edit").await;
        browser.fill("Text", "High at noon").await;
        let control_enter = format!("{}{}", char::from(Key::Control), char::from(Key::Enter));
        browser.types(&control_enter).await;
        browser.has(".prose", "High at noon").await;
        has_complained_only_of(&browser, &[]).await;
    }
}

#[tokio::test]
async fn the_search_is_a_key_away_on_every_page() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let entry = app.signed_in("owner").await.saves(json!({ "title": "Tide tables" })).await;
    let browser = signed_in(&app, true, DESK).await;
    for page in [entry.page().as_str(), "/tags", "/settings/profile"] {
        browser.goto(page).await;
        browser.types("/").await;
        browser.has("h1", "Library").await;
        browser.has(".search:focus-within label", "Search the library").await;
    }
}

#[tokio::test]
async fn counts_follow_an_entry_to_the_trash_and_back() {
    let app = App::with(Engine::Sqlite, &[]).await;
    links(&app.signed_in("owner").await, 52).await;
    let browser = signed_in(&app, true, DESK).await;
    browser.has(".found", "52 entries, 50 shown").await;
    browser.press("Move “Tide 52” to trash").await;
    browser.has(".found", "51 entries, 49 shown").await;
    browser.types("#").await;
    browser.has(".found", "50 entries, 48 shown").await;
    browser.types("u").await;
    browser.has(".found", "51 entries, 50 shown").await;
}

#[tokio::test]
async fn a_theme_is_chosen_and_times_are_the_readers() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables" })).await;
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Tides" })).if_match("\"1\"").await.ok();
    let sheet = "return getComputedStyle(document.body).backgroundColor";
    let versions = format!("{}/revisions", entry.page());
    for javascript in [true, false] {
        let browser = signed_in(&app, javascript, PHONE).await;
        browser.prefers("light").await;
        let light: String = browser.run(sheet).await;
        browser.goto("/settings/display").await;
        browser.tick("Dark").await;
        browser.press("Save for this browser").await;
        browser.has(".toast", "Saved.").await;
        assert_ne!(browser.run::<String>(sheet).await, light);

        browser.goto(&versions).await;
        browser.has("time", "UTC").await;
        let utc: String = browser.run("return document.querySelector('time').innerText").await;
        browser.lives_in("Asia/Kathmandu").await;
        browser.goto(&versions).await;
        let local: String = browser.run("return document.querySelector('time').innerText").await;
        assert_eq!(local == utc, !javascript, "{local}");
        if javascript {
            let expected = "const at = new Date(document.querySelector('time').dateTime);
                return new Date(at.getTime() + 345 * 60000).toISOString().slice(11, 16)";
            let expected: String = browser.run(expected).await;
            assert!(local.ends_with(&expected), "{local} {expected}");
        }
    }
}

#[tokio::test]
async fn what_is_shown_once_is_copied_by_a_button() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.admin("owner").await;
    let browser = signed_in(&app, true, DESK).await;
    browser.may_copy().await;
    browser.goto("/admin/invites").await;
    browser.press("Create invitation").await;
    browser.press("Copy").await;
    browser.has(".copies", "Copied").await;
    let wide = "return document.documentElement.scrollWidth <= innerWidth";
    assert!(browser.run::<bool>(wide).await);
}

#[tokio::test]
async fn what_browsers_ask_for_at_the_root_is_there() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let visitor = app.visitor();
    for (path, kind) in [
        ("/favicon.ico", "image/x-icon"),
        ("/apple-touch-icon.png", "image/png"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(visitor.get(path).await.ok().header("content-type"), kind);
    }
    visitor.get("/robots.txt").await.ok().text_has("Disallow: /api/");
}

#[tokio::test]
async fn a_printed_list_is_one_column_without_controls() {
    let app = App::with(Engine::Sqlite, &[]).await;
    twenty_links(&app.signed_in("owner").await).await;
    for javascript in [true, false] {
        let browser = signed_in(&app, javascript, DESK).await;
        browser.goto("/resources?q=high+water").await;
        for orientation in [PrintOrientation::Portrait, PrintOrientation::Landscape] {
            let pages = browser.printed_pages(orientation).await;
            assert!((2..=6).contains(&pages), "{pages} pages of twenty entries");
        }
        browser.shows_paper().await;
        browser.has(".print-only", "Search: high water").await;
        let narrowest =
            "return Math.min(...[...document.querySelectorAll('.entry')].map(entry => entry.offsetWidth))
            / document.documentElement.clientWidth";
        assert!(browser.run::<f64>(narrowest).await > 0.9);
        let controls = "return [...document.querySelectorAll('button, input, summary, select')]
            .filter(control => control.checkVisibility()).length";
        assert_eq!(browser.run::<usize>(controls).await, 0);
    }
}

/// Compressed, and without the fonts, which all pages share.
const HEAVIEST_LIBRARY: usize = 60 * 1000;

/// Links as people keep them: no two alike, each with five tags and notes of some length.
async fn varied_links(owner: &Actor, count: usize) {
    let words: Vec<&str> = include_str!("../../src/resources/samples.json")
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| word.len() > 2)
        .collect();
    let words = |from: usize, count: usize| {
        let some = (0..count).map(|n| words[(from * 37 + n * n * 11 + n) % words.len()]);
        some.collect::<Vec<_>>()
    };
    for nth in 1..=count {
        let title = words(nth, 7).join(" ");
        let host = words(nth + 90, 2).join("-");
        let url = format!("https://{host}.example/{nth}/{}", words(nth, 4).join("/"));
        let tags: Vec<String> =
            words(nth % 23, 5).iter().zip(0..).map(|(word, n)| format!("{word}{n}")).collect();
        let entry =
            json!({ "title": title, "url": url, "body": words(nth + 500, 60).join(" "), "tags": tags });
        owner.saves(entry).await;
    }
}

#[tokio::test]
async fn the_library_page_is_light() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    varied_links(&owner, 60).await;
    let page = owner.get("/resources?kind=link").await.ok();
    assert_eq!(page.texts(".entry").len(), 50);
    let mut addresses = vec!["/resources".to_owned()];
    addresses.extend(page.attributes("link[rel=stylesheet], link[type='image/svg+xml']", "href"));
    addresses.extend(page.attributes("script[src]", "src"));
    assert!(addresses.len() > 4, "{addresses:?}");
    addresses.push("/static/vendor/icons.svg".to_owned());
    let mut weight = 0;
    for address in addresses {
        weight += owner.get(&address).header("accept-encoding", "gzip").await.ok().bytes().len();
    }
    assert!(weight < HEAVIEST_LIBRARY, "{weight} bytes");
}

on_both_engines!(a_search_that_finds_nothing_offers_what_was_meant);
async fn a_search_that_finds_nothing_offers_what_was_meant(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Tide tables", "tags": ["sea/lighthouse"] })).await;
    let meant =
        owner.get("/resources?q=tide+lihgthouse&kind=note").await.ok().has(".nothing", "Did you mean");
    let href = meant.attributes(".nothing a", "href").remove(0);
    owner.get(&href).await.ok().has(".entry", "Tide tables").holds("q", "tide lighthouse");
    owner.get("/resources?q=tag:sea/lighthuse").await.ok().has(".nothing a", "tag:sea/lighthouse");
    owner.get("/resources?q=moon+lighthuse").await.ok().lacks("Did you mean");
    owner.get("/resources?q=tide+tables").await.ok().lacks("Did you mean");
    other.get("/resources?q=lighthuse").await.ok().has("h2", "No results").lacks("Did you mean");
}

on_both_engines!(the_words_of_ones_own_titles_are_offered);
async fn the_words_of_ones_own_titles_are_offered(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Überfahrt nach Helgoland", "body": "at noon" })).await;
    owner.saves(json!({ "title": "Moon over the sea", "visibility": "public" })).await;
    other.saves(json!({ "title": "Zugspitze" })).await;
    for (typed, meant) in [
        ("helgolnad", "Helgoland"),
        ("uberfart", "Überfahrt"),
        ("uberfahrt nach helgolandd", "uberfahrt nach Helgoland"),
        ("noon helgolnad", "noon Helgoland"),
        ("by:me helgolnad", "by:me Helgoland"),
    ] {
        let query: String = form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        let offered = owner.get(&format!("/resources?q={query}")).await.ok();
        assert_eq!(offered.texts(".nothing p a")[0], meant, "{typed}");
        let href = offered.attributes(".nothing p a", "href").remove(0);
        owner.get(&href).await.ok().has(".entry", "Überfahrt nach Helgoland").holds("q", meant);
    }
    for nothing in ["zugsptize", "sae", "helgolnad+moon", "helgolnad&kind=link", "%22helgolnad%22"] {
        let path = format!("/resources?q={nothing}");
        owner.get(&path).await.ok().has("h2", "No results").lacks("Did you mean");
    }
    other.get("/resources?q=zugsptize").await.ok().has(".nothing p a", "Zugspitze");
    other.get("/resources?q=helgolnad").await.ok().has("h2", "No results").lacks("Did you mean");
    app.visitor().get("/resources?q=mooon").await.ok().lacks("Did you mean");
}
