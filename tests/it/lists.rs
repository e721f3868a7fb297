//! What a client may ask of a list: whose, where, since when, with what, and how many.

use std::time::Duration;

use coffer::timestamp::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::Actor;
use crate::support::app::App;
use crate::support::on_both_engines;

const LIST: &str = "/api/v1/resources";

async fn titles(actor: &Actor, query: &str) -> Vec<String> {
    let list = actor.get(&format!("{LIST}?{query}")).await.ok().json();
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

on_both_engines!(a_list_shows_the_shelf_that_is_asked_for);
async fn a_list_shows_the_shelf_that_is_asked_for(app: App) {
    let (owner, other) = (app.signed_in("owner").await, app.signed_in("other").await);
    owner.saves(json!({ "title": "Kept tide" })).await;
    let gone = owner.saves(json!({ "title": "Old tide", "visibility": "public" })).await;
    owner.json_free(Method::DELETE, &gone.api()).await.is(204);
    other.saves(json!({ "title": "Their tide", "visibility": "public" })).await;
    let trashed = other.saves(json!({ "title": "Their old tide", "visibility": "public" })).await;
    other.json_free(Method::DELETE, &trashed.api()).await.is(204);
    for words in ["", "&q=tide&sort=title", "&q=-moon", "&q=tide"] {
        let mut all = titles(&owner, words).await;
        all.sort();
        assert_eq!(all, ["Kept tide", "Their tide"], "{words}");
        for (query, shown) in [
            ("mine=true", vec!["Kept tide"]),
            ("mine=true&state=active", vec!["Kept tide"]),
            ("state=trash", vec!["Old tide"]),
            ("mine=true&state=trash", vec!["Old tide"]),
            ("state=all", vec!["Kept tide", "Old tide"]),
        ] {
            let mut found = titles(&owner, &format!("{query}{words}")).await;
            found.sort();
            assert_eq!(found, shown, "{query}{words}");
            let counted = owner.get(&format!("{LIST}?count=true&{query}{words}")).await.ok().json();
            assert_eq!(counted["total"], shown.len(), "{query}{words}");
        }
    }
    let item = &owner.get(&format!("{LIST}?state=trash")).await.ok().json()["items"][0];
    assert!(item["trashed_at"].is_string(), "{item}");
    for own in ["mine=true", "state=trash", "state=all"] {
        app.visitor().get(&format!("{LIST}?{own}")).await.is(401).problem("sign_in_required");
    }
    for bad in ["mine=yes", "state=gone", "include=all", "count=1", "created_after=yesterday"] {
        owner.get(&format!("{LIST}?{bad}")).await.is(400).problem("bad_parameter");
    }
}

on_both_engines!(a_list_brings_whole_texts_and_times);
async fn a_list_brings_whole_texts_and_times(app: App) {
    let owner = app.signed_in("owner").await;
    let old = owner
        .saves(json!({ "title": "Old", "body": "All of it", "created_at": "2020-05-03T14:05:00Z" }))
        .await;
    let read = owner.get(&old.api()).await.ok().json();
    assert_eq!(read["created_at"], "2020-05-03T14:05:00.000Z");
    assert!(read["updated_at"].as_str() > Some("2026"), "{read}");
    app.later(Duration::from_secs(10));
    owner.saves(json!({ "title": "New" })).await;
    assert_eq!(titles(&owner, "sort=title&created_after=2021-01-01T00:00:00Z").await, ["New"]);
    let since = read["updated_at"].as_str().expect("a time");
    assert_eq!(titles(&owner, &format!("sort=title&updated_after={since}")).await, ["New"]);
    assert_eq!(titles(&owner, "sort=title&updated_after=2021-01-01T00:00:00Z").await, ["New", "Old"]);
    let whole = owner.get(&format!("{LIST}?include=body&sort=title")).await.ok().json();
    assert_eq!(whole["items"][1]["body"], "All of it");
    assert_eq!(owner.get(LIST).await.ok().json()["items"][1].get("body"), None::<&Value>);
    let ahead = json!({ "title": "x", "created_at": "2099-01-01T00:00:00Z" });
    owner.json(Method::POST, LIST, ahead).await.invalid("created_at");
    owner.json(Method::POST, LIST, json!({ "title": "x", "created_at": "May" })).await.invalid("created_at");
}

on_both_engines!(a_list_links_to_its_next_page);
async fn a_list_links_to_its_next_page(app: App) {
    let owner = app.signed_in("owner").await;
    for number in 0..5 {
        owner.saves(json!({ "title": format!("Tide {number}") })).await;
    }
    let (mut path, mut seen) = (format!("{LIST}?limit=2&q=tide&sort=title&count=true"), Vec::new());
    loop {
        let page = owner.get(&path).await.ok();
        assert_eq!(page.json()["total"], 5);
        seen.extend(page.json()["items"].as_array().expect("items").iter().map(|item| item["title"].clone()));
        let link = page.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) else {
            assert_eq!((link.as_str(), &page.json()["next_cursor"]), ("", &Value::Null));
            break;
        };
        next.clone_into(&mut path);
    }
    assert_eq!(seen, (0..5).map(|number| json!(format!("Tide {number}"))).collect::<Vec<_>>());
}

