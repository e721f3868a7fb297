//! Saving from elsewhere: the bookmarklet, the share menu, the browser's search, and what is pasted.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{has_complained_only_of, logs_in};
use crate::flows::WAYS;
use crate::support::app::{App, Engine};
use crate::support::browser::Browser;
use crate::support::on_both_engines;

on_both_engines!(what_is_shared_comes_into_the_form);
async fn what_is_shared_comes_into_the_form(app: App) {
    let owner = app.signed_in("owner").await;
    let path = "/capture?url=https%3A%2F%2Ftides.example%2Fa&title=Tide+tables&text=High%0Aat+noon";
    app.visitor().get(path).await.is(303);
    let form =
        owner.get(path).await.ok().holds("url", "https://tides.example/a").holds("title", "Tide tables");
    form.holds("body", "> High\n> at noon").holds("back", "/capture/saved");
    // As telephones share it.
    let shared = owner.get("/capture?text=Look%3A+https%3A%2F%2Ftides.example%2Fb").await.ok();
    shared.holds("url", "https://tides.example/b").holds("body", "Look:");
    owner.get("/capture?text=Only+words").await.ok().has("h1", "Write a note").holds("body", "Only words");

    let form = [
        ("url", "https://tides.example/a"),
        ("title", "Tides"),
        ("kind", "link"),
        ("back", "/capture/saved"),
    ];
    owner.post_form("/resources", &form).await.redirects_to("/capture/saved");
    owner.get("/capture/saved").await.ok().has("h1", "Saved").has("[data-closes]", "closes automatically");
    let kept = owner.get(path).await.is(303).header("location");
    assert!(kept.starts_with("/resources/") && kept.ends_with("/edit"), "{kept}");
    owner.get(&kept).await.ok().holds("title", "Tides").has(".toast", "You’ve already saved this link");
}

on_both_engines!(an_address_in_a_sentence_is_saved_with_it);
async fn an_address_in_a_sentence_is_saved_with_it(app: App) {
    let owner = app.signed_in("owner").await;
    let text = "Read https://tides.example/a, it is good.";
    let page = owner.post_form("/resources", &[("url", text)]).await.is(303).header("location");
    owner.get(&format!("{page}/edit")).await.ok().holds("url", "https://tides.example/a").holds("body", text);
    owner.post_form("/resources", &[("url", "no address")]).await.is(422).holds("url", "no address");
}

on_both_engines!(several_addresses_are_shown_before_they_are_saved);
async fn several_addresses_are_shown_before_they_are_saved(app: App) {
    let owner = app.signed_in("owner").await;
    let kept = owner.saves(json!({ "url": "https://kept.example/" })).await;
    let thrown = owner.saves(json!({ "url": "https://thrown.example/" })).await;
    owner.post_form(&format!("{}/trash", thrown.page()), &[]).await.is(303);
    let text = "https://tides.example/\nkept.example\nthrown.example\n\nhttps://moon.example/x and more";
    let shown = owner.post_form("/resources", &[("url", text)]).await.ok().has("h1", "Save 2 links?");
    let shown = shown
        .has(&format!(".pasted a[href='{}']", kept.page()), "already saved")
        .has(".pasted a", "in the trash");
    let urls = shown.attributes("[name=urls]", "value").remove(0);
    owner
        .post_form("/resources/several", &[("urls", &urls), ("tags", "sea")])
        .await
        .redirects_to("/resources");
    owner
        .get("/resources?tag=sea")
        .await
        .ok()
        .has(".toast", "Saved: 2 entries.")
        .has(".entry", "moon.example/x");
    let again = owner.post_form("/resources", &[("url", text)]).await.ok();
    again.has("h1", "Nothing new to save").has_no("[name=tags]");
}

on_both_engines!(the_ways_to_save_are_told);
async fn the_ways_to_save_are_told(app: App) {
    let owner = app.signed_in("owner").await;
    let origin = named(&app);
    let page = owner.get("/settings/capture").await.ok();
    let code = page.attributes("a.bookmarklet", "href").remove(0);
    assert!(code.starts_with("javascript:") && code.contains(&format!("{origin}/capture?url=")), "{code}");
    page.text_has(&format!("{origin}/resources?q=%s"));
    owner.get("/").await.ok().has(".first-steps a[href='/settings/capture']", "Set up");
    let search = owner.get("/opensearch.xml").await.ok();
    search.header_is("content-type", "application/opensearchdescription+xml; charset=utf-8");
    let list = owner.get("/resources").await.ok();
    assert_eq!(list.attributes("link[rel=search]", "href"), ["/opensearch.xml"]);
    let manifest = list.attributes("link[rel=manifest]", "href").remove(0);
    let manifest =
        owner.get(&manifest).await.ok().header_is("content-type", "application/manifest+json").json();
    assert_eq!(manifest["share_target"]["action"], "/capture");
    for icon in manifest["icons"].as_array().expect("icons") {
        owner.get(icon["src"].as_str().expect("a path")).await.ok();
    }
}

/// The address by which coffer calls itself where no other is set.
fn named(app: &App) -> String {
    app.origin().replace("127.0.0.1", "localhost")
}

/// As from a page elsewhere: one click, then Save.
#[tokio::test]
async fn the_bookmarklet_saves_in_two_actions() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    let browser = Browser::open(&named(&app), true, 1280, 900).await;
    logs_in(&browser, "owner").await;
    browser.goto("/settings/capture").await;
    browser.has("a.bookmarklet", "Save to coffer").await;
    has_complained_only_of(&browser, &[]).await;
    let opens = "const code = decodeURIComponent(document.querySelector('a.bookmarklet').href.slice('javascript:'.length));
        const url = code.match(/open\\('([^']+)'/)[1];
        window.open(url + encodeURIComponent('https://tides.example/a') + '&title=' + encodeURIComponent('Tide tables') + '&text=High', 'coffer', 'width=600,height=760')";
    let _: () = browser.run(opens).await;
    browser.goes_to_the_other_tab().await;
    browser.field_holds("Title", "Tide tables").await;
    browser.press("Save").await;
    browser.goes_to_the_first_tab_once_the_other_is_closed().await;
    browser.goto("/resources").await;
    browser.has(".entries", "Tide tables").await;
}

#[tokio::test]
async fn several_lines_are_pasted_into_the_box() {
    for (javascript, width) in WAYS {
        let app = App::with(Engine::Sqlite, &[]).await;
        app.signed_in("owner").await.saves(json!({ "title": "Moon" })).await;
        let browser = Browser::open(&app.origin(), javascript, width, 900).await;
        logs_in(&browser, "owner").await;
        if javascript {
            let paste = "document.getElementById('url').value = 'https://a.example/\\nhttps://b.example/'; document.getElementById('url').focus()";
            let _: () = browser.run(paste).await;
            browser.hits(Key::Enter).await;
        } else {
            browser.fill("Save a link", "https://a.example/\nhttps://b.example/").await;
            browser.press("Save").await;
        }
        browser.has("h1", "Save 2 links?").await;
        browser.press("Save all 2").await;
        browser.has(".toast", "Saved: 2 entries.").await;
        browser.has(".entries", "b.example").await;
        has_complained_only_of(&browser, &[]).await;
    }
}
