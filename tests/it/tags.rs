//! Tags that work: completed, chosen, renamed, merged, deleted, and all of it undone.

use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;

async fn saves(owner: &Actor, title: &str, tags: &[&str]) -> Entry {
    owner.saves(json!({ "title": title, "tags": tags })).await
}

async fn tags_of(owner: &Actor, entry: &Entry) -> Value {
    owner.get(&entry.api()).await.ok().json()["tags"].clone()
}

async fn changes(owner: &Actor, form: &[(&str, &str)], notice: &str) {
    owner.post_form("/tags/change", form).await.redirects_to("/tags");
    owner.get("/tags").await.ok().has(".toast", notice);
}

/// Presses the Undo of the notice that the next page shows.
async fn undoes(owner: &Actor, form: &[(&str, &str)]) {
    owner.post_form("/tags/change", form).await.redirects_to("/tags");
    let undo = owner.get("/tags").await.ok().attributes(".toast form", "action").remove(0);
    let referer = format!("{}/tags", owner.origin());
    owner.post_form(&undo, &[]).header("referer", referer).await.redirects_to("/tags");
    owner.get("/tags").await.ok().has(".toast", "Undone");
}

on_both_engines!(a_tag_is_completed_by_its_beginning_and_by_its_levels);
async fn a_tag_is_completed_by_its_beginning_and_by_its_levels(app: App) {
    let owner = app.signed_in("owner").await;
    saves(&owner, "One", &["Work/Rust", "rust", "rustic", "Ruhe", "100%_sure"]).await;
    saves(&app.signed_in("eve").await, "Hers", &["ruby"]).await;
    let names = async |typed: &str| owner.get(&format!("/tags/names?q={typed}")).await.ok().json();
    assert_eq!(names("ru").await, json!(["Ruhe", "rust", "rustic", "Work/Rust"]));
    assert_eq!(names("RUST").await, json!(["rust", "rustic", "Work/Rust"]));
    assert_eq!(names("100%25").await, json!(["100%_sure"]));
    assert_eq!(names("%25").await, json!([]));
    app.visitor().get("/tags/names?q=ru").await.is(303);
}

on_both_engines!(renaming_a_tag_changes_its_entries_and_is_undone_as_one);
async fn renaming_a_tag_changes_its_entries_and_is_undone_as_one(app: App) {
    let owner = app.signed_in("owner").await;
    let (one, two) =
        (saves(&owner, "One", &["work", "sea"]).await, saves(&owner, "Two", &["work/rust"]).await);
    let other = saves(&owner, "Other", &["sea"]).await;
    let hers = saves(&app.signed_in("eve").await, "Hers", &["work"]).await;

    owner.get("/tags/edit?tag=work").await.ok().holds("to", "work").has("label", "Include the tag below it");
    changes(&owner, &[("tag", "work"), ("to", "Job"), ("below", "yes")], "Tag renamed: 2 entries.").await;
    assert_eq!(tags_of(&owner, &one).await, json!(["Job", "sea"]));
    assert_eq!(tags_of(&owner, &two).await, json!(["Job/rust"]));
    owner.get("/resources?tag=job").await.ok().has(".entry", "One").has(".entry", "Two");
    owner.get("/resources?q=job").await.ok().has(".entry", "One");
    owner.get("/resources?tag=work").await.ok().text_has("No results");
    owner.get(&format!("{}/revisions", one.page())).await.ok().has("h2", "Version 2");
    owner.get(&format!("{}/revisions", other.page())).await.ok().lacks("Version 2");
    assert_eq!(tags_of(&app.another_browser_of("eve").await, &hers).await, json!(["work"]));

    undoes(&owner, &[("tag", "Job"), ("to", "Task"), ("below", "yes")]).await;
    assert_eq!(tags_of(&owner, &one).await, json!(["Job", "sea"]));
    assert_eq!(tags_of(&owner, &two).await, json!(["Job/rust"]));
}

on_both_engines!(a_new_spelling_is_one_change_of_the_tag);
async fn a_new_spelling_is_one_change_of_the_tag(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = saves(&owner, "One", &["Vue"]).await;
    changes(&owner, &[("tag", "Vue"), ("to", "vue")], "Tag renamed.").await;
    assert_eq!(tags_of(&owner, &entry).await, json!(["vue"]));
    undoes(&owner, &[("tag", "vue"), ("to", "VUE")]).await;
    assert_eq!(tags_of(&owner, &entry).await, json!(["vue"]));
}

