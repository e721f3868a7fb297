//! Nothing is shown to the wrong viewer, nothing that was thrown away comes back unasked, and saving leads back.

use coffer::db::Engine as Connection;
use reqwest::Method;
use serde_json::json;

use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;

const PARTS: [&str; 2] = ["/resources?q=tide", "/tags"];

/// What htmx asks from a page that was drawn for the holder of this form token.
async fn part(actor: &Actor, path: &str, token: &str) -> Answer {
    actor.get(path).by_htmx().header("x-csrf-token", token).await
}

on_both_engines!(a_page_gets_parts_for_its_own_viewer_only);
async fn a_page_gets_parts_for_its_own_viewer_only(app: App) {
    let ada = app.signed_in("ada").await;
    let eve = app.signed_in("eve").await;
    ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    let mine = ada.saves(json!({ "title": "Mine" })).await;
    let row = format!("{}/row", mine.page());
    for path in PARTS.into_iter().chain([row.as_str()]) {
        part(&ada, path, &ada.token()).await.ok();
        part(&eve, path, &ada.token()).await.is(204).header_is("hx-refresh", "true");
        part(&ada, path, "").await.is(204).header_is("hx-refresh", "true");
        part(&ada, path, "forged").await.is(204).header_is("hx-refresh", "true");
        part(&app.visitor(), path, &ada.token()).await.is(401).lacks("Tide tables");
    }
    part(&app.visitor(), PARTS[0], "").await.ok().has(".entry", "Tide tables");
}

on_both_engines!(a_search_of_an_ended_session_leads_to_the_login_and_back_to_it);
async fn a_search_of_an_ended_session_leads_to_the_login_and_back_to_it(app: App) {
    let ada = app.signed_in("ada").await;
    let page = ada.copied_cookies();
    ada.post_form("/logout", &[]).await.redirects_to("/login");
    let refused = part(&page, "/resources?q=tide", &page.token()).await.is(401);
    refused.header_is("hx-redirect", "/login?next=%2Fresources%3Fq%3Dtide");
    // The same person with a new session goes on.
    let again = app.another_browser_of("ada").await;
    part(&again, "/resources?q=tide", &page.token()).await.ok();
}

/// A link in the trash.
async fn thrown_away(owner: &Actor) -> String {
    let draft = json!({ "title": "Tide tables", "url": "https://tides.example/", "body": "High at noon", "tags": ["sea"] });
    let page = owner.saves(draft).await.page();
    owner.post_form(&format!("{page}/trash"), &[]).await.redirects_to("/resources");
    page
}

on_both_engines!(an_address_in_the_trash_is_offered_before_it_is_saved_anew);
async fn an_address_in_the_trash_is_offered_before_it_is_saved_anew(app: App) {
    let owner = app.signed_in("owner").await;
    let page = thrown_away(&owner).await;
    let typed =
        [("url", "tides.example"), ("title", ""), ("body", "Low at six"), ("tags", "moon"), ("kind", "link")];
    let asked = owner.post_form("/resources", &typed).await.is(409).has("h2", "in your trash");
    asked
        .has(&format!(".notice a[href='{page}']"), "Tide tables")
        .holds("body", "Low at six")
        .holds("tags", "moon");

    let chosen = |choice| [&typed[..], &[("trash", choice)]].concat();
    owner.post_form("/resources", &chosen("take-back")).await.redirects_to(&page);
    let taken = owner
        .get(&page)
        .await
        .ok()
        .has("h1", "Tide tables")
        .has(".toast", "Restored from the trash, with your changes");
    let taken = taken.has(".prose", "High at noon").has(".prose", "Low at six");
    assert_eq!(taken.texts(".record .tag"), ["moon", "sea"]);
    owner.get(&format!("{page}/revisions")).await.ok().has("h2", "Version 4");

    owner.post_form(&format!("{page}/trash"), &[]).await.is(303);
    let anew = owner.post_form("/resources", &chosen("leave")).await.is(303).header("location");
    assert_ne!(anew, page);
    // Now that the address is in use, nothing is offered any more.
    owner.post_form("/resources", &typed).await.is(409).has("h2", "You’ve already saved this link");
    owner.get("/trash").await.ok().has("h2", "Tide tables");
}

