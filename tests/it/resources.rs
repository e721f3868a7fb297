//! A resource's life: saved, read, changed, pinned, thrown away, brought back, deleted; and every version of it.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer::web::forms::encode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;

const RESOURCES: &str = "/api/v1/resources";

async fn read(actor: &Actor, entry: &Entry) -> Value {
    actor.get(&entry.api()).await.ok().json()
}

on_both_engines!(a_saved_resource_comes_back_whole);
async fn a_saved_resource_comes_back_whole(app: App) {
    let owner = app.signed_in("owner").await;
    let draft = json!({
        "kind": "link", "title": "  Tide \n tables ", "url": "https://Tides.Example/a?b=1#c", "body": "# High\n\nwater",
        "tags": ["Work/Rust", "sea", "#Sea", " moon "], "visibility": "members", "pinned": true, "unread": true,
    });
    let saved =
        owner.json(Method::POST, RESOURCES, draft).await.is(201).header_is("etag", "\"1-tags-1893f99a\"");
    let (place, twin) = (saved.header("location"), saved.json());
    assert_eq!(owner.get(&place).await.ok().json(), twin);
    let expected = json!({
        "id": twin["id"], "owner": "owner", "kind": "link", "title": "Tide tables", "url": "https://tides.example/a?b=1#c",
        "body": "# High\n\nwater", "tags": ["moon", "sea", "Work/Rust"], "visibility": "members", "pinned": true,
        "unread": true, "version": 1,
        "created_at": twin["created_at"], "updated_at": twin["created_at"], "trashed_at": null,
        "icon": null, "broken_since": null,
    });
    assert_eq!(twin, expected);
}

on_both_engines!(what_is_left_out_has_its_default);
async fn what_is_left_out_has_its_default(app: App) {
    let owner = app.signed_in("owner").await;
    let link = read(&owner, &owner.saves(json!({ "url": "example.org/tides/" })).await).await;
    assert_eq!((&link["kind"], &link["title"]), (&json!("link"), &json!("example.org/tides")));
    assert_eq!(
        (&link["url"], &link["visibility"]),
        (&json!("https://example.org/tides/"), &json!("private"))
    );
    let note = read(&owner, &owner.saves(json!({ "body": "\u{2003}\n## First line\nSecond" })).await).await;
    assert_eq!(
        (&note["kind"], &note["title"], &note["url"]),
        (&json!("note"), &json!("First line"), &json!(null))
    );
}

on_both_engines!(a_change_touches_only_what_it_names);
async fn a_change_touches_only_what_it_names(app: App) {
    let owner = app.signed_in("owner").await;
    let draft = json!({ "title": "Before", "url": "https://a.example/", "body": "text", "tags": ["a"], "pinned": true, "unread": true });
    let entry = owner.saves(draft).await;
    let before = read(&owner, &entry).await;
    app.later(Duration::from_mins(1));
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "After" })).if_match("\"1\"").await.ok();
    let mut after = read(&owner, &entry).await;
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!((&after["title"], &after["version"]), (&json!("After"), &json!(2)));
    for field in ["title", "version", "updated_at"] {
        after[field] = before[field].clone();
    }
    assert_eq!(after, before);
}

on_both_engines!(every_save_leaves_a_version_that_says_how);
async fn every_save_leaves_a_version_that_says_how(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "One", "body": "first", "tags": ["a", "b"] })).await;
    let form = [("title", "Two"), ("body", "second"), ("tags", "c"), ("version", "1")];
    owner.post_form(&entry.page(), &form).await.redirects_to(&entry.page());
    owner.json(Method::PATCH, &entry.api(), json!({ "title": "Three" })).if_match("\"2\"").await.ok();
    owner.post_form(&format!("{}/pin", entry.page()), &[]).await.redirects_to(&entry.page());
    owner
        .json_free(Method::POST, &format!("{}/revisions/1/restore", entry.api()))
        .if_match("\"4\"")
        .await
        .ok();
    let revisions = owner.get(&format!("{}/revisions", entry.api())).await.ok().json();
    let told: Vec<_> = revisions["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|r| (r["version"].clone(), r["via"].clone(), r["title"].clone()))
        .collect();
    let expected = [
        (5, "restore", "One"),
        (4, "web", "Three"),
        (3, "api", "Three"),
        (2, "web", "Two"),
        (1, "api", "One"),
    ];
    assert_eq!(told, expected.map(|(version, via, title)| (json!(version), json!(via), json!(title))));
    let page = owner.get(&format!("{}/revisions", entry.page())).await.ok();
    let changed = [
        "Changed the title, text and tags",
        "Changed a mark, such as pinned or unread",
        "Changed the title",
        "Changed the title, text and tags",
        "Saved for the first time",
    ];
    assert_eq!(page.texts(".entry h2 + p"), changed);
    let first = owner.get(&format!("{}/revisions/1", entry.api())).await.ok().json();
    assert_eq!(
        (&first["body"], &first["tags"], &first["saved_by"]),
        (&json!("first"), &json!(["a", "b"]), &json!("owner"))
    );
    let now = read(&owner, &entry).await;
    assert_eq!(
        (&now["body"], &now["tags"], &now["pinned"]),
        (&json!("first"), &json!(["a", "b"]), &json!(true))
    );
}