on_both_engines!(a_program_is_told_of_a_filter_that_is_none);
async fn a_program_is_told_of_a_filter_that_is_none(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "Weather:sunny std::fs it:x 12:30" })).await;
    for (query, position) in
        [("weather:sunny", 0), ("tide+-weather:sunny", 5), ("it:x", 0), ("name:%22two+words%22", 0)]
    {
        let refused = owner.get(&format!("{LIST}?q={query}")).await.is(400).problem("bad_query");
        assert_eq!(refused.json()["position"], position, "{query}");
        for filter in [
            "tag:", "site:", "url:", "title:", "by:", "kind:", "is:", "has:", "visibility:", "before:",
            "after:",
        ] {
            assert!(refused.json()["detail"].as_str().is_some_and(|said| said.contains(filter)), "{filter}");
        }
    }
    for query in ["%22weather:sunny%22", "std::fs", "12:30", "weather:+sunny", "sunny"] {
        assert_eq!(titles(&owner, &format!("q={query}")).await.len(), 1, "{query}");
    }
    let page = owner.get("/resources?q=weather:sunny").await.ok().has(".entry-title", "Weather:sunny");
    page.has("#unknown-filter", "There is no filter “weather:”")
        .has("#unknown-filter", "searched for the words");
    owner.get("/resources?q=%22weather:sunny%22").await.ok().has_no("#unknown-filter");
}

/// What an error offers, such as `is:pinned`, or `tag:`.
fn offered(refused: &Value) -> Vec<String> {
    let said = refused["detail"].as_str().expect("a sentence");
    let words = said.split(|c: char| !c.is_ascii_alphabetic() && c != ':');
    words.filter(|word| word.len() > 1 && word.contains(':')).map(str::to_owned).collect()
}

on_both_engines!(flags_are_their_owners);
async fn flags_are_their_owners(app: App) {
    let (ada, bob) = (app.signed_in("ada").await, app.signed_in("bob").await);
    for (owner, visibility) in [(&ada, "private"), (&bob, "public")] {
        let title = format!("Tide of {}", if visibility == "public" { "bob" } else { "ada" });
        owner
            .saves(json!({ "title": title, "visibility": visibility, "pinned": true, "unread": true }))
            .await;
    }
    for search in ["q=is:unread", "q=is:pinned", "q=tide+is:unread"] {
        assert_eq!(titles(&ada, search).await, ["Tide of ada"], "{search}");
    }
    let page = ada.get("/resources").await.ok();
    assert_eq!((page.texts(".pinned").len(), page.texts(".unread").len()), (1, 1));
    for (click, to) in [("Unread", "q=is%3Aunread&mine=true"), ("Pinned", "pinned=true&mine=true")] {
        let links = page.texts(".sieve a").into_iter().zip(page.attributes(".sieve a", "href"));
        let href = links.into_iter().find(|(label, _)| label == click).expect(click).1;
        assert_eq!(href, format!("/resources?{to}"));
        let shown = ada.get(&href).await.ok();
        assert_eq!(shown.texts(".entry-title"), ["Tide of ada"]);
        assert_eq!(shown.texts("[aria-labelledby=filters] [aria-current]"), [click]);
    }
    let public = app.visitor().get("/resources").await.ok().has(".entry-title", "Tide of bob");
    public.has_no(".pinned").has_no(".unread").lacks("Untagged").lacks(">Unread<").lacks(">Broken<");
}

