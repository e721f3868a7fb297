//! An import goes on in steps: it survives a stop, two nodes do nothing twice, and a part of it can be taken back.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use coffer::db::Db;
use coffer::resources::import::File;
use coffer::resources::import::choices::Choices;
use coffer::resources::jobs::ABANDONED;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::import::ended;
use crate::support::actor::Actor;
use crate::support::app::{App, Engine};
use crate::support::on_both_engines;

const LINKS: usize = 1_000;

/// Links with a folder each hundred; every tenth stands in the file twice, and the last is none.
fn file() -> String {
    let mut file = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n".to_owned();
    for number in 0..LINKS {
        let line =
            format!("<DT><A HREF=\"https://{number}.example/\" TAGS=\"t{}\">{number}</A>\n", number % 7);
        let twin =
            if number.is_multiple_of(10) { line.replace("TAGS=\"t", "TAGS=\"twin,t") } else { String::new() };
        let _ = write!(file, "{line}{twin}");
    }
    file + "<DT><A HREF=\"javascript:void(0)\">Bookmarklet</A>\n</DL><p>\n"
}

/// Begins an import, and stops it after some of its steps.
async fn stopped_in_the_middle(app: &App, owner: &str) -> Uuid {
    let (resources, viewer) = (&app.coffer.library.resources, app.viewer(owner).await);
    let file = File { name: "b.html", bytes: file().into(), choices: Choices::default() };
    let id = resources.begin_import_of(&viewer, file).await.expect("it begins");
    let (stop, stopped) = oneshot::channel();
    let mut stop = Some(stop);
    let run = resources.run_import(id, |done, total| {
        if done > total / 3
            && let Some(stop) = stop.take()
        {
            let _ = stop.send(());
        }
    });
    tokio::select! {
        biased;
        _ = stopped => {}
        ended = run => panic!("it was to be stopped: {ended:?}"),
    }
    id
}

/// Each step adds a piece to SQLite's index of words, and a search asks all of them.
#[tokio::test]
async fn an_import_leaves_nothing_to_merge_in_the_index_of_words() {
    let app = App::with(Engine::Sqlite, &[]).await;
    let owner = app.signed_in("owner").await;
    let file = File { name: "b.html", bytes: file().into(), choices: Choices::default() };
    app.coffer
        .library
        .resources
        .import(&app.viewer("owner").await, file, |_, _| ())
        .await
        .expect("an import");
    assert_eq!(entries(&owner).await[0], LINKS);
    let Db::Sqlite { write, .. } = &app.coffer.db else { panic!("SQLite") };
    let written = || async {
        let total: i64 =
            sqlx::query_scalar("SELECT total_changes()").fetch_one(write.executor()).await.expect("a number");
        total
    };
    let before = written().await;
    sqlx::query("INSERT INTO resources_fts (resources_fts, rank) VALUES ('merge', 100)")
        .execute(write.executor())
        .await
        .expect("it merges");
    assert!(written().await - before < 2, "there was something left to merge");
}

async fn find(owner: &Actor, id: Uuid) -> Value {
    owner.get(&format!("/api/v1/imports/{id}")).await.ok().json()
}

/// Numbers of entries, and of those that were saved more than once.
async fn entries(owner: &Actor) -> [usize; 2] {
    let library = owner.get("/api/v1/export?format=json").await.ok().json();
    let entries = library["resources"].as_array().expect("entries");
    [entries.len(), entries.iter().filter(|entry| entry["version"] != 1).count()]
}

