//! Public profiles: the page of a person, its JSON twin, and feeds. An account with nothing public is not found.

use std::time::Duration;

use atom_syndication::Feed;
use coffer::identity::Role;
use reqwest::Method;
use serde_json::json;

use crate::enumeration::seen;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::App;
use crate::support::on_both_engines;

const FACES: [&str; 3] = ["/u/{}", "/u/{}/feed.atom", "/api/v1/users/{}"];

fn faces(name: &str) -> [String; 3] {
    FACES.map(|face| face.replace("{}", name))
}

fn feed_of(answer: &Answer) -> Feed {
    Feed::read_from(answer.bytes()).unwrap_or_else(|error| panic!("{error}\n{answer}"))
}

/// One of each visibility.
async fn keeps_some(person: &Actor) {
    for visibility in ["private", "members", "public"] {
        let draft = json!({ "title": format!("Pearl {visibility}"), "visibility": visibility });
        person.saves(draft).await;
    }
}

on_both_engines!(every_viewer_sees_what_a_visitor_sees);
async fn every_viewer_sees_what_a_visitor_sees(app: App) {
    let ada = app.signed_in("ada").await;
    keeps_some(&ada).await;
    for person in [app.visitor(), ada, app.signed_in("eve").await, app.admin("root").await] {
        for face in faces("ada").iter().chain([&"/feed.atom".to_owned()]) {
            let shown = person.get(face).await.ok().lacks("Pearl private").lacks("Pearl members");
            shown.lacks("ada@").lacks("example.org");
        }
        let page = person.get("/u/ada").await.ok().has("h1", "ada").has(".entry-title", "Pearl public");
        let description = page.attributes("meta[name=description]", "content");
        assert_eq!(description, ["1 public entry saved by ada (ada): links and notes, newest first."]);
        page.has(".page-head", "1 public entry").has_no(".entry-source .by");
        let twin = person.get("/api/v1/users/ada").await.ok().json();
        assert_eq!((&twin["username"], &twin["public_resources"]), (&json!("ada"), &json!(1)));
        let facts: Vec<_> = twin.as_object().expect("an object").keys().collect();
        assert_eq!(facts, ["display_name", "public_resources", "since", "username"]);
        for feed in ["/feed.atom", "/u/ada/feed.atom"] {
            let titles = feed_of(&person.get(feed).await.ok());
            assert_eq!(
                titles.entries.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(),
                ["Pearl public"]
            );
        }
    }
}

on_both_engines!(an_account_with_nothing_public_is_not_found);
async fn an_account_with_nothing_public_is_not_found(app: App) {
    let (quiet, gone) = (app.signed_in("quiet").await, app.signed_in("leave").await);
    for visibility in ["private", "members"] {
        quiet.saves(json!({ "title": "Pearl", "visibility": visibility })).await;
    }
    let thrown = quiet.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    quiet.json_free(Method::DELETE, &thrown.api()).await.is(204);
    gone.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    app.visitor().get("/u/leave").await.ok();
    let admin = app.admin("root").await;
    let id = app.viewer("leave").await.id().expect("an account");
    admin.json(Method::PATCH, &format!("/api/v1/admin/users/{id}"), json!({ "disabled": true })).await.ok();

    for person in [app.visitor(), app.signed_in("eve").await] {
        for face in FACES {
            let ask = async |name: &str| {
                let answer = person.get(&face.replace("{}", name)).await.is(404);
                seen(&answer, &[name])
            };
            let not_found = ask("empty").await;
            for name in ["quiet", "leave"] {
                assert_eq!(ask(name).await, not_found, "{face} {name}");
            }
            for name in ["x_y_z", "-----", "%00", "%ff", "a/b", &"long".repeat(30)] {
                person.get(&face.replace("{}", name)).await.is(404);
            }
        }
    }
}

on_both_engines!(what_people_do_does_not_reveal_their_names);
async fn what_people_do_does_not_reveal_their_names(app: App) {
    let quiet = app.signed_in("quiet").await;
    let entry = quiet.saves(json!({ "title": "Pearl", "visibility": "members" })).await;
    let trashed = quiet.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    quiet.json_free(Method::DELETE, &trashed.api()).await.is(204);
    for page in [entry.page(), trashed.page(), "/settings/profile".to_owned()] {
        quiet.get(&page).await.ok();
        // No other request has asked for these names before.
        for name in ["quiet", "empty"] {
            let refused = app.visitor().get(&format!("/api/v1/users/{name}")).await.is(404);
            refused.header_is("cache-status", "coffer; fwd=miss");
        }
        app.coffer.cache.clear_memory();
    }
}