on_both_engines!(what_is_taken_back_is_seen_only_as_it_was_typed);
async fn what_is_taken_back_is_seen_only_as_it_was_typed(app: App) {
    let owner = app.signed_in("owner").await;
    let page = thrown_away(&owner).await;
    let api = format!("/api/v1{page}");
    owner.post_form(&format!("{page}/restore"), &[]).await.is(303);
    owner.json(Method::PATCH, &api, json!({ "visibility": "public" })).if_match("*").await.ok();
    app.visitor().get(&page).await.ok();
    owner.post_form(&format!("{page}/trash"), &[]).await.is(303);

    // The second of its two writes fails: nothing of it was done.
    let typed = [
        ("url", "tides.example"),
        ("title", "Mine"),
        ("kind", "link"),
        ("visibility", "private"),
        ("trash", "take-back"),
    ];
    refuse_typed_versions(&app).await;
    let refused = owner.post_form("/resources", &typed).expecting_trouble().await;
    assert!(refused.status() >= 500, "{refused}");
    owner.get(&page).await.ok().has(".notice", "In the trash");
    app.visitor().get(&page).await.is(404);
    take_typed_versions(&app).await;

    owner.post_form("/resources", &typed).await.redirects_to(&page);
    let taken = owner.get(&api).await.ok().json();
    assert_eq!((&taken["title"], &taken["visibility"]), (&json!("Mine"), &json!("private")));
    app.visitor().get(&page).await.is(404);
}