on_both_engines!(the_history_has_its_pages);
async fn the_history_has_its_pages(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides", "body": "same\nold" })).await;
    owner.json(Method::PATCH, &entry.api(), json!({ "body": "same\nnew" })).if_match("*").await.ok();
    let page = owner.get(&format!("{}/revisions", entry.page())).await.ok();
    page.has(".entry", "Version 2 current").has(".entry", "via the API");
    let old = owner.get(&format!("{}/revisions/1", entry.page())).await.ok();
    old.has(".diff .same", "same").has(".diff .old", "old").has(".diff .now", "new").holds("version", "2");
    let restore = owner.post_form(&format!("{}/revisions/1/restore", entry.page()), &[("version", "2")]);
    restore.await.redirects_to(&entry.page());
    owner.get(&entry.page()).await.ok().has(".prose", "old");
    let stale = owner.post_form(&format!("{}/revisions/1/restore", entry.page()), &[("version", "2")]);
    stale.await.error_page(412);
}

on_both_engines!(an_address_is_kept_once_however_it_is_written);
async fn an_address_is_kept_once_however_it_is_written(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides", "url": "https://tides.example/a?b=1&a=2" })).await;
    for twin in [
        "https://tides.example/a?b=1&a=2",
        "http://www.tides.example/a/?a=2&b=1",
        "TIDES.example/a?a=2&b=1&utm_source=x",
        "https://tides.example:443/a?b=1&a=2#top",
        "https://tides.example/a?b=1&a=2#:~:text=tide",
        "https://tides.example/a?b=1&a=2#utm_source=x",
        "https://tides.example/%61?b=1&a=2",
    ] {
        let answer = owner
            .json(Method::POST, RESOURCES, json!({ "url": twin }))
            .await
            .is(409)
            .problem("duplicate_url");
        assert_eq!(answer.json()["existing_id"], entry.id.as_str(), "{twin}");
        owner.post_form("/resources", &[("url", twin)]).await.redirects_to(&entry.page());
        owner
            .get(&format!(
                "{RESOURCES}/lookup?url={}",
                twin.replace('&', "%26").replace('#', "%23").replace("%61", "%2561")
            ))
            .await
            .ok()
            .text_has(&entry.id);
        let full = owner
            .post_form("/resources", &[("kind", "link"), ("url", twin), ("title", "Typed")])
            .await
            .is(409);
        full.has(&format!(".notice a[href='{}']", entry.page()), "Tides")
            .holds("title", "Typed")
            .holds("url", twin);
    }
    for other in [
        "https://tides.example/A?b=1&a=2",
        "https://tides.example/a?b=2&a=1",
        "https://tides.example:8443/a?b=1&a=2",
    ] {
        owner.saves(json!({ "url": other })).await;
    }
    app.signed_in("other").await.saves(json!({ "url": "https://tides.example/a?b=1&a=2" })).await;
}

on_both_engines!(the_capture_page_opens_what_is_kept_already);
async fn the_capture_page_opens_what_is_kept_already(app: App) {
    let owner = app.signed_in("owner").await;
    let captured = "/resources/new?url=https%3A%2F%2Ftides.example%2F&title=Tides&text=Quoted";
    owner
        .get(captured)
        .await
        .ok()
        .holds("url", "https://tides.example/")
        .holds("title", "Tides")
        .holds("body", "Quoted");
    let entry = owner.saves(json!({ "url": "https://tides.example/" })).await;
    owner.get(captured).await.redirects_to(&entry.page());
    owner.get(&entry.page()).await.ok().has(".toast", "You’ve already saved this link");
}