on_both_engines!(a_name_is_found_however_it_is_written);
async fn a_name_is_found_however_it_is_written(app: App) {
    let ada = app.signed_in("ada-l1").await;
    ada.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    for face in faces("Ada-L1") {
        app.visitor().get(&face).await.ok().text_has("ada-l1");
    }
    app.visitor().get("/u/ADA-l1").await.ok().has(".entry-title", "Pearl");
}

on_both_engines!(a_profile_goes_on_page_by_page);
async fn a_profile_goes_on_page_by_page(app: App) {
    let ada = app.signed_in("ada").await;
    for number in 0..45 {
        app.later(Duration::from_secs(1));
        ada.saves(json!({ "title": format!("Pearl {number}"), "visibility": "public" })).await;
    }
    let visitor = app.visitor();
    let (mut path, mut titles, mut pages) = ("/u/ada".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = visitor.get(&path).await.ok().has(".page-head", "45 public entries");
        let shown = page.texts(".entry-title");
        pages.push(shown.len());
        titles.extend(shown);
        match page.attributes("a[rel=next]", "href").pop() {
            Some(next) => path = next,
            None => break,
        }
    }
    let wanted: Vec<_> = (0..45).rev().map(|number| format!("Pearl {number}")).collect();
    assert_eq!((pages, titles), (vec![20, 20, 5], wanted));
    visitor.get(&path).await.ok().has(".more a[href='/u/ada']", "first page");
    visitor.get("/u/ada?cursor=nonsense").await.error_page(400);
}

on_both_engines!(a_feed_is_an_atom_document);
async fn a_feed_is_an_atom_document(app: App) {
    let ada = app.signed_in("ada").await;
    let link = json!({
        "title": "Tides & <currents>", "url": "https://tides.example/?a=1&b=2", "visibility": "public",
        "body": "*High* at noon[^1]\n\n<script>alert(1)</script>\n\n[^1]: And midnight", "tags": ["sea", "work/rust"],
    });
    let link = ada.saves(link).await;
    app.later(Duration::from_hours(1));
    let note = ada.saves(json!({ "title": "Moon", "visibility": "public" })).await;
    app.later(Duration::from_hours(1));
    ada.json(Method::PATCH, &link.api(), json!({ "pinned": true })).if_match("*").await.ok();
    let changed = ada.get(&link.api()).await.ok().json()["updated_at"].as_str().expect("a time").to_owned();

    let origin = app.coffer.deps.public_url.address();
    for (path, page) in [("/feed.atom", "/resources"), ("/u/ada/feed.atom", "/u/ada")] {
        let feed = feed_of(&app.visitor().get(path).await.ok());
        let at = |rel: &str| feed.links.iter().find(|link| link.rel == rel).expect("a link").href.clone();
        assert_eq!((at("self"), at("alternate")), (format!("{origin}{path}"), format!("{origin}{page}")));
        assert!(feed.id.starts_with("urn:uuid:") && feed.id != feed.entries[0].id);
        assert_eq!(
            coffer::timestamp::Timestamp::from_micros(feed.updated.timestamp_micros()).json(),
            changed
        );
        let [moon, tides] = &feed.entries[..] else { panic!("two entries: {feed:?}") };
        assert_eq!(moon.links[0].href, format!("{origin}{}", note.page()));
        assert!(moon.content.is_none() && moon.published == Some(moon.updated));
        assert_eq!(
            (tides.id.clone(), tides.title.as_str()),
            (format!("urn:uuid:{}", link.id), "Tides & <currents>")
        );
        let links: Vec<_> = tides.links.iter().map(|link| (link.rel.as_str(), link.href.clone())).collect();
        let kept = format!("{origin}{}", link.page());
        assert_eq!(
            links,
            [("alternate", "https://tides.example/?a=1&b=2".to_owned()), ("related", kept.clone())]
        );
        assert_eq!(
            tides.categories.iter().map(|tag| tag.term.as_str()).collect::<Vec<_>>(),
            ["sea", "work/rust"]
        );
        assert_eq!(tides.authors[0].name, "ada");
        let content = tides.content.as_ref().expect("a body");
        assert_eq!((content.content_type.as_deref(), content.base.as_deref()), (Some("html"), Some(&*kept)));
        let html = content.value.as_deref().expect("HTML");
        assert!(
            html.contains("<em>High</em>") && !html.contains("<script") && html.contains("&lt;script&gt;"),
            "{html}"
        );
    }
}

