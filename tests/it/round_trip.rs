//! What goes out comes back the same: any library, over each format, into an empty one.

use coffer::timestamp::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};

use crate::import::ended;
use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

const LIBRARIES: usize = 4;

/// Texts with what formats have signs for.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Tide", " ", "\n", "  ", "\t", "<b>", "</DL>", "<DT>", "&amp;", "&", "\"", "'", "\\", "---",
        "\n---\n", "#", "- a", ": ", "[x]", "é", "東京", "🌊", "\u{2028}", "\u{85}", "{", "}", ",", "]]>",
        "```\n", "    code",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn tag() -> impl Strategy<Value = String> {
    "[a-zé東]{1,4}( [a-z'\"&<>]{1,3}[a-z])?(/[a-z]{1,3}){0,2}"
}

fn entry() -> impl Strategy<Value = Value> {
    let visibility = prop::sample::select(vec!["private", "members", "public"]);
    let parts = (
        text(),
        text(),
        prop::collection::vec(tag(), 0..4),
        visibility,
        any::<[bool; 6]>(),
        prop_oneof![1 => Just(0_i64), 9 => -2_000_000_000_000_i64..1_700_000_000_000],
    );
    parts.prop_map(|(title, body, tags, visibility, flags, millis)| {
        let [pinned, unread, is_link, is_trashed, is_changed, is_again] = flags;
        let at = Timestamp::from_micros(millis * 1_000).json();
        json!({ "title": format!("{title}x"), "body": body, "tags": tags, "visibility": visibility, "pinned": pinned,
            "unread": unread, "created_at": at, "is_link": is_link, "is_trashed": is_trashed, "is_changed": is_changed,
            "is_again": is_again })
    })
}

/// Saves a library. Two links never have one address; some notes say the same as the one before.
async fn fill(actor: &Actor, entries: Vec<Value>, number: usize) {
    let mut last_note: Option<[Value; 2]> = None;
    for (place, mut draft) in entries.into_iter().enumerate() {
        let mut is = |name| draft.as_object_mut().expect("a draft").remove(name) == Some(json!(true));
        let [is_link, is_trashed, is_changed, is_again] =
            ["is_link", "is_trashed", "is_changed", "is_again"].map(&mut is);
        draft["title"] = json!(format!("{} {place}", draft["title"].as_str().expect("a title")));
        if is_link {
            draft["url"] = json!(format!("https://{place}.example/{number}?a=1&b=%22'<>#x"));
        } else {
            if let Some([title, body]) = last_note.filter(|_| is_again) {
                (draft["title"], draft["body"]) = (title, body);
            }
            last_note = Some([draft["title"].clone(), draft["body"].clone()]);
        }
        let entry = actor.saves(draft).await;
        if is_changed {
            let change = json!({ "body": "Another text", "tags": ["changed"] });
            actor.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
        }
        if is_trashed {
            actor.json_free(Method::DELETE, &entry.api()).await.is(204);
        }
    }
}

/// What an entry says, by title.
async fn library(actor: &Actor) -> Vec<Value> {
    said(actor, "json", &[]).await
}

/// The same with what was said in older versions, and when.
async fn history(actor: &Actor) -> Vec<Value> {
    said(actor, "json-versions", &["version", "revisions"]).await
}

async fn said(actor: &Actor, format: &str, more: &[&str]) -> Vec<Value> {
    const SAID: [&str; 9] =
        ["kind", "title", "url", "body", "tags", "visibility", "pinned", "unread", "created_at"];
    let library = actor.get(&format!("/api/v1/export?format={format}")).await.ok().json();
    let mut said: Vec<Value> = library["resources"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            let mut said: Value =
                SAID.iter().chain(more).map(|name| ((*name).to_owned(), entry[*name].clone())).collect();
            said["is_trashed"] = json!(!entry["trashed_at"].is_null());
            // The import has saved the current one, and all of them belong to another account.
            let past = said.get_mut("revisions").and_then(Value::as_array_mut);
            if let Some(revisions) = past {
                revisions.retain(|one| one["version"].as_i64() < entry["version"].as_i64());
                for one in revisions {
                    one["saved_by"] = Value::Null;
                }
            }
            said
        })
        .collect();
    said.sort_by_key(|entry| (entry["title"].to_string(), entry.to_string()));
    said
}

