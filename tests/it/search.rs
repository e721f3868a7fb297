//! The search language finds the same on both engines, and shows where.

use std::collections::BTreeSet;
use std::time::Duration;

use coffer::web::forms::encode;
use serde_json::json;

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

/// A library whose entries are known by one letter, and the day on which `d` and later ones were saved.
async fn library(app: &App) -> (Actor, String) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner
        .saves(json!({ "title": "a Tide tables", "url": "https://tides.example.org/leith", "tags": ["sea", "tables"],
            "body": "High water at **noon**, low water at six." }))
        .await;
    owner
        .saves(json!({ "title": "b Moon phases", "tags": ["sea/moon"], "body": "The tide follows the moon; see the table." }))
        .await;
    owner
        .saves(json!({ "title": "c Crème brûlée", "url": "https://www.recipes.example.com/creme", "tags": ["Recipes"],
            "body": "Sugar & cream, from the Straße." }))
        .await;
    app.later(Duration::from_hours(48));
    let day = app.now().rfc3339()[..10].to_owned();
    owner
        .saves(json!({ "title": "d 東京タワー", "tags": ["travel/japan"], "body": "A tower in Tokyo" }))
        .await;
    owner
        .saves(json!({ "title": "e Rust book", "url": "http://doc.rust-lang.org/book", "tags": ["work/rust"], "pinned": true,
            "visibility": "members", "body": "Ownership — don't panic! C++ compared" }))
        .await;
    owner
        .saves(json!({ "title": "f Shopping", "tags": ["work"], "visibility": "public", "body": "table salt, sea salt; `code_word`" }))
        .await;
    other.saves(json!({ "title": "g Someone's tide", "visibility": "public", "body": "x" })).await;
    (owner, day)
}

/// The letters of what was found.
async fn found(actor: &Actor, query: &str, more: &str) -> String {
    let list = actor.get(&format!("/api/v1/resources?q={}{more}", encode(query))).await.ok().json();
    let titles =
        list["items"].as_array().expect("items").iter().map(|item| item["title"].as_str().expect("a title"));
    let letters: BTreeSet<char> = titles.filter_map(|title| title.chars().next()).collect();
    letters.into_iter().collect()
}

