//! Everything out again, in three formats and as one archive.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};
use std::time::Duration;

use coffer::resources::export::Format;
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::support::actor::{Actor, Ask};
use crate::support::app::App;
use crate::support::on_both_engines;
use crate::support::wait::eventually;

const ODD_TITLE: &str = "Tide & “time” <tables> žluťoučký 🌊";
const ODD_BODY: &str = "Heights are **above** chart datum.\n\n- <b>not bold</b> & more";

async fn keeps_some(app: &App, owner: &Actor) {
    owner
        .saves(json!({ "title": ODD_TITLE, "url": "https://tides.example/?a=1&b=%22x%22", "body": ODD_BODY,
            "tags": ["sea/tides", "Leith"], "visibility": "public" }))
        .await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "A note", "body": "# Only here\n\n---\ntext" })).await;
    let gone = owner.saves(json!({ "title": "Thrown away", "url": "https://gone.example/" })).await;
    owner.post_form(&format!("{}/trash", gone.page()), &[]).await.is(303);
}

pub fn files(zip: &[u8]) -> Vec<(String, String)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a ZIP");
    let read = |index| {
        let mut file = archive.by_index(index).expect("a file");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("UTF-8");
        (file.name().expect("a name").into_owned(), text)
    };
    let count = ZipArchive::new(Cursor::new(zip)).expect("a ZIP").len();
    (0..count).map(read).collect()
}

on_both_engines!(bookmarks_go_out_and_come_in_again);
async fn bookmarks_go_out_and_come_in_again(app: App) {
    let owner = app.signed_in("owner").await;
    keeps_some(&app, &owner).await;
    let file = owner.get("/export?format=html").await.ok();
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"coffer-bookmarks.html\"");
    let file = file.lacks("gone.example").lacks("Only here");
    let other = app.signed_in("other").await;
    other.uploads("/import", "b.html", file.bytes(), &[("visibility", "private")]).await.is(303);
    let items = other.get("/api/v1/resources?q=by:other").await.ok().json()["items"].take();
    let [item] = items.as_array().expect("a list").as_slice() else { panic!("one link, not {items}") };
    let whole = other.get(&format!("/api/v1/resources/{}", item["id"].as_str().expect("an id"))).await.json();
    assert_eq!(whole["title"], ODD_TITLE);
    assert_eq!(whole["url"], "https://tides.example/?a=1&b=%22x%22");
    assert_eq!(whole["body"], ODD_BODY);
    assert_eq!(whole["tags"], json!(["Leith", "sea/tides"]));
}

on_both_engines!(an_own_export_comes_back_as_it_was);
async fn an_own_export_comes_back_as_it_was(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let bodies = [
        "",
        "    code  \nand *more*\n\n\n# H <b>x</b> &amp; [linkding-notes]\n",
        "- a\n  - b\n\n\tc <DT>",
        "one",
    ];
    for (number, body) in bodies.iter().enumerate() {
        let visibility = ["private", "members", "public", "members"][number];
        owner
            .saves(json!({ "title": format!("Entry {number} 'a' \"b\" <c>"), "url": format!("https://{number}.example/?a=1&b=2"),
                "body": body, "tags": [format!("tide tables {number}")], "visibility": visibility, "unread": number == 2 }))
            .await;
    }
    let file = owner.get("/export?format=html").await.ok();
    let text = String::from_utf8(file.bytes().to_vec()).expect("UTF-8");
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        assert!(known.iter().any(|name| text[at..].starts_with(name)), "{}", &text[at..]);
    }
    assert_eq!((text.matches("PRIVATE=\"0\"").count(), text.matches("PRIVATE=\"1\"").count()), (1, 3));
    app.later(Duration::from_mins(5));
    other.uploads("/import", "b.html", file.bytes(), &[("visibility", "public")]).await.is(303);
    let (mine, theirs) = (facts(&owner).await, facts(&other).await);
    assert_eq!((theirs.len(), theirs), (4, mine));
}

/// What an export of the bookmarks keeps of each entry.
async fn facts(actor: &Actor) -> Vec<Vec<String>> {
    let library = actor.get("/api/v1/export?format=json").await.ok().json();
    let fact = |entry: &Value| {
        let names = ["kind", "title", "url", "body", "tags", "visibility", "unread"]
            .map(|name| entry[name].to_string());
        // A bookmarks file counts in seconds. What is imported was last changed when it came in.
        let created = entry["created_at"].to_string()[..20].to_owned();
        names.into_iter().chain([created]).collect()
    };
    let mut facts: Vec<Vec<String>> =
        library["resources"].as_array().expect("a list").iter().map(fact).collect();
    facts.sort();
    facts
}

on_both_engines!(json_holds_every_entry_and_no_one_elses);
async fn json_holds_every_entry_and_no_one_elses(app: App) {
    let owner = app.signed_in("owner").await;
    keeps_some(&app, &owner).await;
    app.signed_in("other").await.saves(json!({ "title": "Not mine", "visibility": "public" })).await;
    let library = owner.get("/api/v1/export?format=json").await.ok().json();
    let entries = library["resources"].as_array().expect("a list");
    let titles: Vec<&str> = entries.iter().filter_map(|entry| entry["title"].as_str()).collect();
    assert_eq!(titles, [ODD_TITLE, "A note", "Thrown away"]);
    assert_eq!(entries[0]["body"], ODD_BODY);
    assert!(entries[2]["trashed_at"].is_string() && entries[1]["trashed_at"].is_null());
}