on_both_engines!(a_change_to_a_kept_address_is_a_duplicate_too);
async fn a_change_to_a_kept_address_is_a_duplicate_too(app: App) {
    let owner = app.signed_in("owner").await;
    let first = owner.saves(json!({ "title": "First", "url": "https://first.example/" })).await;
    let second = owner.saves(json!({ "url": "https://second.example/" })).await;
    let change =
        owner.json(Method::PATCH, &second.api(), json!({ "url": "http://first.example" })).if_match("*");
    assert_eq!(change.await.is(409).problem("duplicate_url").json()["existing_id"], first.id.as_str());
    let form = [("url", "first.example"), ("title", "Typed"), ("version", "1"), ("kind", "link")];
    let refused = owner.post_form(&second.page(), &form).await.is(409);
    refused.has(".notice a", "First").holds("title", "Typed").holds("version", "1");
    owner.get(&second.api()).await.ok().header_is("etag", "\"1\"");
}

on_both_engines!(two_saves_at_once_keep_an_address_once);
async fn two_saves_at_once_keep_an_address_once(app: App) {
    let owner = app.signed_in("owner").await;
    let saves = (0..8).map(|n| {
        let draft =
            json!({ "url": "https://tides.example/", "title": format!("{n}"), "tags": ["same", "tags"] });
        std::future::IntoFuture::into_future(owner.json(Method::POST, RESOURCES, draft))
    });
    let mut statuses: Vec<_> = futures::future::join_all(saves).await.iter().map(Answer::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

on_both_engines!(two_changes_at_once_make_one_version);
async fn two_changes_at_once_make_one_version(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Before" })).await;
    let changes = (0..6).map(|n| {
        let change =
            owner.json(Method::PATCH, &entry.api(), json!({ "title": format!("{n}") })).if_match("\"1\"");
        std::future::IntoFuture::into_future(change)
    });
    let mut statuses: Vec<_> = futures::future::join_all(changes).await.iter().map(Answer::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
    let revisions = owner.get(&format!("{}/revisions", entry.api())).await.ok().json();
    assert_eq!(revisions["items"].as_array().map(Vec::len), Some(2));
}

on_both_engines!(a_conflict_shows_both_texts_and_loses_neither);
async fn a_conflict_shows_both_texts_and_loses_neither(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Before", "body": "one\ntwo" })).await;
    owner
        .json(Method::PATCH, &entry.api(), json!({ "title": "Theirs", "body": "one\nthree" }))
        .if_match("\"1\"")
        .await
        .ok();
    let form = [
        ("title", "Yours"),
        ("body", "one\nfour"),
        ("tags", "mine"),
        ("visibility", "private"),
        ("version", "1"),
    ];
    let conflict = owner.post_form(&entry.page(), &form).await.is(412);
    let conflict = conflict
        .has("h1", "Two versions of “Theirs”")
        .has(".saved-side", "Theirs")
        .has(".saved-side", "three");
    let conflict = conflict
        .holds("title", "Yours")
        .holds("body", "one\nfour")
        .holds("tags", "mine")
        .holds("version", "2");
    conflict.has(".diff .yours", "four").has(".diff .saved", "three").has(".diff .same", "one");
    let again = form.map(|(name, value)| if name == "version" { (name, "2") } else { (name, value) });
    owner.post_form(&entry.page(), &again).await.redirects_to(&entry.page());
    owner.get(&entry.page()).await.ok().has("h1", "Yours");
    owner.get(&format!("{}/revisions/2", entry.api())).await.ok().text_has("one\\nthree");
}

on_both_engines!(the_trash_gives_back_and_deletes);
async fn the_trash_gives_back_and_deletes(app: App) {
    let owner = app.signed_in("owner").await;
    let entry =
        owner.saves(json!({ "title": "Tides", "url": "https://tides.example/", "tags": ["sea"] })).await;
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.error_page(403);
    owner.post_form(&format!("{}/trash", entry.page()), &[]).await.redirects_to("/resources");
    let undo = format!("form[action='{}/restore']", entry.page());
    owner.get("/resources").await.ok().has(&format!(".toast {undo}"), "Undo").lacks("Tides");
    owner
        .json(Method::PATCH, &entry.api(), json!({ "title": "New" }))
        .if_match("*")
        .await
        .is(409)
        .problem("trashed");
    owner.get(&format!("{RESOURCES}/lookup?url=tides.example")).await.is(404);
    owner.post_form(&format!("{}/restore", entry.page()), &[]).await.redirects_to(&entry.page());
    let back = read(&owner, &entry).await;
    assert_eq!(
        (&back["trashed_at"], &back["version"], &back["tags"]),
        (&json!(null), &json!(3), &json!(["sea"]))
    );
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.redirects_to("/trash");
    owner.get("/trash").await.ok().has(".toast", "Deleted permanently").lacks("Tides");
    owner.get(&entry.api()).await.is(404).problem("not_found");
    owner.get(&format!("{}/revisions", entry.api())).await.is(404);
}

on_both_engines!(what_was_saved_again_meanwhile_is_not_restored_twice);
async fn what_was_saved_again_meanwhile_is_not_restored_twice(app: App) {
    let owner = app.signed_in("owner").await;
    let old = owner.saves(json!({ "url": "https://tides.example/" })).await;
    owner.json_free(Method::DELETE, &old.api()).await.is(204);
    let new = owner.saves(json!({ "url": "https://tides.example/" })).await;
    let refused = owner
        .json_free(Method::POST, &format!("{}/restore", old.api()))
        .await
        .is(409)
        .problem("duplicate_url");
    assert_eq!(refused.json()["existing_id"], new.id.as_str());
    owner.post_form(&format!("{}/restore", old.page()), &[]).await.redirects_to(&new.page());
    owner.json_free(Method::DELETE, &new.api()).await.is(204);
    owner.json_free(Method::POST, &format!("{}/restore", old.api())).await.ok();
}

on_both_engines!(the_trash_is_emptied_after_thirty_days);
async fn the_trash_is_emptied_after_thirty_days(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Old" })).await;
    let kept = owner.saves(json!({ "title": "Kept" })).await;
    owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    app.later(Duration::from_hours(29 * 24));
    assert_eq!(app.coffer.library.resources.empty_old_trash().await.ok(), Some(0));
    app.later(Duration::from_hours(25));
    assert_eq!(app.coffer.library.resources.empty_old_trash().await.ok(), Some(1));
    let owner = app.another_browser_of("owner").await;
    owner.get(&entry.api()).await.is(404);
    owner.get(&kept.api()).await.ok();
}

on_both_engines!(the_pinned_and_the_others_are_all_there_is);
async fn the_pinned_and_the_others_are_all_there_is(app: App) {
    let owner = app.signed_in("owner").await;
    for n in 0..5 {
        owner.saves(json!({ "title": format!("Tide {n}"), "tags": ["sea"], "pinned": n % 2 == 0 })).await;
    }
    for beside in ["", "&q=tide", "&q=tide&sort=oldest", "&tag=sea", "&kind=note&sort=title"] {
        let count = async |pinned: &str| {
            let path = format!("{RESOURCES}?pinned={pinned}{beside}");
            owner.get(&path).await.ok().json()["items"].as_array().map(Vec::len)
        };
        let counts = (count("true").await, count("false").await, count("").await);
        assert_eq!(counts, (Some(3), Some(2), Some(5)), "{beside}");
    }
    owner.get(&format!("{RESOURCES}?pinned=false&q=is:pinned")).await.ok().lacks("Tide");
}

on_both_engines!(an_unchanged_resource_is_not_sent_again);
async fn an_unchanged_resource_is_not_sent_again(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Tides" })).await;
    for tag in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let unchanged =
            owner.get(&entry.api()).header("if-none-match", tag).await.is(304).header_is("etag", "\"1\"");
        assert_eq!(unchanged.text(), "", "{tag}");
    }
    for tag in ["\"2\"", "1", "", "\"x\""] {
        owner.get(&entry.api()).header("if-none-match", tag).await.ok().header_is("etag", "\"1\"");
    }
}

on_both_engines!(tags_that_nothing_carries_are_gone);
async fn tags_that_nothing_carries_are_gone(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "A", "tags": ["Sea", "work/rust"] })).await;
    owner.saves(json!({ "title": "B", "tags": ["SEA", "work/go"] })).await;
    let counts = owner.get("/api/v1/tags").await.ok().json();
    let expected = json!([{ "name": "Sea", "count": 2 }, { "name": "work/go", "count": 1 }, { "name": "work/rust", "count": 1 }]);
    assert_eq!(counts["items"], expected);
    owner.json(Method::PATCH, &entry.api(), json!({ "tags": [] })).if_match("*").await.ok();
    let counts = owner.get("/api/v1/tags").await.ok().json();
    assert_eq!(counts["items"], json!([{ "name": "Sea", "count": 1 }, { "name": "work/go", "count": 1 }]));
    owner.get("/resources?tag=work%2Frust").await.ok().text_has("No results");
}