on_both_engines!(an_import_that_stopped_goes_on_and_brings_in_each_entry_once);
async fn an_import_that_stopped_goes_on_and_brings_in_each_entry_once(app: App) {
    let owner = app.signed_in("owner").await;
    let id = stopped_in_the_middle(&app, "owner").await;
    let import = find(&owner, id).await;
    let [done, total] = ["done", "total"].map(|name| import[name].as_u64().expect("a count"));
    assert!(import["state"] == "importing" && total == 1_101 && done > total / 3 && done < total, "{import}");
    let page = owner.get(&format!("/import/{id}")).await.ok().has("h1", "Importing");
    assert_eq!(page.attributes("progress", "value"), [done.to_string()]);
    page.text_has("http-equiv=\"refresh\"").text_has("hx-trigger=\"load delay:1s\"");
    let resources = &app.coffer.library.resources;
    resources.resume_imports().await.expect("nothing to do");
    assert_eq!(find(&owner, id).await["done"], done, "its node may still be at work");
    app.later(ABANDONED + Duration::from_secs(1));
    resources.resume_imports().await.expect("it goes on");
    let owner = app.another_browser_of("owner").await;
    let import = find(&owner, id).await;
    let counts = ["new", "duplicate", "refused"].map(|name| import["report"][name].clone());
    assert_eq!((&import["state"], counts), (&json!("committed"), [json!(1_000), json!(100), json!(1)]));
    assert_eq!((entries(&owner).await, &import["done"]), ([LINKS, 0], &json!(1_101)));
    let twin = owner.get("/api/v1/resources/lookup?url=https://990.example/").await.ok().json();
    assert_eq!(twin["tags"], json!(["t3", "twin"]));
}

on_both_engines!(two_nodes_that_carry_out_one_import_do_nothing_twice);
async fn two_nodes_that_carry_out_one_import_do_nothing_twice(app: App) {
    let owner = app.signed_in("owner").await;
    let id = stopped_in_the_middle(&app, "owner").await;
    let resources = &app.coffer.library.resources;
    let run = || resources.run_import(id, |_, _| ());
    let (one, two) = tokio::join!(run(), run());
    one.and(two).expect("one of them does it");
    ended(&owner, &format!("/import/{id}")).await.has("h1", "Bookmarks imported");
    assert_eq!(
        (entries(&owner).await, &find(&owner, id).await["report"]["new"]),
        ([LINKS, 0], &json!(1_000))
    );
}

on_both_engines!(a_part_of_an_import_can_be_taken_back);
async fn a_part_of_an_import_can_be_taken_back(app: App) {
    let owner = app.signed_in("owner").await;
    let known = owner.saves(json!({ "url": "https://0.example/", "title": "Known", "tags": ["old"] })).await;
    let id = stopped_in_the_middle(&app, "owner").await;
    assert!(entries(&owner).await[0] > LINKS / 4);
    assert_eq!(owner.get(&known.api()).await.ok().json()["tags"], json!(["old", "t0", "twin"]));
    owner.json_free(Method::POST, &format!("/api/v1/imports/{id}/undo")).await.ok();
    ended(&owner, &format!("/import/{id}")).await.has("h1", "Import undone");
    assert_eq!(entries(&owner).await[0], 1);
    assert_eq!(owner.get(&known.api()).await.ok().json()["tags"], json!(["old"]));
    let tags = owner.get("/api/v1/tags").await.ok().json();
    assert_eq!(tags["items"].as_array().map(Vec::len), Some(1), "{tags}");
    app.coffer.library.resources.run_import(id, |_, _| ()).await.expect("nothing is left to do");
    assert_eq!(entries(&owner).await[0], 1);
}

on_both_engines!(an_undo_that_stopped_goes_on);
async fn an_undo_that_stopped_goes_on(app: App) {
    let owner = app.signed_in("owner").await;
    let id = stopped_in_the_middle(&app, "owner").await;
    let resources = &app.coffer.library.resources;
    resources.begin_undo_of_import(&app.viewer("owner").await, id).await.expect("it begins");
    owner.get(&format!("/import/{id}")).await.ok().has("h1", "Undoing");
    app.later(ABANDONED + Duration::from_secs(1));
    resources.resume_imports().await.expect("it goes on");
    let owner = app.another_browser_of("owner").await;
    owner.get(&format!("/import/{id}")).await.ok().has("h1", "Import undone");
    assert_eq!(entries(&owner).await[0], 0);
}

