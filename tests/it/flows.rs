//! What people do in the library, each once in every way: with and without JavaScript, wide and narrow.

use fantoccini::key::Key;
use reqwest::Method;
use serde_json::json;

use crate::browser::{has_complained_only_of, logs_in};
use crate::dead_links::{asked, breaks};
use crate::support::actor::{Actor, Entry};
use crate::support::app::{App, Engine, PASSWORD};
use crate::support::browser::Browser;
use crate::support::pages::Pages;

/// Whether scripts run, and the width of the page.
pub const WAYS: [(bool, u32); 4] = [(true, 1280), (true, 390), (false, 1280), (false, 390)];

/// A person in the library, in one of the ways.
struct Visit {
    app: App,
    owner: Actor,
    browser: Browser,
    javascript: bool,
    narrow: bool,
}

impl Visit {
    async fn begin(javascript: bool, width: u32, settings: &[&str]) -> Self {
        let app = App::with(Engine::Sqlite, settings).await;
        let owner = app.signed_in("owner").await;
        let browser = Browser::open(&app.origin(), javascript, width, 900).await;
        logs_in(&browser, "owner").await;
        Self { app, owner, browser, javascript, narrow: width < 500 }
    }

    async fn saves(&self, title: &str, tags: &[&str]) -> Entry {
        self.owner.saves(json!({ "title": title, "tags": tags })).await
    }

    async fn searches(&self, text: &str, end: &str) {
        self.browser.goto("/resources").await;
        self.browser.fill("Search the library", text).await;
        self.browser.press("Search").await;
        self.browser.is_at(end).await;
    }

    async fn undoes(&self, notice: &str) {
        self.browser.press("Undo").await;
        self.browser.has(".toast", notice).await;
    }

    async fn opens_filters(&self) {
        if self.narrow {
            self.browser.tick("Filter and sort").await;
        }
    }
}

/// Makes a test for each of the [`WAYS`] of an `async fn name(visit: Visit)`; the settings are coffer's own options.
macro_rules! in_every_way {
    ($name:ident $(, $setting:expr)*) => {
        mod $name {
            use super::{Visit, WAYS};

            async fn goes(way: usize) {
                let (javascript, width) = WAYS[way];
                super::$name(Visit::begin(javascript, width, &[$($setting),*]).await).await;
            }

            #[tokio::test]
            async fn wide_with_javascript() {
                goes(0).await;
            }

            #[tokio::test]
            async fn narrow_with_javascript() {
                goes(1).await;
            }

            #[tokio::test]
            async fn wide_without_javascript() {
                goes(2).await;
            }

            #[tokio::test]
            async fn narrow_without_javascript() {
                goes(3).await;
            }
        }
    };
}