on_both_engines!(a_misspelled_filter_is_searched_for_and_corrected);
async fn a_misspelled_filter_is_searched_for_and_corrected(app: App) {
    let owner = app.signed_in("owner").await;
    owner.saves(json!({ "title": "titel:kube" })).await;
    for (query, meant) in [
        ("titel:kube", "title:kube"),
        ("tags:sea", "tag:sea"),
        ("sites:github.com", "site:github.com"),
        ("kinds:note", "kind:note"),
    ] {
        let page =
            owner.get(&format!("/resources?q={query}&kind=note")).await.ok().has("#unknown-filter a", meant);
        let wrong = query.split(':').next().expect("a name");
        page.has("#unknown-filter", &format!("“{wrong}:” is not a filter."));
        let refused = owner.get(&format!("{LIST}?q={query}")).await.is(400).problem("bad_query");
        let name = meant.split(':').next().expect("a name");
        assert!(refused.json()["detail"].as_str().is_some_and(|said| said.contains(&format!("“{name}:”"))));
    }
    let page = owner.get("/resources?q=titel:kube&kind=note").await.ok().has(".entry-title", "titel:kube");
    assert_eq!(page.attributes("#unknown-filter a", "href"), ["/resources?q=title%3Akube&kind=note"]);
}

on_both_engines!(the_reference_tells_of_every_filter);
async fn the_reference_tells_of_every_filter(app: App) {
    let owner = app.signed_in("owner").await;
    let guide = include_str!("../../docs/api.md");
    let document = coffer::app::openapi("");
    let parameters = document["paths"][LIST]["get"]["parameters"].as_array().expect("parameters");
    let q = parameters.iter().find(|parameter| parameter["name"] == "q").expect("a search");
    let reference = q["description"].as_str().expect("a description");
    let mut told = 0;
    for wrong in ["weather:sunny", "is:odd", "kind:odd"] {
        let refused = owner.get(&format!("{LIST}?q={wrong}")).await.is(400).problem("bad_query").json();
        for filter in offered(&refused).iter().filter(|filter| !wrong.starts_with(filter.as_str())) {
            assert!(guide.contains(filter), "docs/api.md lacks {filter}");
            assert!(reference.contains(filter), "the reference lacks {filter}");
            told += 1;
        }
    }
    assert!(told >= 14, "{told} filters");
}

on_both_engines!(every_time_has_three_decimals);
async fn every_time_has_three_decimals(app: App) {
    let admin = app.admin("root").await;
    let entry = admin.saves(json!({ "title": "Tide", "created_at": "2020-05-03T14:05:00.123456Z" })).await;
    admin.saves(json!({ "title": "Moon", "created_at": "2020-05-03T14:05:00Z" })).await;
    let draft = json!({ "name": "x", "scopes": ["resources:read"] });
    admin.json(Method::POST, "/api/v1/me/tokens", draft).await.is(201);
    let revisions = format!("{}/revisions", entry.api());
    let mut seen = 0;
    for path in [
        "/api/v1/resources?include=body",
        "/api/v1/resources/changes",
        &entry.api(),
        &revisions,
        "/api/v1/me/sessions",
        "/api/v1/me/tokens",
        "/api/v1/admin/users",
        "/api/v1/admin/audit",
        "/api/v1/admin/audit.csv",
        "/api/v1/admin/metrics",
        "/api/v1/export?format=json",
    ] {
        let text = admin.get(path).await.ok().text();
        for time in text.split('"').filter(|text| text.contains('T') && Timestamp::parse(text).is_some()) {
            assert!(time.len() == "2020-05-03T14:05:00.123Z".len() && time.ends_with('Z'), "{path}: {time}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} times");
}