on_both_engines!(markdown_is_shown_and_made_harmless);
async fn markdown_is_shown_and_made_harmless(app: App) {
    let owner = app.signed_in("owner").await;
    let body = "# Tides\n\n*High* [water](https://a.example) and [bad](javascript:alert(1)).\n\n<script>alert(2)</script>\
        <img src=x onerror=alert(3)><a href=\"data:text/html,x\" hx-get=\"/logout\" style=\"color:red\">x</a>\n\n| a |\n|---|\n| 1 |";
    let entry = owner.saves(json!({ "title": "<b>Bold</b>", "body": body })).await;
    for path in [entry.page(), format!("{}/revisions/1", entry.page())] {
        let page = owner
            .get(&path)
            .await
            .ok()
            .has("h1", "<b>Bold</b>")
            .has(".prose h2", "Tides")
            .has(".prose em", "High")
            .has(".prose td", "1");
        assert_eq!(page.attributes(".prose a[href]", "href"), ["https://a.example"]);
        assert_eq!(page.attributes(".prose a[href]", "rel"), ["nofollow noopener ugc"]);
        page.has_no(".prose script")
            .has_no(".prose img")
            .has_no(".prose [hx-get]")
            .has_no(".prose [style]")
            .has_no(".prose [onerror]")
            .has(".prose", "bad (javascript:alert(1))")
            .has(".prose", "<script>alert(2)</script>");
    }
}