/// Without what bookmarks in HTML have no place for: notes, the trash, pins, and parts of a second.
fn as_html_holds(library: &[Value]) -> Vec<Value> {
    let is_held = |entry: &&Value| entry["kind"] == "link" && entry["is_trashed"] == false;
    let links = library.iter().filter(is_held).cloned();
    links
        .map(|mut link| {
            link["pinned"] = json!(false);
            link["created_at"] = json!(link["created_at"].as_str().expect("a time")[..19]);
            link
        })
        .collect()
}

on_both_engines!(any_library_comes_back_the_same_over_each_format);
async fn any_library_comes_back_the_same_over_each_format(app: App) {
    let mut runner = TestRunner::deterministic();
    for number in 0..LIBRARIES {
        let entries =
            prop::collection::vec(entry(), 1..10).new_tree(&mut runner).expect("a library").current();
        let owner = app.signed_in(&format!("owner{number}")).await;
        fill(&owner, entries, number).await;
        let before = library(&owner).await;
        let versions = history(&owner).await;
        for format in ["json", "json-versions", "markdown", "html", "html-folders", "archive"] {
            let source = match format {
                "archive" => "/settings/data/archive".to_owned(),
                format => format!("/api/v1/export?format={format}"),
            };
            let file = owner.get(&source).await.ok().bytes().to_vec();
            let other = app.signed_in(&format!("{format}{number}")).await;
            let path = "/api/v1/imports?visibility=public";
            let preview = other.sends(Method::POST, path, "application/octet-stream", file).await.is(201);
            let place = preview.header("location");
            other.json_free(Method::POST, &format!("{place}/commit")).await.ok();
            ended(&other, &place.replace("/api/v1/imports", "/import")).await;
            let after = library(&other).await;
            if matches!(format, "json-versions" | "archive") {
                assert_eq!(history(&other).await, versions, "library {number} with its versions");
            }
            if format.starts_with("html") {
                assert_eq!(as_html_holds(&after), as_html_holds(&before), "library {number} as {format}");
            } else {
                assert_eq!(after, before, "library {number} as {format}");
            }
        }
    }
}

on_both_engines!(versions_and_trash_go_with_the_undo_of_their_import);
async fn versions_and_trash_go_with_the_undo_of_their_import(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let kept = owner.saves(json!({ "title": "Pearl", "body": "One" })).await;
    owner.json(Method::PATCH, &kept.api(), json!({ "body": "Two" })).if_match("*").await.ok();
    let gone = owner.saves(json!({ "title": "Stone" })).await;
    owner.json_free(Method::DELETE, &gone.api()).await.is(204);
    let file = owner.get("/api/v1/export?format=json-versions").await.ok().bytes().to_vec();
    let brings_in = async || {
        let sent =
            other.sends(Method::POST, "/api/v1/imports", "application/json", file.clone()).await.is(201);
        let place = sent.header("location");
        other.json_free(Method::POST, &format!("{place}/commit")).await.ok();
        place
    };
    let place = brings_in().await;
    assert_eq!(other.get(&place).await.ok().json()["report"]["new_in_trash"], 1);
    assert_eq!(history(&other).await.len(), 2);
    brings_in().await;
    assert_eq!(history(&other).await.len(), 2, "what lies in the trash comes in once");
    other.get("/trash").await.ok().text_has("Stone");
    other.json_free(Method::POST, &format!("{place}/undo")).await.ok();
    assert_eq!(history(&other).await, [Value::Null; 0]);
}

// An address, and the words of a note, may stand in the trash more than once beside the one that is kept.
on_both_engines!(what_was_thrown_away_stands_beside_what_is_kept);
async fn what_was_thrown_away_stands_beside_what_is_kept(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    let drafts = [
        json!({ "url": "https://tides.example/", "title": "Tides" }),
        json!({ "title": "A thought", "body": "Of the sea" }),
    ];
    for draft in &drafts {
        let mut again = Vec::new();
        for _ in 0..3 {
            again.push(owner.saves(draft.clone()).await);
            owner.json_free(Method::DELETE, &again[again.len() - 1].api()).await.is(204);
        }
        owner.json_free(Method::POST, &format!("{}/restore", again[1].api())).await.ok();
    }
    let file = owner.get("/api/v1/export?format=json").await.ok().bytes().to_vec();
    let sent = other.sends(Method::POST, "/api/v1/imports", "application/json", file).await.is(201);
    let place = sent.header("location");
    other.json_free(Method::POST, &format!("{place}/commit")).await.ok();
    let report = other.get(&place).await.ok().json()["report"].clone();
    assert_eq!((&report["new"], &report["new_in_trash"]), (&json!(6), &json!(4)), "{report}");
    assert_eq!(library(&other).await, library(&owner).await);
}
