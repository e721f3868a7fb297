//! Many entries at once: each gets what a single change gives it, and one Undo puts all of it back.

use coffer::resources::bulk::BulkChange;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;

async fn saves(owner: &Actor, count: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in 0..count {
        let url = format!("https://tides.example/{number}");
        entries.push(
            owner.saves(json!({ "title": format!("Tide {number}"), "url": url, "tags": ["sea"] })).await,
        );
    }
    entries
}

async fn changes(owner: &Actor, entries: &[Entry], fields: &[(&str, &str)], notice: &str) -> String {
    let picks: Vec<String> = entries.iter().map(|entry| format!("pick-{}", entry.id)).collect();
    let mut form: Vec<(&str, &str)> = picks.iter().map(|pick| (pick.as_str(), "yes")).collect();
    form.extend(fields);
    owner.post_form("/resources/many", &form).await.redirects_to("/resources");
    let page = owner.get("/resources").await.ok().has(".toast", notice);
    page.attributes(".toast form", "action").remove(0)
}

async fn read(owner: &Actor, entry: &Entry) -> Value {
    owner.get(&entry.api()).await.ok().json()
}

on_both_engines!(every_change_of_many_entries_is_undone_as_one);
async fn every_change_of_many_entries_is_undone_as_one(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = saves(&owner, 3).await;
    let chosen = &entries[..2];
    for (fields, notice, field, value) in [
        (
            &[("act", "add-tags"), ("tags", "moon, Sea")][..],
            "Tags added: 2 entries.",
            "tags",
            json!(["moon", "sea"]),
        ),
        (&[("act", "remove-tags"), ("tags", "SEA")], "Tags removed: 2 entries.", "tags", json!([])),
        (
            &[("act", "visibility"), ("visibility", "public")],
            "Visibility changed: 2 entries.",
            "visibility",
            json!("public"),
        ),
        (&[("act", "pin")], "Pinned: 2 entries.", "pinned", json!(true)),
        (&[("act", "unread")], "Saved to read later: 2 entries.", "unread", json!(true)),
    ] {
        let before = read(&owner, &entries[0]).await[field].clone();
        let undo = changes(&owner, chosen, fields, notice).await;
        for entry in chosen {
            assert_eq!(read(&owner, entry).await[field], value, "{notice}");
        }
        assert_eq!(read(&owner, &entries[2]).await["version"], 1, "{notice}");
        owner.post_form(&undo, &[]).await.redirects_to("/resources");
        owner.get("/resources").await.ok().has(".toast", "Undone: 2 entries.");
        assert_eq!(read(&owner, &entries[0]).await[field], before, "{notice}");
    }
    let versions = owner.get(&format!("{}/revisions", entries[0].page())).await.ok();
    assert_eq!(versions.texts(".entry-title").len(), 11, "each change and each undo is a version");
}

on_both_engines!(the_trash_takes_and_gives_back_many);
async fn the_trash_takes_and_gives_back_many(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = saves(&owner, 3).await;
    let undo = changes(&owner, &entries, &[("act", "trash")], "Moved to trash: 3 entries.").await;
    owner.get("/resources").await.ok().text_has("Your library is empty");
    // One address is in use again: that entry stays in the trash, and the page says so.
    owner.saves(json!({ "title": "Anew", "url": "https://tides.example/1" })).await;
    let progress = undo.trim_end_matches("/undo");
    owner.post_form(&undo, &[]).await.redirects_to(progress);
    owner.get(progress).await.ok().has(".notice", "1 entry was not changed");
    assert_eq!(owner.get("/trash").await.ok().texts(".entry-title"), ["Tide 1"]);

    owner.post_form(&format!("{}/trash", entries[0].page()), &[]).await.is(303);
    owner.post_form("/trash/empty", &[]).await.redirects_to("/trash");
    owner.get("/trash").await.ok().has(".toast", "Trash emptied").has("h2", "The trash is empty.");
    owner.get(&entries[0].page()).await.error_page(404);
    owner.get(&entries[2].page()).await.ok();

    owner.post_form(&format!("{}/trash", entries[2].page()), &[]).await.is(303);
    owner.post_form("/trash/restore", &[]).await.redirects_to("/trash");
    owner.get("/trash").await.ok().has(".toast", "Restored: 1 entry.");
    owner.get("/resources").await.ok().has(".entry", "Tide 2");
}