/// Every id of a list, by its cursors; between two pages, `meanwhile` happens.
async fn walks(actor: &Actor, asked: &str, meanwhile: impl AsyncFn(usize)) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for page in 0..100 {
        let list = actor.get(&format!("{RESOURCES}?{asked}{cursor}")).await.ok().json();
        ids.extend(
            list["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|item| item["id"].as_str().expect("an id").to_owned()),
        );
        let Some(next) = list["next_cursor"].as_str() else { return ids };
        cursor = format!("&cursor={next}");
        meanwhile(page).await;
    }
    panic!("the list has no end");
}

/// 130 links in three heaps of the same time, with five titles between them.
async fn library_with_ties(actor: &Actor) -> BTreeSet<String> {
    use std::fmt::Write as _;
    let mut file = "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL>".to_owned();
    for n in 0..130 {
        let (at, title) = (1_700_000_000 + n % 3, n % 5);
        let _ = writeln!(
            file,
            "<DT><A HREF=\"https://tie.example/{n}\" ADD_DATE=\"{at}\">Word title {title}</A>"
        );
    }
    actor.uploads("/import", "ties.html", file.as_bytes(), &[]).await.is(303);
    let all = walks(actor, "limit=200", async |_| ()).await;
    assert_eq!(all.len(), 130);
    all.into_iter().collect()
}

on_both_engines!(paging_loses_and_doubles_nothing);
async fn paging_loses_and_doubles_nothing(app: App) {
    let owner = app.signed_in("owner").await;
    let all = library_with_ties(&owner).await;
    for asked in [
        "sort=newest", "sort=oldest", "sort=changed", "sort=title", "q=word", "q=word&sort=title",
        "q=word&sort=oldest", "kind=link&sort=title", "q=site:tie.example",
    ] {
        for limit in [7, 50, 65, 130] {
            let ids = walks(&owner, &format!("{asked}&limit={limit}"), async |_| ()).await;
            assert_eq!(ids.len(), 130, "{asked} by {limit}");
            assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), all, "{asked} by {limit}");
        }
    }
}