on_both_engines!(a_preview_says_what_comes_in_and_takes_other_choices);
async fn a_preview_says_what_comes_in_and_takes_other_choices(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "url": "https://known.example/", "title": "Known", "tags": ["sea"] })).await;
    let file = "<DL><DT><H3>Coast</H3><DL><DT><A HREF=https://known.example/ TAGS=sea>Known</A>\n\
        <DT><A HREF=https://new.example/ TAGS=moon PRIVATE=1>New</A>\n\
        <DT><A HREF=https://open.example/>Open</A></DL></DL>";
    let fields = [("step", "preview"), ("visibility", "public")];
    let place = owner.uploads("/import", "b.html", file.as_bytes(), &fields).await.is(303).header("location");
    let preview =
        owner.get(&place).await.ok().has("h1", "Nothing imported yet").has(".lede", "bookmarks (HTML)");
    assert_eq!(preview.texts("#new-tags li"), ["Coast", "moon"]);
    let column = |page: &crate::support::answer::Answer, number: usize| {
        page.texts(&format!("#rows tbody td:nth-child({number})"))
    };
    assert_eq!(column(&preview, 3), ["Coast, sea", "Coast, moon", "Coast"]);
    assert_eq!(column(&preview, 4), ["Public", "Private", "Public"]);
    assert_eq!(column(&preview, 5), ["Already saved", "New", "New"]);
    let again = [("visibility", "members"), ("folders", "out")];
    owner.post_form(&format!("{place}/preview"), &again).await.redirects_to(&place);
    let preview = owner.get(&place).await.ok().holds("visibility", "members").holds("folders", "out");
    assert_eq!(preview.texts("#new-tags li"), ["moon"]);
    assert_eq!(column(&preview, 4), ["Members", "Private", "Members"]);
    owner.post_form(&format!("{place}/preview"), &[("visibility", "all")]).await.is(422);
    owner.post_form(&format!("{place}/commit"), &[]).await.redirects_to(&place);
    ended(&owner, &place).await.has("h1", "Bookmarks imported");
    let open = owner.get("/api/v1/resources/lookup?url=https://open.example/").await.ok().json();
    assert_eq!((&open["tags"], &open["visibility"]), (&json!([]), &json!("members")));
    owner.post_form(&format!("{place}/preview"), &again).await.is(409);
}

on_both_engines!(columns_that_coffer_does_not_know_are_mapped_by_hand);
async fn columns_that_coffer_does_not_know_are_mapped_by_hand(app: App) {
    let owner = app.signed_in("owner").await;
    let table = "what,where,why\nTides,https://tides.example/,sea moon\n";
    let sent = owner.uploads("/import", "t.csv", table.as_bytes(), &[("step", "preview")]).await.is(303);
    let place = sent.header("location");
    let preview = owner.get(&place).await.ok().has(".lede", "a table (CSV)").holds("column-address", "1");
    preview.has("select[name=column-title]", "what (Tides)");
    let columns = [("column-address", "1"), ("column-title", "0"), ("column-notes", "2")];
    owner.post_form(&format!("{place}/preview"), &columns).await.redirects_to(&place);
    owner.get(&place).await.ok().holds("column-title", "0").has("#rows td", "Tides");
    owner.post_form(&format!("{place}/commit"), &[]).await.redirects_to(&place);
    ended(&owner, &place).await;
    let tides = owner.get("/api/v1/resources/lookup?url=https://tides.example/").await.ok().json();
    assert_eq!((&tides["title"], &tides["body"]), (&json!("Tides"), &json!("sea moon")));
    let query = "/api/v1/imports?columns=address:1,notes:0&folders=false";
    let sent = owner.sends(Method::POST, query, "text/csv", table).await.is(201).json();
    assert_eq!(sent["report"]["columns"][0]["role"], "notes");
    owner.sends(Method::POST, "/api/v1/imports?columns=colour:1", "text/csv", table).await.invalid("columns");
    owner.sends(Method::POST, "/api/v1/imports?folders=perhaps", "text/csv", table).await.invalid("folders");
}