on_both_engines!(a_merge_is_shown_before_it_is_done);
async fn a_merge_is_shown_before_it_is_done(app: App) {
    let owner = app.signed_in("owner").await;
    let one = saves(&owner, "One", &["js"]).await;
    let both = saves(&owner, "Both", &["js", "JavaScript"]).await;
    let form = [("tag", "js"), ("to", "javascript")];
    let shown = owner.post_form("/tags/change", &form).await.is(409).has("h1", "Merge these tags?");
    shown.has("td", "JavaScript").has(".lede", "2 entries change").holds("sure", "yes");
    assert_eq!(tags_of(&owner, &one).await, json!(["js"]));

    changes(&owner, &[&form[..], &[("sure", "yes")]].concat(), "Tags merged: 2 entries.").await;
    assert_eq!(tags_of(&owner, &one).await, json!(["JavaScript"]));
    assert_eq!(tags_of(&owner, &both).await, json!(["JavaScript"]));
    owner.get("/tags/edit?tag=js").await.error_page(404);
}

on_both_engines!(deleting_a_tag_keeps_its_entries);
async fn deleting_a_tag_keeps_its_entries(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = saves(&owner, "One", &["old", "sea"]).await;
    undoes(&owner, &[("tag", "old"), ("delete", "yes")]).await;
    assert_eq!(tags_of(&owner, &entry).await, json!(["old", "sea"]));
    changes(&owner, &[("tag", "old"), ("delete", "yes")], "Tag deleted: 1 entry.").await;
    assert_eq!(tags_of(&owner, &entry).await, json!(["sea"]));
}

on_both_engines!(the_undo_leaves_alone_what_was_changed_since);
async fn the_undo_leaves_alone_what_was_changed_since(app: App) {
    let owner = app.signed_in("owner").await;
    let (one, two) = (saves(&owner, "One", &["a"]).await, saves(&owner, "Two", &["a"]).await);
    owner.post_form("/tags/change", &[("tag", "a"), ("to", "b")]).await.redirects_to("/tags");
    let undo = owner.get("/tags").await.ok().attributes(".toast form", "action").remove(0);
    let change = [("title", "Two"), ("tags", "c"), ("kind", "note"), ("version", "2")];
    owner.post_form(&two.page(), &change).await.redirects_to(&two.page());
    let progress = undo.trim_end_matches("/undo");
    owner.post_form(&undo, &[]).await.redirects_to(progress);
    owner.get(progress).await.ok().has("h1", "Undone").has(".notice", "1 entry was not changed");
    assert_eq!((tags_of(&owner, &one).await, tags_of(&owner, &two).await), (json!(["a"]), json!(["c"])));
    // No one else may undo it, or see it.
    let eve = app.signed_in("eve").await;
    eve.get(progress).await.error_page(404);
    eve.post_form(&undo, &[]).await.error_page(404);
}

on_both_engines!(tags_are_found_sorted_and_offered_for_merging);
async fn tags_are_found_sorted_and_offered_for_merging(app: App) {
    let owner = app.signed_in("owner").await;
    saves(&owner, "One", &["recipe", "work/rust"]).await;
    for number in 0..3 {
        saves(&owner, &format!("Dish {number}"), &["Recipes"]).await;
    }
    let page = owner.get("/tags").await.ok();
    assert_eq!(page.attributes(".tag-name", "href").len(), 3);
    let merge = page.attributes(".twins a", "href");
    assert_eq!(merge, ["/tags/change?tag=recipe&to=Recipes"]);
    owner.get(&merge[0]).await.ok().has("h1", "Merge these tags?").has("td", "Recipes");
    let by_count = owner.get("/tags?sort=count").await.ok().texts(".tag-name");
    assert_eq!(by_count[0], "Recipes 3 entries");
    assert_eq!(owner.get("/tags?q=RUST").await.ok().attributes(".tag-name", "href").len(), 1);
    owner.get("/tags?q=nothing").await.ok().has("h2", "No tag matches");
}

on_both_engines!(what_is_wrong_with_a_new_name_is_told_at_its_field);
async fn what_is_wrong_with_a_new_name_is_told_at_its_field(app: App) {
    let owner = app.signed_in("owner").await;
    saves(&owner, "One", &["sea"]).await;
    for to in ["", "a,b", "sea", "  "] {
        let refused = owner.post_form("/tags/change", &[("tag", "sea"), ("to", to)]).await.is(422);
        refused.has("h1", "Edit tag “sea”").has_no("#refused");
    }
    owner.post_form("/tags/change", &[("tag", "nothing"), ("to", "x")]).await.error_page(404);
    owner.get("/tags/edit?tag=nothing").await.error_page(404);
}

