//! Ranked results, page by page.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use coffer::resources::listing::RANKED;

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

on_both_engines!(ranked_pages_continue_where_the_last_one_ended);
async fn ranked_pages_continue_where_the_last_one_ended(app: App) {
    let owner = app.signed_in("owner").await;
    // The more often, the better; of equals the latest first.
    for (title, body) in [("a", 1), ("b", 3), ("c", 1), ("d", 5), ("e", 2), ("f", 1), ("g", 4)] {
        let filler = vec!["calm"; 5 - body].join(" ");
        let body = format!("{} {filler}", vec!["tide"; body].join(" "));
        owner.saves(json!({ "title": title, "body": body })).await;
        app.later(Duration::from_secs(1));
    }
    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/api/v1/resources?q=tide+&limit=3&cursor={cursor}")).await.ok().json();
        let items = page["items"].as_array().expect("items");
        titles.extend(items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(titles.concat(), "dgbefca");
}

on_both_engines!(a_page_says_that_older_results_follow_by_date);
async fn a_page_says_that_older_results_follow_by_date(app: App) {
    const SAID: &str = "The latest 300 results came best first. Older ones follow, newest first.";
    let owner = app.signed_in("owner").await;
    let create = |n| json!({ "do": "create", "resource": { "title": format!("Tide {n}") } });
    let operations = (0..RANKED + 10).map(create).collect::<Vec<_>>();
    owner.json(Method::POST, "/api/v1/resources/batch", json!({ "operations": operations })).await.ok();
    let first = owner.get("/resources?q=tide&limit=200").await.ok().lacks(SAID);
    let next = first.attributes(".more [rel=next]", "href").remove(0);
    let second = owner.get(&next).await.ok().has(".more", SAID);
    assert_eq!(second.texts(".entry-title").len(), 100);
    let last = owner.get(&second.attributes(".more [rel=next]", "href").remove(0)).await.ok().lacks(SAID);
    assert_eq!(last.texts(".entry-title").len(), 10);
}

on_both_engines!(the_word_being_typed_finds_longer_ones_unless_it_finds_enough);
async fn the_word_being_typed_finds_longer_ones_unless_it_finds_enough(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "tidewater" })).await;
    owner.saves(json!({ "title": "tide" })).await;
    assert_eq!(titles(&owner, "tide").await, ["tide", "tidewater"]);
    assert_eq!(titles(&owner, "tide+").await, ["tide"]);
    let link = |n| format!("<DT><A HREF=\"https://tide.example/{n}\">{}</A>\n", ["tide"; 30].join(" "));
    let file =
        format!("<!DOCTYPE NETSCAPE-Bookmark-file-1><DL>{}", (0..RANKED).map(link).collect::<String>());
    owner.uploads("/import", "bookmarks.html", file.as_bytes(), &[("visibility", "private")]).await.is(303);
    assert!(!titles(&owner, "tide").await.contains(&"tidewater".to_owned()));
    // What is counted is what all pages list.
    let counted = owner.get("/api/v1/resources?q=tide&count=true").await.ok().json();
    assert_eq!(counted["total"], RANKED + 1);
    owner.get("/resources?q=tide").await.ok().has("#results", &format!("{} results", RANKED + 1));
    assert_eq!(titles(&owner, "tidew").await, ["tidewater"]);
}

on_both_engines!(ranked_results_go_on_to_the_last);
async fn ranked_results_go_on_to_the_last(app: App) {
    let owner = app.signed_in("owner").await;
    let link = |n| {
        let word = if n % 3 == 0 { "quokka c++" } else { "quokka c" };
        format!(
            "<DT><A HREF=\"https://quokka.example/{n}\" ADD_DATE=\"{}\">{word} {n}</A>\n",
            1_700_000_000 + (n * 7) % 450
        )
    };
    let file = format!("<!DOCTYPE NETSCAPE-Bookmark-file-1><DL>{}", (0..450).map(link).collect::<String>());
    owner.uploads("/import", "bookmarks.html", file.as_bytes(), &[("visibility", "public")]).await.is(303);
    let visitor = app.visitor();
    for (reader, query, limit, count) in [
        (&owner, "quokka", 50, 450),
        (&owner, "quokka+", 200, 450),
        (&owner, "quokk", 150, 450),
        (&owner, "c%2B%2B+", 70, 450),
        (&owner, "quokka+c%2B%2B+", 100, 450),
        (&visitor, "quokka", 200, 450),
        (&visitor, "quokk", 100, 450),
        (&visitor, "c%2B%2B+", 150, 450),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/resources?q={query}&limit={limit}&count=true&cursor={cursor}");
            let page = reader.get(&path).await.ok().json();
            let items = page["items"].as_array().expect("items");
            assert!(!items.is_empty(), "{query}: an empty page");
            assert_eq!(page["total"], count, "{query}");
            seen.extend(items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let once: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), once.len()), (count, count), "{query}");
        if query.contains("%2B") {
            assert!(seen[..150].iter().all(|title| title.contains("c++")), "{query}");
        }
    }
}

on_both_engines!(exactly_as_many_as_are_ranked_have_no_page_after_them);
async fn exactly_as_many_as_are_ranked_have_no_page_after_them(app: App) {
    let owner = app.signed_in("owner").await;
    let link = |n| format!("<DT><A HREF=\"https://numbat.example/{n}\">numbat</A>\n");
    let file =
        format!("<!DOCTYPE NETSCAPE-Bookmark-file-1><DL>{}", (0..RANKED).map(link).collect::<String>());
    owner.uploads("/import", "bookmarks.html", file.as_bytes(), &[("visibility", "private")]).await.is(303);
    let first = owner.get("/api/v1/resources?q=numbat+&limit=150").await.ok().json();
    let cursor = first["next_cursor"].as_str().expect("a second page");
    let second =
        owner.get(&format!("/api/v1/resources?q=numbat+&limit=150&cursor={cursor}")).await.ok().json();
    assert_eq!(
        (second["items"].as_array().map(Vec::len), second["next_cursor"].is_null()),
        (Some(150), true)
    );
}

async fn titles(actor: &Actor, query: &str) -> Vec<String> {
    let list = actor.get(&format!("/api/v1/resources?q={query}&limit=200")).await.ok().json();
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}