on_both_engines!(a_feed_ends_with_its_fiftieth_entry_and_a_long_text_with_its_beginning);
async fn a_feed_ends_with_its_fiftieth_entry_and_a_long_text_with_its_beginning(app: App) {
    let ada = app.signed_in("ada").await;
    for number in 0..51 {
        app.later(Duration::from_secs(1));
        ada.saves(json!({ "title": format!("Pearl {number}"), "visibility": "public" })).await;
    }
    app.later(Duration::from_secs(1));
    ada.saves(json!({ "title": "Long", "body": "ä ".repeat(10_001), "visibility": "public" })).await;
    app.later(Duration::from_secs(1));
    ada.saves(json!({ "title": "Longest", "body": "ä".repeat(20_000), "visibility": "public" })).await;
    let feed = feed_of(&app.visitor().get("/feed.atom").await.ok());
    assert_eq!(feed.entries.len(), 50);
    let [longest, long, pearl] = [&feed.entries[0], &feed.entries[1], &feed.entries[49]];
    assert!(longest.content.is_some() && long.content.is_none());
    assert!(long.summary.as_ref().is_some_and(|text| text.as_str().starts_with("ä ä")));
    assert_eq!(pearl.title.as_str(), "Pearl 3");
}

on_both_engines!(no_character_breaks_a_feed);
async fn no_character_breaks_a_feed(app: App) {
    let ada = app.signed_in("ada").await;
    let odd = "a\u{1}b\u{B}c\u{1F}d\u{FFFE}e\u{FFFF}f]]>g&#1;h\u{10FFFF}";
    let draft = json!({ "title": "Odd", "body": odd, "visibility": "public", "tags": ["o]]>d"] });
    ada.saves(draft).await;
    let answer = app.visitor().get("/u/ada/feed.atom").await.ok();
    let forbidden = |c: char| c < ' ' && !"\t\n\r".contains(c) || ['\u{FFFE}', '\u{FFFF}'].contains(&c);
    assert!(!answer.text().contains(forbidden), "{:?}", answer.text());
    let feed = feed_of(&answer);
    let html = feed.entries[0].content.as_ref().and_then(|content| content.value.clone()).expect("HTML");
    assert!(html.contains("abcdef]]&gt;g") && html.contains("h\u{10FFFF}"), "{html:?}");
    assert_eq!(feed.entries[0].categories[0].term, "o]]>d");
}

on_both_engines!(a_feed_that_has_not_changed_is_not_sent_again);
async fn a_feed_that_has_not_changed_is_not_sent_again(app: App) {
    let ada = app.signed_in("ada").await;
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    for (number, path) in ["/feed.atom", "/u/ada/feed.atom"].into_iter().enumerate() {
        let mut tags = Vec::new();
        for person in [&app.visitor(), &ada] {
            let first = person.get(path).await.ok();
            let first = first
                .header_is("content-type", "application/atom+xml; charset=utf-8")
                .header_is("cache-control", "public, max-age=5, stale-while-revalidate=10")
                .header_is("vary", "accept-encoding");
            let tag = first.header("etag");
            let again = person.get(path).header("if-none-match", &tag).await.is(304);
            again.header_is("etag", &tag).header_is("cache-status", "coffer; hit; detail=l1");
            let packed = person.get(path).header("accept-encoding", "gzip").await.ok();
            packed.header_is("content-encoding", "gzip");
            tags.push(tag);
        }
        assert_eq!(tags[0], tags[1], "the same for every viewer");
        let change = json!({ "title": format!("Tides {number}") });
        ada.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
        let changed = app.visitor().get(path).header("if-none-match", &tags[0]).await.ok();
        assert_eq!(feed_of(&changed).entries[0].title.as_str(), format!("Tides {number}"));
    }
}

on_both_engines!(where_nothing_is_public_the_feed_is_empty);
async fn where_nothing_is_public_the_feed_is_empty(app: App) {
    let feed = feed_of(&app.visitor().get("/feed.atom").await.ok());
    assert!(feed.entries.is_empty() && feed.updated.timestamp() == 0);
}