on_both_engines!(tags_are_added_to_a_search_and_taken_away_as_chips);
async fn tags_are_added_to_a_search_and_taken_away_as_chips(app: App) {
    let owner = app.signed_in("owner").await;
    saves(&owner, "Tide tables", &["sea", "two words"]).await;
    saves(&owner, "Tide of people", &["town"]).await;
    saves(&owner, "Untold tide", &[]).await;

    let list = owner.get("/resources?q=tide&tag=sea").await.ok();
    assert_eq!(list.texts(".chips a"), ["Only the tag sea ×, remove this filter"]);
    assert_eq!(list.attributes(".chips a", "href"), ["/resources?q=tide"]);
    let two = "/resources?q=tag%3A%22two%20words%22%20tide&tag=sea";
    assert_eq!(list.attributes(".entry .tag", "href"), ["/resources?q=tide&tag=sea", two]);
    assert_eq!(list.attributes(".side-tags a", "href"), [two]);
    let both = owner.get(two).await.ok().has(".entry", "Tide tables").lacks("Tide of people");
    assert_eq!(
        both.attributes(".chips a", "href"),
        ["/resources?q=tag%3A%22two%20words%22%20tide", "/resources?q=tide&tag=sea"]
    );

    let counted = owner.get("/resources?q=tide").await.ok().texts(".side-tags a");
    assert_eq!(counted, ["sea 1 here", "town 1 here", "two words 1 here"]);
    let untagged = owner.get("/resources?q=is%3Auntagged").await.ok();
    assert_eq!(untagged.texts(".entry-title"), ["Untold tide"]);
    let tagged = owner.get("/resources?q=tide+-is%3Auntagged").await.ok();
    assert_eq!(tagged.texts(".entry-title").len(), 2);
}

on_both_engines!(a_form_without_a_script_lists_the_tags);
async fn a_form_without_a_script_lists_the_tags(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = saves(&owner, "One", &["sea", "work/rust"]).await;
    for path in ["/resources/new".to_owned(), format!("{}/edit", entry.page())] {
        owner.get(&path).await.ok().has("details.no-js p", "sea, work/rust");
    }
}

on_both_engines!(the_side_counts_the_tags_of_all_results);
async fn the_side_counts_the_tags_of_all_results(app: App) {
    let owner = app.signed_in("owner").await;
    for number in 0..55 {
        let tags: &[&str] = if number < 3 { &["sea", "moon"] } else { &["sea"] };
        saves(&owner, &format!("Tide {number}"), tags).await;
    }
    for list in ["/resources", "/resources?q=tide", "/resources?kind=note"] {
        let counted = owner.get(list).await.ok().has(".more", "More").texts(".side-tags a");
        assert_eq!(counted.len(), 2, "{list}: {counted:?}");
        assert!(counted[0].contains("sea") && counted[0].contains("55"), "{list}: {counted:?}");
        assert!(counted[1].contains("moon") && counted[1].contains('3'), "{list}: {counted:?}");
    }
    let narrowed = owner.get("/resources?q=tag%3Amoon").await.ok().texts(".side-tags a");
    assert!(matches!(&narrowed[..], [sea] if sea.contains('3')), "{narrowed:?}");
}

on_both_engines!(a_renamed_tag_is_renamed_in_the_trash_too);
async fn a_renamed_tag_is_renamed_in_the_trash_too(app: App) {
    let owner = app.signed_in("owner").await;
    let (kept, thrown) = (saves(&owner, "Kept", &["work"]).await, saves(&owner, "Thrown", &["work"]).await);
    owner.post_form(&format!("{}/trash", thrown.page()), &[]).await.is(303);
    owner.post_form("/tags/change", &[("tag", "work"), ("to", "job")]).await.redirects_to("/tags");
    owner.get("/trash").await.ok().text_has("Thrown");
    owner.post_form(&format!("{}/restore", thrown.page()), &[]).await.is(303);
    assert_eq!(tags_of(&owner, &thrown).await, json!(["job"]));
    assert_eq!(tags_of(&owner, &kept).await, json!(["job"]));
}