on_both_engines!(markdown_has_one_file_an_entry);
async fn markdown_has_one_file_an_entry(app: App) {
    let owner = app.signed_in("owner").await;
    keeps_some(&app, &owner).await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "../../etc/passwd", "body": "x" })).await;
    let files = files(owner.get("/export?format=markdown").await.ok().bytes());
    assert_eq!(files.len(), 4);
    let (name, text) = &files[0];
    assert!(name.starts_with("entries/tide-time-tables-žluťoučký-"), "{name}");
    assert!(text.ends_with(&format!("---\n\n{ODD_BODY}\n")), "{text}");
    assert!(text.contains("url: \"https://tides.example/?a=1&b=%22x%22\""), "{text}");
    assert!(files[2].0.starts_with("entries/etc-passwd-"), "{}", files[2].0);
    assert!(files[3].0.starts_with("trash/thrown-away-"), "{}", files[3].0);
}

on_both_engines!(a_long_library_goes_out_whole);
async fn a_long_library_goes_out_whole(app: App) {
    let owner = app.signed_in("owner").await;
    let viewer = app.viewer("owner").await;
    app.coffer.library.resources.seed(&viewer, 1_100, |_| {}).await.expect("a seeded library");
    let library: Value = owner.get("/export?format=json").await.ok().json();
    let ids: BTreeSet<&str> = library["resources"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["id"].as_str())
        .collect();
    assert_eq!(ids.len(), 1_100);
}

on_both_engines!(the_page_tells_how_far_an_export_is);
async fn the_page_tells_how_far_an_export_is(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let viewer = app.viewer("owner").await;
    app.coffer.library.resources.seed(&viewer, 1_100, |_| {}).await.expect("a seeded library");
    let percents = async |who: &Actor, path: &str| {
        let page = who.get(path).await.ok();
        page.attributes("progress", "value").iter().map(|value| value.parse().expect("a number")).collect()
    };
    let whole = app.coffer.library.resources.export(&viewer, Format::Json).expect("an export");
    let mut pieces = whole.into_data_stream();
    // The rest waits for a client that takes it.
    for _ in 0..3 {
        pieces.next().await.expect("a piece").expect("no failure");
    }
    for path in ["/settings/data", "/settings/data/exports"] {
        let is_on_its_way = async || {
            let shown: Vec<u64> = percents(&owner, path).await;
            matches!(shown[..], [1..=99]).then_some(()).ok_or(format!("{shown:?}"))
        };
        eventually(Duration::from_secs(20), is_on_its_way).await.expect("some of it is written");
        let shown: Vec<u64> = percents(&other, path).await;
        assert!(shown.is_empty(), "it is nobody else's");
    }
    while let Some(piece) = pieces.next().await {
        piece.expect("no failure");
    }
    let is_over = async || {
        let shown: Vec<u64> = percents(&owner, "/settings/data").await;
        shown.is_empty().then_some(()).ok_or(format!("{shown:?}"))
    };
    eventually(Duration::from_secs(20), is_over).await.expect("nothing is written any more");
}

on_both_engines!(the_headers_of_an_export_come_without_one);
async fn the_headers_of_an_export_come_without_one(app: App) {
    let owner = app.signed_in("owner").await;
    let viewer = app.viewer("owner").await;
    app.coffer.library.resources.seed(&viewer, 1_100, |_| {}).await.expect("a seeded library");
    let export = || app.coffer.library.resources.export(&viewer, Format::Json);
    // Nothing takes these, so that they keep every place there is.
    let running: Vec<_> = std::iter::from_fn(|| export().ok()).take(10).collect();
    assert!(export().is_err(), "{} at once", running.len());
    for path in ["/export?format=json", "/api/v1/export?format=json"] {
        let file =
            Ask::new(&owner, Method::HEAD, path).await.ok().header_is("content-type", "application/json");
        file.header_is("content-disposition", "attachment; filename=\"coffer-library.json\"")
            .header_is("content-length", "");
    }
    let archive = Ask::new(&owner, Method::HEAD, "/settings/data/archive").await.ok();
    archive.header_is("content-disposition", "attachment; filename=\"coffer-archive.zip\"");
    let tag = Ask::new(&owner, Method::HEAD, "/api/v1/export?format=json").await.ok().header("etag");
    assert!(tag.starts_with("W/"), "{tag}");
}

on_both_engines!(an_export_is_for_its_owner_and_in_a_format_that_exists);
async fn an_export_is_for_its_owner_and_in_a_format_that_exists(app: App) {
    let visitor = app.visitor();
    visitor.get("/export?format=json").await.redirects_to("/login?next=%2Fexport%3Fformat%3Djson");
    visitor.get("/api/v1/export?format=json").await.is(401).problem("sign_in_required");
    let owner = app.signed_in("owner").await;
    owner.get("/export?format=pdf").await.error_page(400);
    owner.get("/api/v1/export?format=pdf").await.is(400).problem("bad_parameter");
    owner.get("/api/v1/export").await.is(400).problem("bad_parameter");
}

on_both_engines!(entries_of_any_time_go_out);
async fn entries_of_any_time_go_out(app: App) {
    let owner = app.signed_in("owner").await;
    let years = [1, 1888, 1970, 2020];
    for year in years {
        let (title, url) = (format!("Of {year}."), format!("https://{year}.example.org/"));
        owner
            .saves(json!({ "title": title, "url": url, "created_at": format!("{year:04}-01-01T00:00:00Z") }))
            .await;
    }
    for format in ["json", "html", "markdown"] {
        let packed = owner.get(&format!("/api/v1/export?format={format}")).await.ok();
        let text = match format {
            "markdown" => files(packed.bytes()).into_iter().map(|(_, text)| text).collect(),
            _ => packed.text(),
        };
        let missing: Vec<i32> =
            years.into_iter().filter(|year| !text.contains(&format!("Of {year}."))).collect();
        assert!(missing.is_empty(), "{format}: {missing:?}");
    }
}