on_both_engines!(an_account_takes_its_public_face_along);
async fn an_account_takes_its_public_face_along(app: App) {
    let (ada, visitor) = (app.signed_in("ada").await, app.visitor());
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    ada.post_form("/settings/profile", &[("display_name", "Ada Lovelace")]).await.is(303);
    for face in faces("ada") {
        visitor.get(&face).await.ok().text_has("Ada Lovelace");
    }
    visitor.get(&entry.page()).await.ok().has(".record a[href='/u/ada']", "Ada Lovelace");
    let id = app.viewer("ada").await.id().expect("an account");
    let admin = app.admin("root").await;
    for (disabled, status) in [(true, 404), (false, 200)] {
        let change = json!({ "disabled": disabled });
        admin.json(Method::PATCH, &format!("/api/v1/admin/users/{id}"), change).await.ok();
        for face in faces("ada") {
            visitor.get(&face).await.is(status);
        }
        let page = visitor.get(&entry.page()).await.ok().has(".record", "Ada Lovelace");
        assert_eq!(page.attributes(".record a[href='/u/ada']", "href").len(), usize::from(!disabled));
    }
    let ada = app.another_browser_of("ada").await;
    ada.post_form("/settings/data/delete", &[("username", "ada")]).await;
    for face in faces("ada") {
        visitor.get(&face).await.is(404);
    }
    visitor.get("/feed.atom").await.ok().lacks("Tide tables");
}

on_both_engines!(people_find_their_public_page);
async fn people_find_their_public_page(app: App) {
    app.has_account("ada", Role::Member).await;
    let ada = app.another_browser_of("ada").await;
    ada.get("/settings/profile")
        .await
        .ok()
        .has("main", "don’t have a public page")
        .has_no("a[href='/u/ada']");
    let entry = ada.saves(json!({ "title": "Tide tables", "visibility": "public" })).await;
    ada.get("/settings/profile").await.ok().has("a[href='/u/ada']", "your public page");
    let feed = "head link[rel=alternate][type='application/atom+xml']";
    for (path, href) in [("/", "/feed.atom"), ("/resources", "/feed.atom"), ("/u/ada", "/u/ada/feed.atom")] {
        assert_eq!(app.visitor().get(path).await.ok().attributes(feed, "href"), [href], "{path}");
    }
    let change = json!({ "visibility": "members" });
    ada.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
    app.signed_in("eve")
        .await
        .get(&entry.page())
        .await
        .ok()
        .has(".record", "ada")
        .has_no(".record a[href='/u/ada']");
}

on_both_engines!(a_feed_has_one_tag_and_no_parameter_without_a_meaning);
async fn a_feed_has_one_tag_and_no_parameter_without_a_meaning(app: App) {
    let (ada, eve) = (app.signed_in("ada").await, app.signed_in("eve").await);
    for (person, title, tag) in
        [(&ada, "Shell", "sea/shells"), (&ada, "Stone", "land"), (&eve, "Crab", "Sea")]
    {
        person.saves(json!({ "title": title, "tags": [tag], "visibility": "public", "body": title })).await;
    }
    ada.saves(json!({ "title": "Secret", "tags": ["sea"] })).await;
    let origin = app.coffer.deps.public_url.address();
    for (path, titles) in [("/feed.atom", vec!["Crab", "Shell"]), ("/u/ada/feed.atom", vec!["Shell"])] {
        let feed = feed_of(&app.visitor().get(&format!("{path}?tag=sea")).await.ok());
        assert_eq!(feed.entries.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(), titles);
        let all = feed_of(&app.visitor().get(path).await.ok());
        assert_ne!(feed.id, all.id);
        let own = feed.links.iter().find(|link| link.rel == "self").expect("a link");
        assert_eq!(own.href, format!("{origin}{path}?tag=sea"));
        assert!(feed.entries[0].content.is_some());
        assert!(feed_of(&app.visitor().get(&format!("{path}?tag=moon")).await.ok()).entries.is_empty());
        for name in ["q", "sort", "cursor", "tags"] {
            let refused = app.visitor().get(&format!("{path}?{name}=sea")).await.error_page(400);
            refused.text_has(&format!("Unknown parameter “{name}”."));
        }
        app.visitor().get(&format!("{path}?tag=a,b")).await.error_page(400);
    }
}