on_both_engines!(the_orders_are_what_they_say);
async fn the_orders_are_what_they_say(app: App) {
    let owner = app.signed_in("owner").await;
    let mut entries = Vec::new();
    for title in ["b", "C", "á", "10"] {
        app.later(Duration::from_secs(1));
        entries.push(owner.saves(json!({ "title": title })).await);
    }
    app.later(Duration::from_secs(1));
    owner.json(Method::PATCH, &entries[1].api(), json!({ "body": "changed" })).if_match("*").await.ok();
    for (sort, expected) in [
        ("newest", ["10", "á", "C", "b"]),
        ("oldest", ["b", "C", "á", "10"]),
        ("changed", ["C", "10", "á", "b"]),
        ("title", ["10", "á", "b", "C"]),
    ] {
        let list = owner.get(&format!("{RESOURCES}?sort={sort}")).await.ok().json();
        let titles: Vec<_> = list["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| item["title"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(titles, expected, "{sort}");
        let page = owner.get(&format!("/resources?sort={sort}")).await.ok();
        assert_eq!(page.texts(".entry-title"), expected, "{sort}");
    }
}

on_both_engines!(paging_loses_and_doubles_nothing_while_rows_come_and_go);
async fn paging_loses_and_doubles_nothing_while_rows_come_and_go(app: App) {
    let owner = app.signed_in("owner").await;
    let all = library_with_ties(&owner).await;
    for sort in ["newest", "oldest", "changed", "title"] {
        let added = async |page: usize| {
            let title = format!("Word title {}", page % 7);
            let new = owner.saves(json!({ "title": title })).await;
            if page.is_multiple_of(2) {
                owner.json_free(Method::DELETE, &new.api()).await.is(204);
            }
        };
        let ids = walks(&owner, &format!("sort={sort}&limit=20"), added).await;
        let old: Vec<_> = ids.iter().filter(|id| all.contains(*id)).collect();
        assert_eq!(old.len(), 130, "{sort}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{sort}: nothing twice");
    }
}

on_both_engines!(pages_lead_from_one_to_the_next);
async fn pages_lead_from_one_to_the_next(app: App) {
    let owner = app.signed_in("owner").await;
    library_with_ties(&owner).await;
    let (mut seen, mut path) = (BTreeSet::new(), "/resources?sort=title".to_owned());
    for rows in [50, 50, 30] {
        let page = owner.get(&path).await.ok();
        let hrefs = page.attributes(".entry-title a", "href");
        assert_eq!(hrefs.len(), rows, "{path}");
        seen.extend(hrefs);
        path = page.attributes("a[rel='next']", "href").pop().unwrap_or_default();
    }
    assert_eq!((seen.len(), path.as_str()), (130, ""));
}

on_both_engines!(filters_narrow_a_list_together);
async fn filters_narrow_a_list_together(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Link", "url": "https://a.example/", "tags": ["work/rust"] })).await;
    owner
        .saves(
            json!({ "title": "Pinned link", "url": "https://b.example/", "tags": ["Work"], "pinned": true }),
        )
        .await;
    owner.saves(json!({ "title": "Note", "tags": ["workshop"], "pinned": true })).await;
    for (asked, expected) in [
        ("kind=link", vec!["Pinned link", "Link"]),
        ("kind=note", vec!["Note"]),
        ("pinned=true", vec!["Note", "Pinned link"]),
        ("kind=link&pinned=true", vec!["Pinned link"]),
        ("tag=work", vec!["Pinned link", "Link"]),
        ("tag=WORK%2FRUST", vec!["Link"]),
        ("tag=work&q=pinned", vec!["Pinned link"]),
        ("tag=wor", vec![]),
        ("tag=workshop&kind=link", vec![]),
    ] {
        let page = owner.get(&format!("/resources?{asked}")).await.ok();
        assert_eq!(page.texts(".entry-title"), expected, "{asked}");
    }
    let active = owner.get("/resources?tag=work&kind=link&sort=title").await.ok();
    assert_eq!(active.texts(".sieve [aria-current='true']"), ["Links", "Title"]);
    active.has(".tag-active", "work").holds("kind", "link").holds("sort", "title").holds("tag", "work");
}

on_both_engines!(htmx_gets_the_part_and_the_whole_page_on_the_way_back);
async fn htmx_gets_the_part_and_the_whole_page_on_the_way_back(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Tides" })).await;
    let part =
        owner.get("/resources?q=tides").by_htmx().await.ok().has("#results .entry", "Tides").has_no("header");
    assert!(part.header("vary").to_lowercase().contains("hx-request"), "{}", part.header("vary"));
    for header in ["hx-boosted", "hx-history-restore-request"] {
        owner.get("/resources?q=tides").by_htmx().header(header, "true").await.ok().has("header", "Library");
    }
    owner.get("/resources?q=before:x").by_htmx().await.is(400).has("#query-error", "Enter a date");
}

on_both_engines!(parts_of_a_page_are_entries_of_their_own);
async fn parts_of_a_page_are_entries_of_their_own(app: App) {
    let owner = app.signed_in("owner").await;
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fragments.html"))
        .expect("a fixture");
    owner.uploads("/import", "fragments.html", &file, &[("visibility", "private")]).await.is(303);
    let list = owner.get(&format!("{RESOURCES}?limit=50")).await.ok().json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(12));
    let page = owner.saves(json!({ "url": "https://example.org/doc" })).await;
    for url in [
        "https://example.org/doc#section-3",
        "https://mega.example/#F!a!b",
        "https://mega.example/#F!a!c",
        "https://db.example/?pk_id=1",
        "https://db.example/?pk_id=2",
    ] {
        owner.post_form("/resources", &[("kind", "link"), ("url", url)]).await.is(303);
    }
    for twin in
        ["https://example.org/doc#", "https://example.org/doc#top", "https://example.org/doc#xtor=RSS-1"]
    {
        owner.post_form("/resources", &[("url", twin)]).await.redirects_to(&page.page());
    }
}