in_every_way!(a_broken_link_is_shown_and_found, "--check-links=on", "--fetch-allow=127.0.0.0/8");
async fn a_broken_link_is_shown_and_found(visit: Visit) {
    let Visit { app, owner, browser, .. } = &visit;
    let site = Pages::start().await;
    visit.saves("Moon", &[]).await;
    let gone = owner.saves(json!({ "url": site.url("/gone"), "title": "Tide tables" })).await;
    app.coffer.library.resources.enrol_links().await.expect("they are taken in");
    asked(app, &site, &["GET /gone", "HEAD /gone"]).await;
    browser.goto("/resources").await;
    browser.has(".entries", "Tide tables").await;
    browser.doesnt_see("Broken since").await;

    breaks(app, owner, &site, &gone).await;
    logs_in(browser, "owner").await;
    visit.searches("is:broken", "?q=is%3Abroken").await;
    browser.has(".entry", "Broken since").await;
    browser.doesnt_see("Moon").await;
    let archived = "return document.querySelector('.entry-source a[href*=\"web.archive.org\"]').href";
    assert!(browser.run::<String>(archived).await.ends_with(&site.url("/gone")));
    browser.follow("Details of “Tide tables”").await;
    browser.has(".reading-head", "Broken since").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(an_import_leaves_what_was_thrown_away);
async fn an_import_leaves_what_was_thrown_away(visit: Visit) {
    let Visit { owner, browser, .. } = &visit;
    let gone = owner.saves(json!({ "url": "https://tides.example/", "title": "Tides" })).await;
    owner.json_free(Method::DELETE, &gone.api()).await.is(204);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bookmarks.html");
    let text = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://tides.example/\">Tides</A>\
        <DT><A HREF=\"https://moon.example/\">Moon</A></DL>";
    std::fs::write(&file, text).expect("a file");
    browser.goto("/import").await;
    browser.upload("Bookmarks file", &file).await;
    browser.press("Preview").await;
    browser.has("#thrown-away", "will not be imported").await;
    browser.press("Import").await;
    browser.has("h1", "Bookmarks imported").await;
    browser.has("#thrown-away", "1 link is already in your trash").await;
    browser.follow("View imported entries").await;
    browser.has(".entries", "Moon").await;
    browser.doesnt_see("Tides").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(tags_are_merged_after_a_preview);
async fn tags_are_merged_after_a_preview(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Bread", &["Recipes"]).await;
    visit.saves("Soup", &["recipe", "Recipes"]).await;
    for choice in ["Cancel", "Merge"] {
        browser.goto("/tags").await;
        browser.has(".tag-list", "recipe").await;
        browser.follow("Merge into “Recipes”").await;
        browser.has("h1", "Merge these tags?").await;
        browser.has(".lede", "1 entry changes.").await;
        if choice == "Cancel" {
            browser.follow(choice).await;
        } else {
            browser.press(choice).await;
        }
    }
    browser.has(".toast", "Tags merged: 1 entry.").await;
    browser.doesnt_see("recipe").await;
    visit.undoes("Undone: 1 entry.").await;
    browser.has(".tag-list", "recipe").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(a_tag_is_renamed_and_deleted_and_comes_back);
async fn a_tag_is_renamed_and_deleted_and_comes_back(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Tide 1", &["sea", "moon"]).await;
    visit.saves("Tide 2", &["sea"]).await;
    browser.follow("Tags").await;
    browser.follow("Most used").await;
    browser.has(".tag-list li:first-child", "sea").await;
    browser.fill("Find a tag", "se").await;
    browser.press("Find").await;
    browser.doesnt_see("moon").await;
    browser.follow("Edit sea").await;
    browser.fill("Name", "ocean").await;
    browser.press("Rename").await;
    browser.has(".toast", "Tag renamed: 2 entries.").await;
    browser.has(".tag-list", "ocean").await;
    visit.undoes("Undone: 2 entries.").await;
    browser.has(".tag-list", "sea").await;
    browser.doesnt_see("ocean").await;

    browser.follow("Edit sea").await;
    browser.press("Delete tag…").await;
    browser.press("Delete tag").await;
    browser.has(".toast", "Tag deleted: 2 entries.").await;
    browser.doesnt_see("Edit sea").await;
    visit.undoes("Undone: 2 entries.").await;
    browser.has(".tag-list", "sea").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(a_tag_is_added_to_the_search_and_taken_away);
async fn a_tag_is_added_to_the_search_and_taken_away(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Tide tables", &["sea", "spring"]).await;
    visit.saves("Tide of people", &["town"]).await;
    visit.searches("tide", "?q=tide").await;
    browser.follow("spring").await;
    browser.has(".entries", "Tide tables").await;
    browser.doesnt_see("Tide of people").await;
    visit.opens_filters().await;
    browser.has(".side-tags", "sea").await;
    browser.follow("Only the tag spring ×, remove this filter").await;
    browser.has(".entries", "Tide of people").await;
    browser.is_at("?q=tide").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(a_link_in_the_trash_is_taken_back_or_saved_anew);
async fn a_link_in_the_trash_is_taken_back_or_saved_anew(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Moon", &[]).await;
    let link = json!({ "title": "Tide tables", "url": "https://tides.example/", "tags": ["sea"] });
    let link = visit.owner.saves(link).await;
    visit.owner.json_free(Method::DELETE, &link.api()).await.is(204);
    for choice in ["Restore", "Save as new"] {
        browser.goto("/resources").await;
        browser.fill("Save a link", "tides.example").await;
        browser.press("Save").await;
        browser.has(".notice h2", "This link is in your trash.").await;
        browser.fill("Tags", "spring").await;
        browser.press(choice).await;
        if choice == "Restore" {
            browser.has(".toast", "Restored from the trash, with your changes.").await;
            browser.has("h1", "Tide tables").await;
            browser.has(".record .tags", "sea").await;
            browser.press("Move to trash").await;
            browser.has(".toast", "Moved to trash.").await;
        }
    }
    browser.has("h1", "tides.example").await;
    browser.has(".record .tags", "spring").await;
    browser.follow("Trash").await;
    browser.has(".entries", "Tide tables").await;
    has_complained_only_of(browser, &["status of 409"]).await;
}

in_every_way!(the_trash_is_restored_and_emptied);
async fn the_trash_is_restored_and_emptied(visit: Visit) {
    let browser = &visit.browser;
    for title in ["Tide tables", "Moon phases"] {
        let entry = visit.saves(title, &[]).await;
        visit.owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    }
    browser.goto("/trash").await;
    browser.press("Restore all").await;
    browser.has(".toast", "Restored: 2 entries.").await;
    browser.sees("The trash is empty.").await;
    browser.follow("Back to library").await;
    browser.press("Move “Moon phases” to trash").await;
    browser.has(".toast", "Moved to trash.").await;
    browser.follow("Trash").await;
    browser.press("Empty trash…").await;
    browser.press("Empty trash").await;
    browser.sees("The trash is empty.").await;
    browser.goto("/resources").await;
    browser.has(".entries", "Tide tables").await;
    browser.doesnt_see("Moon phases").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(a_row_is_pinned_and_thrown_away_and_comes_back);
async fn a_row_is_pinned_and_thrown_away_and_comes_back(visit: Visit) {
    let browser = &visit.browser;
    for title in ["Tide tables", "Moon phases"] {
        visit.saves(title, &[]).await;
    }
    visit.searches("tide", "?q=tide").await;
    browser.press("Pin “Tide tables”").await;
    browser.has(".toast", "Pinned.").await;
    browser.has(".entry .pinned", "Pinned").await;
    browser.press("Move “Tide tables” to trash").await;
    browser.has(".toast", "Moved to trash.").await;
    browser.has_no(".entry").await;
    visit.undoes("Restored from the trash.").await;
    browser.has(".entry", "Tide tables").await;
    browser.field_holds("Search the library", "tide").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(many_entries_are_changed_and_changed_back);
async fn many_entries_are_changed_and_changed_back(visit: Visit) {
    let browser = &visit.browser;
    for title in ["Moon", "Tide 1", "Tide 2", "Tide 3"] {
        visit.saves(title, &["sea"]).await;
    }
    visit.searches("tide", "?q=tide").await;
    browser.tick("Select “Tide 2”").await;
    browser.tick("Select “Tide 3”").await;
    browser.fill("tags", "spring").await;
    browser.press("Add tags").await;
    browser.has(".toast", "Tags added: 2 entries.").await;
    browser.has(".entry .tags", "spring").await;
    visit.undoes("Undone: 2 entries.").await;
    browser.doesnt_see("spring").await;
    browser.is_at("?q=tide").await;

    browser.tick("Select “Tide 1”").await;
    browser.tick("All 3 results").await;
    browser.press("Move to trash").await;
    browser.has("h1", "Move to trash: 3 entries?").await;
    browser.press("Continue").await;
    browser.has(".toast", "Moved to trash: 3 entries.").await;
    browser.has("h2", "No results").await;
    visit.undoes("Undone: 3 entries.").await;
    browser.has(".entries", "Tide 1").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(back_leads_through_the_search_and_its_pages);
async fn back_leads_through_the_search_and_its_pages(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Tide of the very beginning", &[]).await;
    for tide in 1..=51 {
        visit.saves(&format!("Tide {tide}"), &[]).await;
    }
    visit.saves("Moon", &[]).await;
    visit.searches("tide", "?q=tide").await;
    browser.doesnt_see("Moon").await;
    browser.doesnt_see("Tide of the very beginning").await;
    browser.follow("More").await;
    browser.has(".entries", "Tide of the very beginning").await;
    browser.follow("Tide of the very beginning").await;
    browser.has("h1", "Tide of the very beginning").await;
    browser.back().await;
    browser.has(".entries", "Tide of the very beginning").await;
    browser.field_holds("Search the library", "tide").await;
    if !visit.javascript {
        browser.back().await;
        browser.is_at("?q=tide").await;
        browser.has(".more", "More").await;
    }
    browser.back().await;
    browser.is_at("/resources").await;
    browser.has(".entries", "Moon").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(what_was_typed_is_there_after_back);
async fn what_was_typed_is_there_after_back(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Moon", &["sea", "work/rust"]).await;
    browser.goto("/resources/new?kind=note").await;
    browser.fill("Title", "Tide tables").await;
    browser.fill("Text", "High at noon").await;
    if !visit.javascript {
        browser.press("Your tags").await;
        browser.sees("sea, work/rust").await;
    }
    browser.fill("Tags", "spring").await;
    browser.goto("/trash").await;
    browser.has("h1", "Trash").await;
    browser.back().await;
    for (field, text) in [("Title", "Tide tables"), ("Text", "High at noon"), ("Tags", "spring")] {
        browser.field_holds(field, text).await;
    }
    browser.press("Save").await;
    browser.has("h1", "Tide tables").await;
}

in_every_way!(a_conflict_shows_both_texts_and_saves_one);
async fn a_conflict_shows_both_texts_and_saves_one(visit: Visit) {
    let browser = &visit.browser;
    let entry = visit.saves("Tide tables", &[]).await;
    browser.goto("/resources").await;
    browser.follow("Edit “Tide tables”").await;
    browser.fill("Title", "High water").await;
    let theirs = json!({ "title": "Low water" });
    visit.owner.json(Method::PATCH, &entry.api(), theirs).if_match("\"1\"").await.ok();
    browser.hits(Key::Enter).await;
    browser.has(".meanwhile, .saved-side", "Low water").await;
    browser.field_holds("Title", "High water").await;
    if visit.javascript {
        browser.fill("Title", "High water").await;
        browser.hits(Key::Enter).await;
    } else {
        browser.press("Save mine as version 3").await;
    }
    browser.has(".toast", "Saved.").await;
    browser.goto("/resources").await;
    browser.has(".entry h2", "High water").await;
    has_complained_only_of(browser, &["status of 409", "status of 412"]).await;
}

in_every_way!(a_search_goes_on_after_the_session_has_ended);
async fn a_search_goes_on_after_the_session_has_ended(visit: Visit) {
    let Visit { app, browser, .. } = &visit;
    visit.saves("Tide tables", &[]).await;
    browser.goto("/resources").await;
    let person = app.viewer("owner").await.id().expect("an account");
    app.coffer.sessions.end_all(person).await.expect("the sessions end");
    browser.fill("Search the library", "tide").await;
    if !visit.javascript {
        browser.press("Search").await;
        browser.follow("Log in").await;
    }
    browser.has("h1", "Log in").await;
    browser.fill("Email or username", "owner").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.is_at("?q=tide").await;
    browser.has(".entries", "Tide tables").await;
}

in_every_way!(a_page_is_captured_once);
async fn a_page_is_captured_once(visit: Visit) {
    let browser = &visit.browser;
    let page = "/capture?url=https%3A%2F%2Ftides.example%2Fa&title=Tide+tables&text=High+at+noon";
    browser.goto(page).await;
    browser.field_holds("Address", "https://tides.example/a").await;
    browser.field_holds("Notes", "> High at noon").await;
    browser.press("Save").await;
    browser.has("h1", "Saved").await;
    browser.goto(page).await;
    browser.has(".toast", "You’ve already saved this link").await;
    browser.field_holds("Title", "Tide tables").await;
}

in_every_way!(an_address_in_a_sentence_is_saved_with_it);
async fn an_address_in_a_sentence_is_saved_with_it(visit: Visit) {
    let browser = &visit.browser;
    browser.fill("Save a link", "Read https://tides.example/a, it is good.").await;
    browser.press("Save").await;
    browser.goto("/resources").await;
    browser.follow("Details of “tides.example/a”").await;
    browser.has(".prose", "Read https://tides.example/a, it is good.").await;
    has_complained_only_of(browser, &[]).await;
}

in_every_way!(the_keyboard_alone_merges_tags);
async fn the_keyboard_alone_merges_tags(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Sailing", &["boat"]).await;
    visit.saves("Steaming", &["ship"]).await;
    browser.goto("/tags").await;
    browser.tabs_to("Edit boat").await;
    browser.hits(Key::Enter).await;
    browser.has(".field:focus-within label", "Name").await;
    browser.types(&format!("{}a", char::from(Key::Control))).await;
    browser.types("ship").await;
    browser.hits(Key::Enter).await;
    browser.has("h1", "Merge these tags?").await;
    browser.tabs_to("Merge").await;
    browser.hits(Key::Enter).await;
    browser.has(".toast", "Tags merged: 1 entry.").await;
    browser.tabs_to("Undo").await;
    browser.hits(Key::Enter).await;
    browser.has(".toast", "Undone: 1 entry.").await;
    browser.has(".tag-list", "boat").await;
}

in_every_way!(the_keyboard_alone_changes_many_entries);
async fn the_keyboard_alone_changes_many_entries(visit: Visit) {
    let browser = &visit.browser;
    for title in ["Tide 1", "Tide 2", "Tide 3"] {
        visit.saves(title, &[]).await;
    }
    browser.goto("/resources").await;
    for title in ["Tide 3", "Tide 1"] {
        browser.tabs_to(&format!("Select “{title}”")).await;
        browser.types(" ").await;
    }
    browser.tabs_to("Move to trash").await;
    browser.hits(Key::Enter).await;
    browser.has(".toast", "Moved to trash: 2 entries.").await;
    browser.doesnt_see("Tide 3").await;
    browser.tabs_to("Undo").await;
    browser.hits(Key::Enter).await;
    browser.has(".toast", "Undone: 2 entries.").await;
    browser.has(".entries", "Tide 3").await;
}

in_every_way!(the_keyboard_alone_takes_a_link_back);
async fn the_keyboard_alone_takes_a_link_back(visit: Visit) {
    let browser = &visit.browser;
    visit.saves("Moon", &[]).await;
    let link = json!({ "title": "Tide tables", "url": "https://tides.example/" });
    let link = visit.owner.saves(link).await;
    visit.owner.json_free(Method::DELETE, &link.api()).await.is(204);
    browser.goto("/resources").await;
    browser.tabs_to("Save a link").await;
    browser.types("tides.example").await;
    browser.tabs_to("Save").await;
    browser.hits(Key::Enter).await;
    browser.has(".notice h2", "This link is in your trash.").await;
    browser.tabs_to("Restore").await;
    browser.hits(Key::Enter).await;
    browser.has("h1", "Tide tables").await;
}