on_both_engines!(words_and_phrases_find_what_they_name);
async fn words_and_phrases_find_what_they_name(app: App) {
    let (owner, _) = library(&app).await;
    for (query, letters) in [
        ("tide", "abg"),
        ("tide ", "abg"),
        ("TIDE", "abg"),
        ("tables ", "a"),
        ("table ", "bf"),
        ("table", "abf"),
        ("tab", "abf"),
        ("tab ", ""),
        ("tide tables", "a"),
        ("tables tide ", "a"),
        ("\"low water\"", "a"),
        ("\"water low\"", ""),
        ("“low water”", "a"),
        ("\"high water at noon\"", "a"),
        ("\"tide tab", ""),
        ("noon six", "a"),
        ("water water", "a"),
        ("\"tide\" \"moon\"", "b"),
        ("tide -moon", "ag"),
        ("-tide ", "cdef"),
        ("-tide -sugar", "def"),
        ("-\"low water\" tide", "bg"),
        ("moon or salt", "bf"),
        ("moon OR salt", "bf"),
        ("moon or salt table", "bf"),
        ("follows or ownership or sugar", "bce"),
        ("\"or\"", ""),
        ("sea", "abf"),
        ("own", "e"),
        ("own ", ""),
        ("c++ panic", "e"),
        ("don't", "e"),
        ("don’t", "e"),
        ("code_word", "f"),
        ("leith", "a"),
        ("rust-lang", "e"),
        ("salt sugar", ""),
        ("++", "abcdefg"),
        ("", "abcdefg"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
        assert_eq!(found(&owner, query, "&sort=title").await, letters, "{query:?} by title");
    }
}

on_both_engines!(letters_of_every_script_are_folded_alike);
async fn letters_of_every_script_are_folded_alike(app: App) {
    let (owner, _) = library(&app).await;
    for (query, letters) in [
        ("creme", "c"),
        ("CRÈME BRÛLÉE", "c"),
        ("cre\u{300}me", "c"),
        ("brulee ", "c"),
        ("strasse", "c"),
        ("STRAẞE", "c"),
        ("東京", "d"),
        ("京東", ""),
        ("タワー", "d"),
        ("ﾀﾜｰ", "d"),
        ("東 ワ", "d"),
        ("ＴＯＫＹＯ", "d"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
    }
}

on_both_engines!(filters_find_what_they_name);
async fn filters_find_what_they_name(app: App) {
    let (owner, day) = library(&app).await;
    let (before, after) = (format!("before:{day}"), format!("after:{day}"));
    let together = format!("after:{day} kind:note sea");
    for (query, letters) in [
        ("tag:sea", "ab"),
        ("tag:SEA/Moon", "b"),
        ("tag:#sea", "ab"),
        ("tag:se", ""),
        ("tag:work", "ef"),
        ("-tag:work", "abcdg"),
        ("tag:\"travel/japan\"", "d"),
        ("tag:sea tag:tables", "a"),
        ("tag:sea -tag:tables", "b"),
        ("site:example.org", "a"),
        ("site:tides.example.org", "a"),
        ("site:https://tides.example.org/other", "a"),
        ("site:recipes.example.com", "c"),
        ("site:EXAMPLE.com", "c"),
        ("site:ample.com", ""),
        ("-site:example.org", "bcdefg"),
        ("by:owner", "abcdef"),
        ("by:@Other", "g"),
        ("by:nobody", ""),
        ("-by:other", "abcdef"),
        ("kind:note", "bdfg"),
        ("kind:links", "ace"),
        ("-kind:note", "ace"),
        ("is:pinned", "e"),
        ("-is:pinned", "abcdfg"),
        ("visibility:public", "fg"),
        ("visibility:members", "e"),
        ("-visibility:private", "efg"),
        (before.as_str(), "abc"),
        (after.as_str(), "defg"),
        (together.as_str(), "f"),
        ("salt -tag:work", ""),
        ("tide tag:sea -moon", "a"),
        ("tide by:other", "g"),
        ("-tide kind:link", "ce"),
    ] {
        assert_eq!(found(&owner, query, "").await, letters, "{query:?}");
        assert_eq!(found(&owner, query, "&sort=oldest").await, letters, "{query:?} from the oldest");
    }
}

on_both_engines!(a_change_is_found_at_once_and_the_old_text_no_more);
async fn a_change_is_found_at_once_and_the_old_text_no_more(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "a Heron", "body": "wader", "tags": ["bird"] })).await;
    let change = json!({ "title": "a Gannet", "body": "diver", "tags": ["seabird"] });
    owner.json(reqwest::Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    for (query, letters) in
        [("gannet", "a"), ("diver", "a"), ("seabird", "a"), ("heron", ""), ("wader", ""), ("bird ", "")]
    {
        assert_eq!(found(&owner, query, "").await, letters, "{query}");
    }
    owner.json_free(reqwest::Method::DELETE, &entry.api()).await.is(204);
    assert_eq!(found(&owner, "gannet", "").await, "");
    owner.post_form(&format!("{}/delete", entry.page()), &[]).await.is(303);
    let again = owner.saves(json!({ "title": "a Gannet", "body": "another" })).await;
    assert_eq!(found(&owner, "gannet another", "").await, "a");
    owner.get(&again.page()).await.ok();
}

on_both_engines!(the_best_match_comes_first);
async fn the_best_match_comes_first(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "In the title: harbour", "body": "and nothing else" })).await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "In the tags", "tags": ["harbour"], "body": "and nothing else" })).await;
    app.later(Duration::from_secs(1));
    owner.saves(json!({ "title": "In the text", "body": "somewhere a harbour and nothing else" })).await;
    let page = owner.get("/resources?q=harbour+").await.ok();
    assert_eq!(page.texts(".entry-title"), ["In the title: harbour", "In the tags", "In the text"]);
    assert_eq!(page.texts(".sieve [aria-current='true']"), ["All", "Best match"]);
}

on_both_engines!(matches_are_marked_where_they_stand);
async fn matches_are_marked_where_they_stand(app: App) {
    let owner = app.signed_in("owner").await;
    let body = format!("{} the **Tide** <turns> & {}", "before ".repeat(200), "after ".repeat(200));
    owner.saves(json!({ "title": "<i>Crème</i> & tide", "body": body })).await;
    let page = owner.get("/resources?q=creme+tid").await.ok();
    assert_eq!(
        page.inner_html(".entry-title a"),
        ["&lt;i&gt;<mark>Crème</mark>&lt;/i&gt; &amp; <mark>tide</mark>"]
    );
    let excerpt = page.texts(".entry-excerpt").concat();
    assert!(excerpt.starts_with('…') && excerpt.ends_with('…') && excerpt.chars().count() < 300, "{excerpt}");
    assert!(excerpt.contains("the Tide") && page.texts(".entry-excerpt mark") == ["Tide"], "{excerpt}");
    let unsearched = owner.get("/resources").await.ok();
    unsearched.has_no("mark").has(".entry-excerpt", "before before");
}