on_both_engines!(no_page_and_no_feed_holds_a_control_character);
async fn no_page_and_no_feed_holds_a_control_character(app: App) {
    let admin = app.admin("root").await;
    let raw = "bell\u{7} escape\u{1b}[31m del\u{7f} nel\u{85} csi\u{9b}";
    let note = json!({ "kind": "note", "title": "Log", "body": format!("{raw}\n\n`{raw}`\n\n    {raw}"), "visibility": "public" });
    let entry = admin.saves(note).await;
    let typed = encode(raw);
    // Text areas give back what was typed.
    let has_control = |page: &str| {
        let outside = page.split("<textarea").map(|part| part.rsplit("</textarea").next().unwrap_or(part));
        outside.flat_map(str::chars).any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
    };
    for path in [
        entry.page(),
        format!("{}/edit", entry.page()),
        format!("{}/revisions", entry.page()),
        "/resources?q=bell".to_owned(),
        "/feed.atom".to_owned(),
        format!("/resources?q={typed}"),
        format!("/tags?q={typed}"),
        format!("/capture?title={typed}"),
        format!("/resources/new?title={typed}"),
        format!("/admin/audit?person={typed}"),
        format!("/admin/users?q={typed}"),
    ] {
        let answer = admin.get(&path).await;
        assert!(answer.status() < 500, "{path}: {answer}");
        assert!(!has_control(&answer.text()), "{path}");
    }
    for path in [format!("/login?next=/{typed}"), format!("/{typed}"), entry.page(), "/feed.atom".to_owned()]
    {
        assert!(!has_control(&app.visitor().get(&path).await.text()), "{path}");
    }
    let refused = [("kind", "link"), ("url", raw), ("title", raw), ("body", raw), ("tags", raw)];
    assert!(!has_control(&admin.post_form("/resources", &refused).await.is(422).text()));
    admin.get(&entry.page()).await.ok().has(".prose", "bell\u{FFFD}");
}

on_both_engines!(control_characters_of_a_title_go);
async fn control_characters_of_a_title_go(app: App) {
    let owner = app.signed_in("owner").await;
    let raw = "a\u{1}b\u{1b}[31mc\u{7f}d\u{85}e\u{9b}f\tg";
    let clean = "ab[31mcd ef g";
    let by_api = owner.saves(json!({ "title": raw })).await;
    assert_eq!(read(&owner, &by_api).await["title"], clean);
    owner.json(Method::PATCH, &by_api.api(), json!({ "title": format!("{raw}!") })).if_match("*").await.ok();
    assert_eq!(read(&owner, &by_api).await["title"], format!("{clean}!"));
    owner
        .post_form("/resources", &[("kind", "link"), ("url", "https://c.example/"), ("title", raw)])
        .await
        .is(303);
    let file =
        format!("<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://d.example/\">{raw}</A></DL>");
    owner.uploads("/import", "b.html", file.as_bytes(), &[("visibility", "private")]).await.is(303);
    let is_control = |c: char| c.is_control() && c != '\n';
    for path in [
        "/resources",
        &by_api.page(),
        &format!("{}/edit", by_api.page()),
        &format!("{}/revisions", by_api.page()),
    ] {
        assert!(!owner.get(path).await.ok().text().contains(is_control), "{path}");
    }
    // What is stored from before is cleaned on its way out.
    let mut tx = app.coffer.db.begin().await.expect("a transaction");
    for sql in ["UPDATE resources SET title = $1", "UPDATE revisions SET title = $1"] {
        let stored = match tx.conn() {
            coffer::db::Engine::Postgres(conn) => sqlx::query(sql).bind(raw).execute(conn).await.map(drop),
            coffer::db::Engine::Sqlite(conn) => sqlx::query(sql).bind(raw).execute(conn).await.map(drop),
        };
        stored.expect("an old title");
    }
    tx.commit().await.expect("it stays");
    let stored = owner.get(&format!("{}/revisions/1", by_api.page())).await.ok();
    assert!(!stored.text().contains(is_control));
    assert!(!owner.get("/resources?sort=oldest").await.ok().text().contains(is_control));
}