on_both_engines!(all_results_of_a_search_are_asked_about_first);
async fn all_results_of_a_search_are_asked_about_first(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = saves(&owner, 60).await;
    owner.saves(json!({ "title": "Moon" })).await;
    app.signed_in("eve").await.saves(json!({ "title": "Tide of hers", "visibility": "public" })).await;
    let form = [("act", "add-tags"), ("tags", "all"), ("all", "yes"), ("list", "q=tide")];
    let asked = owner.post_form("/resources/many", &form).await.ok().has("h1", "Add tags to 60 entries?");
    asked.holds("tags", "all").holds("list", "q=tide").holds("sure", "yes");
    assert_eq!(read(&owner, &entries[0]).await["version"], 1);
    owner
        .post_form("/resources/many", &[&form[..], &[("sure", "yes")]].concat())
        .await
        .redirects_to("/resources");
    let found = owner.get("/api/v1/resources?tag=all&limit=200").await.ok().json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(60));
}

on_both_engines!(what_is_somebody_elses_stays_as_it_is);
async fn what_is_somebody_elses_stays_as_it_is(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = saves(&owner, 1).await;
    let eve = app.signed_in("eve").await;
    let pick = format!("pick-{}", entries[0].id);
    for act in ["trash", "pin", "unread"] {
        eve.post_form("/resources/many", &[(&pick, "yes"), ("act", act)]).await.is(303);
        assert_eq!(read(&owner, &entries[0]).await["version"], 1);
    }
    owner.get(&entries[0].page()).await.ok().lacks("In the trash");
    let none = eve.post_form("/resources/many", &[("act", "pin")]).await.error_page(422);
    none.has("main p", "Select at least one entry first.");
    eve.post_form("/resources/many", &[(&pick, "yes"), ("act", "sell")]).await.error_page(400);
    eve.post_form("/resources/many", &[(&pick, "yes"), ("act", "add-tags")]).await.error_page(422);
}

on_both_engines!(chosen_entries_are_exported);
async fn chosen_entries_are_exported(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = saves(&owner, 2).await;
    let pick = format!("pick-{}", entries[1].id);
    let file = owner.post_form("/resources/many", &[(&pick, "yes"), ("act", "export")]).await.ok();
    file.text_has("https://tides.example/1").lacks("https://tides.example/0");
}

on_both_engines!(a_change_goes_on_where_its_node_has_left_it);
async fn a_change_goes_on_where_its_node_has_left_it(app: App) {
    let owner = app.signed_in("owner").await;
    let entries = saves(&owner, 3).await;
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.parse().expect("an id")).collect();
    let viewer = app.viewer("owner").await;
    let change = BulkChange::Pin(true);
    let id = app.coffer.library.resources.begin_bulk(&viewer, &change, &ids).await.expect("begun");
    owner.get(&format!("/changes/{id}")).await.ok().has("h1", "In progress");
    app.coffer.library.resources.resume_bulk().await.expect("nothing to do yet");
    assert_eq!(read(&owner, &entries[0]).await["pinned"], false);
    app.later(std::time::Duration::from_mins(3));
    app.coffer.library.resources.resume_bulk().await.expect("carried out");
    assert_eq!(read(&owner, &entries[0]).await["pinned"], true);
    owner.get(&format!("/changes/{id}")).await.ok().has("h1", "Done");
    app.later(std::time::Duration::from_hours(31 * 24));
    app.coffer.library.resources.forget_old_bulk().await.expect("forgotten");
    let again = app.another_browser_of("owner").await;
    again.get(&format!("/changes/{id}")).await.error_page(404);
}