/// `coffer import` into a running coffer: whether it succeeded, and what it said.
async fn sends(app: &App, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
    command.env_clear().current_dir(app.data_dir()).args(["import", "b.html", "--server"]).arg(app.origin());
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = output.expect("coffer runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

on_both_engines!(the_command_brings_a_file_into_a_running_coffer);
async fn the_command_brings_a_file_into_a_running_coffer(app: App) {
    let owner = app.signed_in("owner").await;
    for (name, scope) in [("token", "resources:write"), ("weak", "resources:read")] {
        let draft = json!({ "name": name, "scopes": [scope] });
        let token = owner.json(Method::POST, "/api/v1/me/tokens", draft).await.is(201).json();
        let token = format!("{}\n", token["token"].as_str().expect("a token"));
        std::fs::write(app.data_dir().join(name), token).expect("a file");
    }
    std::fs::write(app.data_dir().join("b.html"), file()).expect("a file");
    let (done, said) = sends(&app, &["--token-file=token", "--preview"]).await;
    assert!(done && said.contains("b.html: bookmarks (HTML)."), "{said}");
    assert!(
        said.contains("1000 new, 100 already saved, 0 in the trash, 1 to skip. It makes 8 new tags."),
        "{said}"
    );
    assert_eq!(entries(&owner).await[0], 0);
    let (done, said) = sends(&app, &["--token-file=token", "--visibility=members"]).await;
    assert!(done && said.contains("1000 new, 100 already saved, 1 skipped."), "{said}");
    assert!(said.contains("bookmarklets"), "{said}");
    assert_eq!(entries(&owner).await, [LINKS, 0]);
    for (arguments, sentence) in [
        (&["--token-file=weak"][..], "scope"),
        (&["--token-file=absent"], "Cannot read absent"),
        (&[], "--token-file"),
        (&["--token-file=token", "--user=owner"], "cannot be used with"),
    ] {
        let (done, said) = sends(&app, arguments).await;
        assert!(!done && said.contains(sentence), "{sentence}: {said}");
    }
    std::fs::write(app.data_dir().join("b.html"), "no bookmarks").expect("a file");
    let (done, said) = sends(&app, &["--token-file=token"]).await;
    assert!(!done && said.contains("It seems to be a text."), "{said}");
}

#[tokio::test]
async fn a_file_is_dropped_on_the_form() {
    let app = App::with(Engine::Sqlite, &[]).await;
    app.signed_in("owner").await;
    let path = app.data_dir().join("dropped.html");
    std::fs::write(
        &path,
        "<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF=\"https://tides.example/\">Tides</A></DL>",
    )
    .expect("a file");
    for (width, height) in [(390, 844), (1280, 800)] {
        let browser = crate::support::browser::Browser::open(&app.origin(), true, width, height).await;
        crate::browser::logs_in(&browser, "owner").await;
        browser.goto("/import").await;
        browser.drops("[data-drop]", &path).await;
        browser.press("Preview").await;
        browser.has("h1", "Nothing imported yet").await;
        browser.has("#rows", "Tides").await;
        browser.has(".lede", "dropped.html").await;
    }
}

on_both_engines!(imports_of_the_last_30_days_are_found_again);
async fn imports_of_the_last_30_days_are_found_again(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    ada.get("/import").await.ok().lacks("Imports of the last 30 days");
    for (name, step) in [("first.html", ""), ("second.html", "preview")] {
        app.later(Duration::from_mins(1));
        ada.uploads("/import", name, file().as_bytes(), &[("visibility", "private"), ("step", step)])
            .await
            .is(303);
    }
    let page = ada.get("/import").await.ok();
    assert_eq!(page.texts(".holdings a"), ["second.html", "first.html"]);
    page.text_has("1101 entries, not imported yet.").text_has("1101 entries, imported.");
    let items = ada.get("/api/v1/imports").await.ok().json()["items"].take();
    assert_eq!(
        (&items[1]["file_name"], &items[1]["state"]),
        (&json!("first.html"), &json!("committed")),
        "{items}"
    );
    assert_eq!(eve.get("/api/v1/imports").await.ok().json(), json!({ "items": [] }));
    app.later(Duration::from_hours(31 * 24));
    let recent = app.coffer.library.resources.recent_imports(&app.viewer("ada").await).await.expect("a list");
    assert!(recent.is_empty(), "{recent:?}");
}
