//! Who sees what: every viewer against every visibility, through every door. What may not be seen is 404.

use coffer::resources::listing::ListParams;
use coffer::resources::visibility::may_see;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::actor::{Actor, Entry};
use crate::support::app::App;
use crate::support::on_both_engines;

const VISIBILITIES: [&str; 3] = ["private", "members", "public"];
const PEOPLE: [&str; 4] = ["owner", "member", "root", "visitor"];

/// One entry of each visibility, named and tagged after it, and all the people.
struct World {
    people: [Actor; 4],
    entries: Vec<(&'static str, Entry)>,
}

impl World {
    async fn of(app: &App) -> Self {
        let owner = app.signed_in("owner").await;
        let people = [owner.clone(), app.signed_in("member").await, app.admin("root").await, app.visitor()];
        let mut entries = Vec::new();
        for visibility in VISIBILITIES {
            let draft = json!({
                "title": format!("Pearl {visibility}"), "body": "A pearl in the sea", "visibility": visibility,
                "url": format!("https://{visibility}.example/"), "tags": [format!("partition/{visibility}")],
            });
            entries.push((visibility, owner.saves(draft).await));
        }
        Self { people, entries }
    }

    /// Each person with each entry, and whether the one may see the other.
    fn pairs(&self) -> impl Iterator<Item = (&Actor, &'static str, &Entry, bool)> {
        self.people.iter().flat_map(|person| {
            self.entries.iter().map(move |(visibility, entry)| {
                (person, *visibility, entry, expected(&person.name, visibility))
            })
        })
    }
}

/// The rule, written down once more by hand.
fn expected(person: &str, visibility: &str) -> bool {
    matches!((person, visibility), ("owner", _) | (_, "public") | ("member" | "root", "members"))
}

fn titles(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().filter_map(|item| item["title"].as_str()).collect()
}

on_both_engines!(lists_and_searches_hold_what_the_viewer_may_see);
async fn lists_and_searches_hold_what_the_viewer_may_see(app: App) {
    let world = World::of(&app).await;
    for (person, visibility, entry, sees) in world.pairs() {
        let title = format!("Pearl {visibility}");
        for asked in [
            "",
            "?q=pearl",
            "?tag=partition",
            "?q=by:owner",
            "?q=site:example&sort=title",
            "?kind=link&limit=200",
        ] {
            let list = person.get(&format!("/api/v1/resources{asked}")).await.ok().json();
            assert_eq!(titles(&list).contains(&title.as_str()), sees, "{} {asked} {visibility}", person.name);
            let page = person.get(&format!("/resources{asked}")).await.ok();
            let linked = page.attributes(".entry a", "href").contains(&entry.page());
            assert_eq!(linked, sees, "{} page {asked} {visibility}", person.name);
        }
    }
}

on_both_engines!(tags_count_what_the_viewer_may_see);
async fn tags_count_what_the_viewer_may_see(app: App) {
    let world = World::of(&app).await;
    for (person, visibility, _, sees) in world.pairs() {
        let tag = format!("partition/{visibility}");
        let tags = person.get("/api/v1/tags").await.ok().json();
        let counted = tags["items"].as_array().expect("items").contains(&json!({ "name": tag, "count": 1 }));
        assert_eq!(counted, sees, "{} {tag}", person.name);
        let shown = person.get("/tags").await.ok().texts(".tag-list a");
        assert_eq!(shown.iter().any(|shown| shown.starts_with(&tag)), sees, "{} page {shown:?}", person.name);
    }
}

on_both_engines!(reading_is_200_or_404);
async fn reading_is_200_or_404(app: App) {
    let world = World::of(&app).await;
    for (person, _, entry, sees) in world.pairs() {
        if sees {
            person.get(&entry.page()).await.ok().text_has("A pearl in the sea");
            person.get(&entry.api()).await.ok().text_has("A pearl in the sea");
            person.get(&format!("{}/row", entry.page())).await.ok().has(".entry-title", "Pearl");
        } else {
            person.get(&entry.page()).await.error_page(404).lacks("pearl").lacks("Pearl");
            person.get(&entry.api()).await.is(404).problem("not_found");
            person.get(&entry.api()).header("if-none-match", "\"1\"").await.is(404).problem("not_found");
            person.get(&format!("{}/row", entry.page())).await.error_page(404);
        }
    }
}

/// What only the owner may do: visitors are asked to sign in, whatever there is; others are told 403 if they may
/// see it, and 404 if not.
fn refusal(person: &Actor, sees: bool) -> (u16, &'static str) {
    match (person.name.as_str(), sees) {
        ("visitor", _) => (401, "sign_in_required"),
        (_, true) => (403, "forbidden"),
        (_, false) => (404, "not_found"),
    }
}

on_both_engines!(changing_is_for_the_owner_alone);
async fn changing_is_for_the_owner_alone(app: App) {
    let world = World::of(&app).await;
    for (person, _, entry, sees) in world.pairs().filter(|(person, ..)| person.name != "owner") {
        let (status, code) = refusal(person, sees);
        let api = entry.api();
        let asks = [
            person.json(Method::PATCH, &api, json!({ "title": "Taken" })).if_match("\"1\""),
            person.json(Method::PATCH, &api, json!({ "title": "Taken" })).if_match("*"),
            person.json_free(Method::DELETE, &api),
            person.json_free(Method::POST, &format!("{api}/restore")),
            person.json_free(Method::POST, &format!("{api}/revisions/1/restore")).if_match("\"1\""),
            person.get(&format!("{api}/revisions")),
            person.get(&format!("{api}/revisions/1")),
        ];
        for ask in asks {
            ask.await.is(status).problem(code);
        }
    }
    world.people[0].get("/api/v1/resources").await.ok().lacks("Taken");
}

on_both_engines!(the_owners_pages_are_for_the_owner_alone);
async fn the_owners_pages_are_for_the_owner_alone(app: App) {
    let world = World::of(&app).await;
    for (person, _, entry, sees) in world.pairs().filter(|(person, ..)| person.name != "owner") {
        let (status, _) = refusal(person, sees);
        let page = entry.page();
        let form = [("title", "Taken"), ("version", "1"), ("visibility", "public")];
        for act in [
            "", "/details", "/pin", "/unpin", "/unread", "/read", "/trash", "/restore", "/delete",
            "/revisions/1/restore",
        ] {
            person.post_form(&format!("{page}{act}"), &form).await.error_page(status);
        }
        for part in ["/edit", "/revisions", "/revisions/1"] {
            let answer = person.get(&format!("{page}{part}")).await;
            let to_login = answer.status() == 303 && answer.header("location").starts_with("/login?next=");
            assert!(answer.status() == status || (status == 401 && to_login), "{answer}");
        }
        person.get(&page).await.lacks("Taken");
    }
    world.people[0].get("/api/v1/resources").await.ok().lacks("Taken");
}

on_both_engines!(looking_up_an_address_finds_only_ones_own);
async fn looking_up_an_address_finds_only_ones_own(app: App) {
    let world = World::of(&app).await;
    for (person, visibility, entry, _) in world.pairs() {
        let answer = person.get(&format!("/api/v1/resources/lookup?url=https://{visibility}.example")).await;
        match person.name.as_str() {
            "owner" => answer.ok().text_has(&entry.id),
            "visitor" => answer.is(401).problem("sign_in_required"),
            _ => answer.is(404).problem("not_found"),
        };
    }
}

on_both_engines!(the_trash_is_the_owners_alone);
async fn the_trash_is_the_owners_alone(app: App) {
    let world = World::of(&app).await;
    for (_, entry) in &world.entries {
        world.people[0].json_free(Method::DELETE, &entry.api()).await.is(204);
    }
    for (person, visibility, entry, _) in world.pairs() {
        person.get("/api/v1/resources?q=pearl").await.ok().lacks("Pearl");
        person.get("/api/v1/tags").await.ok().lacks("partition");
        if person.name == "owner" {
            person.get(&entry.page()).await.ok().has(".notice", "In the trash since");
            person.get("/trash").await.ok().has(".entry-title", &format!("Pearl {visibility}"));
        } else {
            person.get(&entry.page()).await.error_page(404);
            person.get(&entry.api()).await.is(404).problem("not_found");
            let (status, _) = refusal(person, false);
            person.json_free(Method::POST, &format!("{}/restore", entry.api())).await.is(status);
            person.get("/trash").await.lacks("Pearl");
        }
    }
}

on_both_engines!(a_narrowed_visibility_holds_at_once);
async fn a_narrowed_visibility_holds_at_once(app: App) {
    let owner = app.signed_in("owner").await;
    let entry = owner.saves(json!({ "title": "Pearl", "visibility": "public" })).await;
    let visitor = app.visitor();
    visitor.get("/").await.ok().has(".entry-title", "Pearl");
    owner.json(Method::PATCH, &entry.api(), json!({ "visibility": "members" })).if_match("*").await.ok();
    visitor.get(&entry.page()).await.error_page(404);
    visitor.get("/").await.redirects_to("/login");
}

on_both_engines!(the_rule_in_sql_is_the_rule_in_rust);
async fn the_rule_in_sql_is_the_rule_in_rust(app: App) {
    let resources = &app.coffer.library.resources;
    let mut everything = Vec::new();
    for keeper in ["owner", "member", "root"] {
        let person = if keeper == "root" { app.admin(keeper).await } else { app.signed_in(keeper).await };
        for visibility in VISIBILITIES {
            for trashed in [false, true] {
                let entry = person.saves(json!({ "title": "Pearl", "visibility": visibility })).await;
                if trashed {
                    person.json_free(Method::DELETE, &entry.api()).await.is(204);
                }
                let id = entry.id.parse().expect("an id");
                everything.push(resources.find(&app.viewer(keeper).await, id).await.expect("one's own"));
            }
        }
    }
    for person in PEOPLE {
        let viewer = app.viewer(person).await;
        let listed = &resources.list(&viewer, &ListParams::default()).await.expect("a list").hits;
        for resource in &everything {
            let allowed = may_see(&viewer, resource);
            assert_eq!(resources.find(&viewer, resource.id).await.is_ok(), allowed, "{person} {resource:?}");
            let in_list = listed.iter().filter(|hit| hit.resource.id == resource.id).count();
            let wanted = usize::from(allowed && resource.trashed_at.is_none());
            assert_eq!(in_list, wanted, "{person} {resource:?}");
        }
    }
}

on_both_engines!(looking_back_does_not_publish_again);
async fn looking_back_does_not_publish_again(app: App) {
    let (owner, visitor) = (app.signed_in("owner").await, app.visitor());
    for (then, now) in VISIBILITIES.into_iter().flat_map(|then| VISIBILITIES.map(|now| (then, now))) {
        let draft =
            json!({ "title": "Pearl", "body": "then", "visibility": then, "pinned": true, "unread": true });
        let entry = owner.saves(draft).await;
        let change = json!({ "body": "now", "visibility": now, "pinned": false, "unread": false });
        owner.json(Method::PATCH, &entry.api(), change).if_match("*").await.ok();
        let stands = async |body: &str| {
            let kept = owner.get(&entry.api()).await.ok().json();
            let expected = [json!(body), json!(now), json!(false), json!(false)];
            let stands = ["body", "visibility", "pinned", "unread"].map(|field| kept[field].clone());
            assert_eq!(stands, expected, "{then}, {now}");
            assert_eq!(visitor.get(&entry.page()).await.status() == 200, now == "public", "{then}, {now}");
        };
        let first = "/revisions/1/restore";
        owner.json_free(Method::POST, &format!("{}{first}", entry.api())).if_match("*").await.ok();
        stands("then").await;
        owner.json(Method::PATCH, &entry.api(), json!({ "body": "later" })).if_match("*").await.ok();
        let form = [("version", "4"), ("visibility", then)];
        owner.post_form(&format!("{}{first}", entry.page()), &form).await.redirects_to(&entry.page());
        stands("then").await;
        owner.post_form(&format!("{}/trash", entry.page()), &[]).await.redirects_to("/resources");
        owner.post_form(&format!("{}/restore", entry.page()), &[]).await.redirects_to(&entry.page());
        stands("then").await;
        owner.json_free(Method::DELETE, &entry.api()).await.is(204);
        owner.json_free(Method::POST, &format!("{}/restore", entry.api())).await.ok();
        stands("then").await;
    }
}