async fn refuse_typed_versions(app: &App) {
    executes(
        app,
        "ALTER TABLE revisions ADD CONSTRAINT no_typed CHECK (via <> 'web') NOT VALID",
        "CREATE TRIGGER no_typed BEFORE INSERT ON revisions WHEN NEW.via = 'web' BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
}

async fn take_typed_versions(app: &App) {
    executes(app, "ALTER TABLE revisions DROP CONSTRAINT no_typed", "DROP TRIGGER no_typed").await;
}

async fn executes(app: &App, postgres: &'static str, sqlite: &'static str) {
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    match tx.conn() {
        Connection::Postgres(conn) => sqlx::query(postgres).execute(conn).await.map(drop),
        Connection::Sqlite(conn) => sqlx::query(sqlite).execute(conn).await.map(drop),
    }
    .expect("it is ours");
    tx.commit().await.expect("a commit");
}

on_both_engines!(what_is_wrong_is_told_before_the_trash_is_touched);
async fn what_is_wrong_is_told_before_the_trash_is_touched(app: App) {
    let owner = app.signed_in("owner").await;
    let page = thrown_away(&owner).await;
    let long = "x".repeat(501);
    let typed = [("url", "tides.example"), ("title", &long), ("kind", "link")];
    owner.post_form("/resources", &typed).await.is(422).has(".field-error", "at most 500");
    let typed = [("url", "tides.example"), ("title", &long), ("kind", "link"), ("trash", "take-back")];
    owner.post_form("/resources", &typed).await.is(422);
    owner.get(&page).await.ok().has(".notice", "In the trash");
    // No one else's trash counts.
    let eve = app.signed_in("eve").await;
    eve.post_form("/resources", &[("url", "tides.example")]).await.is(303);
}

on_both_engines!(an_import_leaves_in_the_trash_what_was_thrown_away);
async fn an_import_leaves_in_the_trash_what_was_thrown_away(app: App) {
    let owner = app.signed_in("owner").await;
    let page = thrown_away(&owner).await;
    let file = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://tides.example/\">Tides</A>\
        <DT><A HREF=\"http://www.tides.example\">Tides again</A><DT><A HREF=\"https://moon.example/\">Moon</A></DL>";
    let sent =
        owner.uploads("/import", "b.html", file.as_bytes(), &[("visibility", "private")]).await.is(303);
    let report = owner.get(&sent.header("location")).await.ok();
    assert_eq!(report.texts(".tally dd"), ["1", "0", "0"]);
    let report = report.has("#thrown-away h2", "2 links are already in your trash");
    assert_eq!(report.attributes("#thrown-away li a", "href"), [page.as_str(), page.as_str()]);
    owner.get("/resources").await.ok().has(".entry", "Moon").lacks("Tides");

    owner.post_form(&format!("{page}/restore"), &[]).await.redirects_to(&page);
    let sent =
        owner.uploads("/import", "b.html", file.as_bytes(), &[("visibility", "private")]).await.is(303);
    owner.get(&sent.header("location")).await.ok().has_no("#thrown-away");
}

on_both_engines!(saving_leads_back_to_where_one_came_from);
async fn saving_leads_back_to_where_one_came_from(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables" })).await;
    let list = "/resources?q=tide";
    let at = |path: &str| format!("{}{path}", app.origin());
    let back = format!("{list}#entry-{}", entry.id);

    let form = owner.get(&format!("{}/edit", entry.page())).header("referer", at(list)).await.ok();
    let form = form.holds("back", list).has(&format!(".actions a[href='{list}']"), "Cancel");
    drop(form);
    let change = [("title", "Tides"), ("kind", "note"), ("version", "1"), ("back", list)];
    owner.post_form(&entry.page(), &change).await.redirects_to(&back);
    for (act, notice) in [
        ("pin", "Pinned."),
        ("unpin", "Unpinned."),
        ("unread", "Saved to read later."),
        ("read", "Marked as read."),
        ("trash", "Moved to trash."),
    ] {
        let done = owner.post_form(&format!("{}/{act}", entry.page()), &[]).header("referer", at(list)).await;
        done.redirects_to(&back);
        owner.get(list).await.ok().has(".toast", notice);
    }
    let undone = owner.post_form(&format!("{}/restore", entry.page()), &[]).header("referer", at(list)).await;
    undone.redirects_to(&back);

    let saved =
        owner.post_form("/resources", &[("url", "moon.example")]).header("referer", at("/")).await.is(303);
    let place = saved.header("location");
    assert!(place.starts_with("/#entry-"), "{place}");
    let toast = owner.get("/").await.ok().has(".toast", "Saved.");
    assert_eq!(toast.attributes(".toast a", "href"), [place.replace("/#entry-", "/resources/")]);
}

on_both_engines!(no_other_site_is_led_back_to);
async fn no_other_site_is_led_back_to(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables" })).await;
    let edit = format!("{}/edit", entry.page());
    for foreign in ["https://evil.example/resources", "https://evil.example/"] {
        owner.get(&edit).header("referer", foreign).await.ok().has_no("[name=back]");
    }
    for (back, version) in
        [("//evil.example/", "1"), ("https://evil.example/resources", "2"), ("/logout", "2")]
    {
        let change = [("title", "Tides"), ("kind", "note"), ("version", version), ("back", back)];
        owner.post_form(&entry.page(), &change).await.redirects_to(&entry.page());
    }
}

on_both_engines!(a_conflict_in_a_row_shows_both_texts);
async fn a_conflict_in_a_row_shows_both_texts(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables", "tags": ["sea"] })).await;
    let details = format!("{}/details", entry.page());
    let first = [("title", "High water"), ("tags", "sea"), ("visibility", "members"), ("version", "1")];
    owner.post_form(&details, &first).by_htmx().await.ok();
    let second = [("title", "Low water"), ("tags", "sea"), ("visibility", "private"), ("version", "1")];
    let conflict = owner.post_form(&details, &second).by_htmx().await.is(409).holds("title", "Low water");
    assert_eq!(conflict.texts(".meanwhile dd"), ["High water", "Members"]);
    let again = [("title", "Low water"), ("tags", "sea"), ("visibility", "private"), ("version", "2")];
    conflict.holds("version", "2");
    owner.post_form(&details, &again).by_htmx().await.ok().has(".entry-title", "Low water");
}

on_both_engines!(good_news_from_before_does_not_contradict_an_error);
async fn good_news_from_before_does_not_contradict_an_error(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tide tables" })).await;
    let change = |title, version| [("title", title), ("kind", "note"), ("version", version)];
    let long = "x".repeat(501);
    for (title, version, status) in [(long.as_str(), "2", 422), ("Low water", "1", 412)] {
        owner.post_form(&format!("{}/pin", entry.page()), &[]).await.redirects_to(&entry.page());
        owner.post_form(&entry.page(), &change(title, version)).await.is(status).has_no(".toast");
        owner.get(&entry.page()).await.ok().has_no(".toast");
    }
}

on_both_engines!(a_note_that_is_too_large_is_told_how_it_comes_back);
async fn a_note_that_is_too_large_is_told_how_it_comes_back(app: App) {
    let owner = app.signed_in("owner").await;
    let large = "x".repeat(2 << 20);
    let form = [("title", "Large"), ("body", large.as_str()), ("kind", "note")];
    owner.post_form("/resources", &form).await.error_page(413).text_has("you can restore what you entered");
}