on_both_engines!(tags_stay_on_the_profile);
async fn tags_stay_on_the_profile(app: App) {
    let ada = app.signed_in("ada").await;
    for number in 0..21 {
        app.later(Duration::from_secs(1));
        let tag = if number % 7 == 0 { "deep sea" } else { "land" };
        ada.saves(json!({ "title": format!("Pearl {number}"), "tags": [tag], "visibility": "public" })).await;
    }
    let page = app.visitor().get("/u/ada").await.ok();
    let tags = page.attributes(".tags a", "href");
    assert!(tags.contains(&"/u/ada?tag=deep%20sea".to_owned()), "{tags:?}");
    let tagged = app.visitor().get("/u/ada?tag=deep%20sea").await.ok();
    assert_eq!(tagged.texts(".entry-title"), ["Pearl 14", "Pearl 7", "Pearl 0"]);
    assert_eq!(
        tagged.attributes("head link[type='application/atom+xml']", "href"),
        ["/u/ada/feed.atom?tag=deep%20sea"]
    );
    tagged.has(".chips a[href='/u/ada']", "deep sea");
    ada.saves(json!({ "title": "Pearl", "tags": ["land"], "visibility": "public" })).await;
    for _ in 0..3 {
        ada.saves(json!({ "title": "More", "tags": ["land"], "visibility": "public" })).await;
    }
    let land = app.visitor().get("/u/ada?tag=land").await.ok();
    let next = land.attributes("a[rel=next]", "href").remove(0);
    assert!(next.starts_with("/u/ada?tag=land&cursor="), "{next}");
    app.visitor().get(&next).await.ok().has(".more a[href='/u/ada?tag=land']", "first page");
}

/// What other sites show of an address.
fn previews(page: &Answer) -> Vec<String> {
    page.attributes("head meta[property^='og:']", "content")
}

on_both_engines!(only_what_is_public_has_a_preview);
async fn only_what_is_public_has_a_preview(app: App) {
    let ada = app.signed_in("ada").await;
    let draft =
        |visibility: &str| json!({ "title": "Pearl", "body": "*Found* at noon", "visibility": visibility });
    let public = ada.saves(draft("public")).await;
    let origin = app.coffer.deps.public_url.address();
    let shown = app.visitor().get(&public.page()).await.ok();
    let address = format!("{origin}{}", public.page());
    assert_eq!(previews(&shown), ["article", "coffer", "Pearl", "Found at noon", &address]);
    assert_eq!(shown.attributes("link[rel=canonical]", "href"), [address]);
    let profile = previews(&app.visitor().get("/u/ada").await.ok());
    assert_eq!(
        profile,
        ["profile", "coffer", "ada", "Links and notes of ada (ada).", &format!("{origin}/u/ada")]
    );
    for visibility in ["private", "members"] {
        let entry = ada.saves(draft(visibility)).await;
        assert!(previews(&ada.get(&entry.page()).await.ok()).is_empty(), "{visibility}");
        assert!(previews(&app.visitor().get(&entry.page()).await.is(404)).is_empty(), "{visibility}");
    }
    ada.json_free(Method::DELETE, &public.api()).await.is(204);
    assert!(previews(&ada.get(&public.page()).await.ok()).is_empty());
}

on_both_engines!(search_engines_are_told_of_public_pages_alone);
async fn search_engines_are_told_of_public_pages_alone(app: App) {
    let (ada, visitor) = (app.signed_in("ada").await, app.visitor());
    keeps_some(&ada).await;
    let site = app.coffer.deps.public_url.address();
    visitor.get("/robots.txt").await.ok().text_has(&format!("Sitemap: {site}/sitemap.xml"));
    let map = visitor.get("/sitemap.xml").await.ok();
    map.clone().header_is("content-type", "application/xml").text_has(&format!("<loc>{site}/u/ada</loc>"));
    assert_eq!(map.text().matches("<url>").count(), 2, "the profile and one entry: {map}");
    let admin = app.admin("root").await;
    let id = app.viewer("ada").await.id().expect("an account");
    admin.json(Method::PATCH, &format!("/api/v1/admin/users/{id}"), json!({ "disabled": true })).await.ok();
    assert!(!visitor.get("/sitemap.xml").await.ok().text().contains("/u/ada"));
}

on_both_engines!(search_engines_can_be_asked_to_stay_away, "--search-engines=off");
async fn search_engines_can_be_asked_to_stay_away(app: App) {
    keeps_some(&app.signed_in("ada").await).await;
    let robots = app.visitor().get("/robots.txt").await.ok().text();
    assert_eq!(robots, "User-agent: *\nDisallow: /\n");
    app.visitor().get("/sitemap.xml").await.is(404);
}