on_both_engines!(the_spelling_of_a_tag_can_be_changed);
async fn the_spelling_of_a_tag_can_be_changed(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let one = owner.saves(json!({ "title": "One", "tags": ["Vue", "sea"] })).await;
    let two = owner.saves(json!({ "title": "Two", "tags": ["vue"], "visibility": "public" })).await;
    let theirs = other.saves(json!({ "title": "Theirs", "tags": ["VUE"] })).await;
    // What is new to an entry takes the spelling that is there.
    assert_eq!(read(&owner, &two).await["tags"], json!(["Vue"]));
    owner.get(&two.page()).await.ok().has(".record .tag", "Vue");
    owner.json(Method::PATCH, &one.api(), json!({ "tags": ["vue", "sea"] })).if_match("*").await.ok();
    assert_eq!(read(&owner, &one).await["tags"], json!(["sea", "vue"]));
    assert_eq!(read(&owner, &two).await["tags"], json!(["vue"]));
    owner.get(&two.page()).await.ok().has(".record .tag", "vue");
    app.visitor().get(&two.page()).await.ok().has(".record .tag", "vue");
    assert_eq!(read(&other, &theirs).await["tags"], json!(["VUE"]));
    let form = [("title", "Two"), ("tags", "VuE"), ("visibility", "public"), ("version", "1")];
    owner.post_form(&two.page(), &form).await.redirects_to(&two.page());
    assert_eq!(read(&owner, &one).await["tags"], json!(["sea", "VuE"]));
    // Looking back does not spell it as it was.
    owner.json_free(Method::POST, &format!("{}/revisions/1/restore", one.api())).if_match("*").await.ok();
    assert_eq!(read(&owner, &one).await["tags"], json!(["sea", "VuE"]));
    owner.get("/resources?tag=vue").await.ok().has(".entry-title", "One").has(".entry-title", "Two");
}

on_both_engines!(entries_of_one_title_have_links_and_buttons_of_their_own_names);
async fn entries_of_one_title_have_links_and_buttons_of_their_own_names(app: App) {
    let owner = app.signed_in("owner").await;
    let mut entries = Vec::new();
    for url in ["https://a.example/1", "https://a.example/2", "https://b.example/"] {
        entries.push(owner.saves(json!({ "title": "Tides", "url": url })).await);
    }
    for title in ["Tides", "Tides", "Moon"] {
        entries.push(owner.saves(json!({ "title": title, "body": "High water" })).await);
    }
    let distinct = |names: Vec<String>, alone: &str, other: &str| {
        let set: BTreeSet<_> = names.iter().collect();
        assert!(set.len() == 6 && names.len() == 6, "{names:?}");
        assert!(set.contains(&alone.to_owned()) && set.contains(&other.to_owned()), "{names:?}");
    };
    let shown = owner.get("/resources").await.ok().texts("[data-edit]");
    distinct(shown, "Edit “Moon”", "Edit “Tides”, b.example");
    for entry in entries {
        owner.json_free(Method::DELETE, &entry.api()).await.is(204);
    }
    let trash = owner.get("/trash").await.ok();
    distinct(trash.texts(".entry button.small:not(.alarm)"), "Restore “Moon”", "Restore “Tides”, b.example");
    let delete = trash.attributes(".entry summary", "aria-label");
    distinct(delete, "Delete permanently… “Moon”", "Delete permanently… “Tides”, b.example");
}

on_both_engines!(a_page_that_is_kept_knows_how_this_browser_shows_it);
async fn a_page_that_is_kept_knows_how_this_browser_shows_it(app: App) {
    let owner = app.signed_in("owner").await;
    let url = "https://tides.example/";
    let entry = owner.saves(json!({ "title": "Tides", "url": url, "visibility": "public" })).await;
    let search = "input[type=search][aria-keyshortcuts='/']";
    let everything_else = [("theme", "dark"), ("density", "compact"), ("title_opens", "entry")];
    let defaults =
        [("theme", "system"), ("density", "comfortable"), ("title_opens", "site"), ("shortcuts", "yes")];
    for (form, is_default) in [(&defaults[..], true), (&everything_else, false), (&defaults, true)] {
        owner.post_form("/settings/display", form).await.redirects_to("/settings/display");
        for _ in 0..2 {
            let page = owner.get("/resources").await.ok();
            assert_eq!(page.attributes(search, "name").len(), usize::from(is_default));
            assert_eq!(page.attributes("html[data-theme=dark]", "lang").is_empty(), is_default);
            assert_eq!(page.attributes(".entries.dense", "id").is_empty(), is_default);
            let opened = page.attributes(".entry-title a", "href").remove(0);
            assert_eq!(opened, if is_default { url.to_owned() } else { entry.page() });
        }
        let shown = owner.get("/settings/display").await.ok();
        assert_eq!(shown.attributes("input[checked]", "value").len(), form.len());
    }
    let visitor = app.visitor();
    visitor.sets_cookie("__Host-coffer-display", "light.no-shortcuts.unknown");
    visitor.get("/resources").await.ok().has_no(search);
    app.visitor().get("/resources").await.ok().has(search, "");
}
